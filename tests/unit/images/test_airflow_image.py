# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the Airflow image promises to tasks, as its Dockerfile says it; tests/integration/worker_machine.py uses it."""

from __future__ import annotations

import re

from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tests.unit.images.downloads import commands, instructions

INSTRUCTIONS = list(instructions((PROJECT / "docker/airflow/Dockerfile").read_text(encoding="utf-8")))
COMMANDS = [command for name, text in INSTRUCTIONS if name == "RUN" for command in commands(text)]


def test_what_is_taken_out_is_files_that_only_people_read() -> None:
    removed = [command for command in COMMANDS if re.search(r"\brm -r|-delete\b", command)]
    assert removed
    # Character sets are in /usr/lib; install scripts of packages write into folders, also empty ones.
    assert [command for command in removed if "/usr/lib" in command or "rm -r" in command] == []
    emptied = [command for command in removed if "/usr/share/doc" not in command]
    assert all("! -type d -delete" in command for command in emptied)
