# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the Airflow image promises to tasks, as its Dockerfile says it; tests/integration/worker_machine.py uses it."""

from __future__ import annotations

import json
import re

from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tests.unit.images.downloads import commands, instructions

INSTRUCTIONS = list(instructions((PROJECT / "docker/airflow/Dockerfile").read_text(encoding="utf-8")))
COMMANDS = [command for name, text in INSTRUCTIONS if name == "RUN" for command in commands(text)]
VOLUMES = tuple(f"{path}/" for name, text in INSTRUCTIONS if name == "VOLUME" for path in json.loads(text))
ENVIRONMENT = dict(re.findall(r"(\w+)=(\S+)", " ".join(text for name, text in INSTRUCTIONS if name == "ENV")))


def test_home_is_writable_and_nobody_elses() -> None:
    home = ENVIRONMENT["HOME"]
    assert home.startswith(VOLUMES), "only volumes can be written"
    [user] = [command for command in COMMANDS if command.startswith("useradd ")]
    assert f"--home-dir {home} " in user, "some programs ask the system"
    made = INSTRUCTIONS.index(("RUN", f"mkdir -m 0700 {home}"))
    users = [text for name, text in INSTRUCTIONS[:made] if name == "USER"]
    assert users[-1] == "50000:50000"
    # What is written to a volume after it was declared is lost.
    assert "VOLUME" not in [name for name, _ in INSTRUCTIONS[:made]]


def test_nothing_that_a_task_writes_is_run_or_believed_by_others() -> None:
    # Who the AWS SDK is; a file of it can name a program, too.
    assert not ENVIRONMENT["AWS_CONFIG_FILE"].startswith(VOLUMES)
    assert not ENVIRONMENT["AWS_SHARED_CREDENTIALS_FILE"].startswith(VOLUMES)
    searched = [*ENVIRONMENT["PATH"].split(":"), *ENVIRONMENT["PYTHONPATH"].split(":")]
    assert [path for path in searched if path.startswith(VOLUMES)] == []


def test_what_is_taken_out_is_files_that_only_people_read() -> None:
    removed = [command for command in COMMANDS if re.search(r"\brm -r|-delete\b", command)]
    assert removed
    # Character sets are in /usr/lib; install scripts of packages write into folders, also empty ones.
    assert [command for command in removed if "/usr/lib" in command or "rm -r" in command] == []
    emptied = [command for command in removed if "/usr/share/doc" not in command]
    assert all("! -type d -delete" in command for command in emptied)


def test_packages_of_airflow_are_those_of_the_system_to_virtual_environments() -> None:
    path = (PROJECT / "docker/airflow/system-site-packages.pth").read_text(encoding="utf-8").strip()
    # Where Airflow is, by the bill of materials.
    assert any(f"--site-packages {path} " in command for command in COMMANDS)


def test_uv_finds_the_python_that_airflow_asks_it_for() -> None:
    # `uv venv --python python`, and it makes none from a Python that is in an environment itself.
    assert "ln -s python3 /usr/bin/python" in COMMANDS
