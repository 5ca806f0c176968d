# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""tools/bootstrap with an interpreter that it cannot use: one line says what is wrong and what to do."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ansible_collections.sm2a.airflow.tests.support.project import PROJECT


def refusal(python: str) -> list[str]:
    """The lines of the failure with ``PYTHON=python``."""
    environment = {"PATH": "/usr/bin:/bin", "PYTHON": python}
    done = subprocess.run([PROJECT / "tools/bootstrap"], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr.splitlines()


def test_interpreter_that_is_missing() -> None:
    advice = "install it, or name another one (3.11, 3.12 or 3.13): PYTHON=..."
    assert refusal("python3.99") == [f"bootstrap: there is no python3.99 on this machine; {advice}"]


def test_interpreter_of_another_version(tmp_path: Path) -> None:
    python = tmp_path / "python"
    # It runs the empty program, not the one that looks at the version.
    python.write_text('#!/bin/sh\n[ -z "$2" ]\n', encoding="utf-8")
    python.chmod(0o755)
    assert refusal(str(python)) == [f"bootstrap: {python} is no Python 3.11, 3.12 or 3.13; name one: PYTHON=..."]
