# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs tasks on two hosts at once, whose modules are forked on one and have a Python of their own on the other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[3]
HOSTS = ("forked", "own")
HOST = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
Task = dict[str, Any]


@dataclass(frozen=True)
class Ways:
    """What each task did on each host: ``results[host][task]``; ``output`` is what ansible-playbook printed."""

    results: dict[str, dict[str, Any]] = field(repr=False)
    output: str = field(repr=False)

    def both(self, task: str) -> tuple[Any, Any]:
        """Status and result of a task, forked and with a Python of its own."""
        return self.results["forked"][task], self.results["own"][task]


def play_both_ways(
    directory: Path, tasks: list[Task], keywords: Mapping[str, Any], *options: str, environment: Mapping[str, str]
) -> Ways:
    """Run a play of ``tasks``, whose names tell them apart; each may fail.

    The interpreter of a third host, ``elsewhere``, is another one.
    """
    (directory / "python").symlink_to(sys.executable)
    hosts = {host: {**HOST, "sm2a_forked_modules": host == "forked"} for host in HOSTS}
    play = {"hosts": list(HOSTS), "gather_facts": False, "ignore_errors": True, "tasks": tasks, **keywords}
    inventory, playbook, results = (directory / name for name in ("hosts.yml", "play.yml", "results.jsonl"))
    elsewhere = {**HOST, "ansible_python_interpreter": f"{directory}/python"}
    inventory.write_text(yaml.safe_dump({"all": {"hosts": {**hosts, "elsewhere": elsewhere}}}), encoding="utf-8")
    playbook.write_text(yaml.safe_dump([play]), encoding="utf-8")
    results.touch()
    tools = Path(sys.executable).parent
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_"))}
    run = subprocess.run(
        [tools / "ansible-playbook", "-i", inventory, playbook, *options],
        cwd=PROJECT,
        env={
            **clean,
            "ANSIBLE_CALLBACKS_ENABLED": "sm2a.testing.whole_results",
            "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
            "ANSIBLE_INJECT_INVOCATION": "true",
            "ANSIBLE_NOCOLOR": "1",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "SM2A_RESULTS": str(results),
            **environment,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    found: dict[str, dict[str, Any]] = {host: {} for host in HOSTS}
    for line in map(json.loads, results.read_text(encoding="utf-8").splitlines()):
        found[line["host"]][line["task"]] = (line["status"], line["result"])
    missing = [task["name"] for task in tasks for host in HOSTS if task["name"] not in found[host]]
    if run.returncode or missing:
        raise AssertionError(f"No result of {missing}:\n{run.stdout[-6000:]}")
    return Ways(found, run.stdout)
