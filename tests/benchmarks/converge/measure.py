# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What a run without changes costs: the whole tree of processes, but not the local AWS, which is none of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.sm2a.airflow.tests.support import control_plane as runs
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT

TOOLS = Path(sys.executable).parent
BARE = Path(__file__).with_name("bare.py")
# What reads, of the calls that a run makes; its lock is written and removed.
READS = ("Describe", "Get", "List", "Head")
# One group is the default one; a region has room for these.
GROUPS = (1, 5, 12)


@dataclass(frozen=True)
class Cost:
    """Of one run of a program: seconds of CPU, and of the wall clock."""

    cpu: float
    wall: float


@dataclass(frozen=True)
class Stack:
    """A deployed environment: its reads, and the tasks of a run that has nothing to do, by collection."""

    aws: runs.ControlPlane
    directory: Path
    groups: int

    @property
    def variables(self) -> dict[str, Any]:
        """The worker groups, the default one first."""
        names = ["default", *[f"group-{number}" for number in range(2, self.groups + 1)]]
        return {"airflow_worker_groups": [{**runs.DEFAULT_GROUP, "name": name, "queue": name} for name in names]}

    @property
    def calls(self) -> Path:
        """The different reads, a line of JSON each."""
        return self.directory / f"reads-{self.groups}.jsonl"

    def deploy(self) -> None:
        """Bring the account to it. Raises RuntimeError when the run fails."""
        deployed = self.aws.play("site", extra=self.variables)
        if deployed.code:
            raise RuntimeError(deployed.end())

    def record(self) -> Counter[str]:
        """Write down the reads of a run that changes nothing; returns its tasks by collection."""
        every = self.directory / f"calls-{self.groups}.jsonl"
        every.touch()
        self.site(
            {"ANSIBLE_CALLBACKS_ENABLED": "recorded_results,sm2a.testing.recorded_calls", "SM2A_CALLS": str(every)}
        )
        lines = every.read_text(encoding="utf-8").splitlines(keepends=True)
        # Each once, as a program would that reads all it needs first.
        reads = dict.fromkeys(line for line in lines if json.loads(line)["operation"].startswith(READS))
        self.calls.write_text("".join(reads), encoding="utf-8")
        results = [json.loads(line) for line in self.results.read_text(encoding="utf-8").splitlines()]
        if changed := [result["task"] for result in results if result["status"] == "changed"]:
            raise RuntimeError(f"A run without changes changed something: {changed}")
        return Counter(result["action"].rpartition(".")[0] for result in results)

    @property
    def results(self) -> Path:
        """How the tasks of the last run ended."""
        return self.directory / "results.jsonl"

    def site(self, environment: Mapping[str, str] | None = None, **variables: Any) -> Cost:
        """A run of site.yml."""
        given = {"sm2a_endpoint_url": self.aws.endpoint, **self.variables, **variables}
        extra = self.directory / "variables.json"
        extra.write_text(json.dumps(given), encoding="utf-8")
        self.results.write_text("", encoding="utf-8")
        inventory = runs.HERE / "inventory.yml"
        playbook = [TOOLS / "ansible-playbook", "-i", inventory, "playbooks/site.yml", "-e", f"@{extra}"]
        changed = {**runs.playbook_environment(self.results), **(environment or {})}
        return cost([str(part) for part in playbook], changed, self.directory / "log")

    def bare(self) -> Cost:
        """The same reads by boto3 alone."""
        environment = {
            **runs.playbook_environment(self.results),
            "AWS_ACCESS_KEY_ID": runs.ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": runs.SECRET_KEY,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        program = [sys.executable, str(BARE), str(self.calls), self.aws.endpoint, runs.REGION]
        return cost(program, environment, self.directory / "log")


def cost(command: list[str], environment: Mapping[str, str], log: Path) -> Cost:
    """Run a program to its end. Raises RuntimeError when it fails."""
    started = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        # With those that it has waited for, and so on down.
        _pid, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{log.read_text(errors='replace')[-4000:]}")
    return Cost(used.ru_utime + used.ru_stime, time.monotonic() - started)
