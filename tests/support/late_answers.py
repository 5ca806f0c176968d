# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The table of what AWS does not know at once, for a local AWS that lags by it (its flag --late-answers)."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from ansible_collections.sm2a.airflow.plugins.module_utils.propagation.table import CREATES


def flags(directory: Path, calls: int = 1, seconds: int = 5) -> tuple[str, ...]:
    """Flags of a local AWS that does not know what was made at the first ``calls`` calls of each operation."""
    file = directory / "late_answers.json"
    file.write_text(json.dumps([asdict(create) for create in CREATES]), encoding="utf-8")
    return "--late-answers", str(file), "--late-calls", str(calls), "--late-seconds", str(seconds)
