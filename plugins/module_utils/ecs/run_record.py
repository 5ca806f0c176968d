# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The record of a one-off task that must run once per task definition revision.

After a run has ended with exit code 0, the revision gets the tag ``sm2a:completed-run:<digest>``: the record lives and
dies with the revision, needs no store of its own, and is written only after success, so an interrupted run leaves none.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

RECORD_PREFIX = "sm2a:completed-run"


def record_key(cluster: str, overrides: dict[str, Any], key: str) -> str:
    """Tag key of a run; other overrides or another ``key`` of the caller make it another run."""
    text = json.dumps([cluster, overrides, key], sort_keys=True)
    return f"{RECORD_PREFIX}:{hashlib.sha256(text.encode()).hexdigest()[:16]}"
