# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""While a module runs, the output of ansible-playbook says so, and what it is waiting for."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tests.unit.plugins.two_ways import Ways, play_both_ways

MODULE = "sm2a.testing.misbehave"


def waiting(name: str, **keywords: Any) -> dict[str, Any]:
    return {"name": name, MODULE: {"do": "wait"}, **keywords}


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> Ways:
    tasks = [
        waiting("wait long"),
        waiting("wait in silence", vars={"sm2a_progress_interval": 0}),
        waiting("wait in secret", no_log=True),
        {**waiting("wait later"), "async": 30, "poll": 5},
        waiting("shorter than that", vars={"sm2a_progress_interval": 30}),
    ]
    keywords = {"vars": {"sm2a_progress_interval": "1"}}
    return play_both_ways(tmp_path_factory.mktemp("progress"), tasks, keywords, environment={})


def lines(ways: Ways, host: str, task: str) -> list[str]:
    """What is said about a task, without its name."""
    start = f"[{host}] {task}: "
    return [line.removeprefix(start) for line in ways.output.splitlines() if line.startswith(start)]


def test_a_forked_module_says_what_it_waits_for(ways: Ways) -> None:
    said = lines(ways, "forked", "wait long")
    assert len(said) >= 2
    assert re.fullmatch(r"\d+ s: the probe is creating", said[-1])


def test_a_module_of_its_own_python_is_timed(ways: Ways) -> None:
    said = lines(ways, "own", "wait long")
    assert len(said) >= 2
    assert all(re.fullmatch(r"\d+ s", line) for line in said)


@pytest.mark.parametrize("task", ["wait in silence", "wait later", "shorter than that"])
def test_nothing_is_said(ways: Ways, task: str) -> None:
    assert lines(ways, "forked", task) == lines(ways, "own", task) == []


def test_what_a_secret_task_waits_for_is_not_said(ways: Ways) -> None:
    said = lines(ways, "forked", "wait in secret")
    assert said
    assert all(re.fullmatch(r"\d+ s", line) for line in said)


def test_output_for_programs_stays_what_it_is(tmp_path: Path) -> None:
    """The lines are on the other stream."""
    play = {"hosts": "localhost", "gather_facts": False, "connection": "local", "tasks": [waiting("wait long")]}
    variables = {"sm2a_progress_interval": 1, "ansible_python_interpreter": sys.executable}
    (tmp_path / "play.yml").write_text(yaml.safe_dump([{**play, "vars": variables}]), encoding="utf-8")
    (tmp_path / "ansible.cfg").touch()
    run = subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", "-i", "localhost,", tmp_path / "play.yml"],
        cwd=PROJECT,
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(PROJECT / "collections"),
            "ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert json.loads(run.stdout)["stats"]["localhost"]["ok"] == 1
    assert re.search(r"\[localhost\] wait long: \d+ s: the probe is creating", run.stderr)
