# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Run a tool of this environment from the project's root, as a person would, and keep what it said."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from ansible_collections.sm2a.airflow.tests.support.project import PROJECT

TOOLS = Path(sys.executable).parent


def run(*command: str, timeout: int = 900, **environment: str) -> str:
    """Output of ``command`` (both streams); AssertionError with that output when it fails or takes too long (seconds).

    The tools of this environment come first on PATH, and nothing is asked of a terminal.
    """
    try:
        done = subprocess.run(
            command,
            cwd=PROJECT,
            env={**os.environ, "PATH": f"{TOOLS}:{os.environ['PATH']}", "NO_COLOR": "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        said = late.stdout.decode(errors="replace") if isinstance(late.stdout, bytes) else ""
        raise AssertionError(f"{command[0]} took more than {timeout} s:\n{said}") from late
    assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout
