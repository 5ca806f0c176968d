# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Every molecule scenario, two at a time, on one local AWS without containers; extensions/molecule/README.md."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from ansible_collections.sm2a.airflow.tests.checks.run import TOOLS
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT

pytestmark = pytest.mark.chain("molecule")

MOLECULE = PROJECT / "extensions/molecule"
SCENARIOS = sorted(path.parent.name for path in MOLECULE.glob("*/molecule.yml") if path.parent.name != "default")
ACTIONS = ["check", "converge", "idempotence", "verify", "side_effect"]
STATE = PROJECT / ".cache/molecule/local_aws"
CHANGES = PROJECT / ".cache/molecule/changes"
LINE = re.compile(r"^(\w+) > (\w+): Executed: (\w+)", re.MULTILINE)


@pytest.fixture(scope="session")
def molecule_output() -> Iterator[str]:
    """What `molecule test --all` said; kept in artifacts/molecule.log as it runs."""
    log = PROJECT / "artifacts/molecule.log"
    log.parent.mkdir(exist_ok=True)
    shutil.rmtree(CHANGES, ignore_errors=True)
    # Molecule remembers, outside the checkout, what it made: forget a local AWS that ended without it.
    commands = [["destroy", "-s", "default"], ["test", "--all", "--workers", "2", "--continue-on-failure"]]
    environment = {**os.environ, "PATH": f"{TOOLS}:{os.environ['PATH']}", "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"}
    with log.open("wb") as output:
        for command in commands:
            subprocess.run(
                [str(TOOLS / "molecule"), *command],
                cwd=PROJECT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=1500,
                check=False,
            )
    (log.parent / "predictions.md").write_text(table(), encoding="utf-8")
    yield log.read_text(encoding="utf-8", errors="replace")


def comparisons(scenario: str) -> list[dict[str, Any]]:
    """What sm2a.testing.compared_changes kept: host, number of changes predicted and done, their differences."""
    path = CHANGES / scenario / "comparisons.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def table() -> str:
    """Predictions of check mode and what became of them, for people."""
    lines = ["| scenario | environment | predicted | done | differences |", "|---|---|---|---|---|"]
    for scenario in SCENARIOS:
        for one in comparisons(scenario):
            told = "<br>".join(one["differences"]) or "none"
            lines.append(f"| {scenario} | {one['host']} | {one['predicted']} | {one['done']} | {told} |")
    return "\n".join(lines) + "\n"


def environments(scenario: str) -> set[str]:
    """The hosts of a scenario."""
    inventory = yaml.safe_load((MOLECULE / scenario / "inventory/hosts.yml").read_text(encoding="utf-8"))
    return set(inventory["sm2a"]["hosts"])


def test_there_are_scenarios() -> None:
    assert {"broker", "cluster", "network", "secrets"} <= set(SCENARIOS)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(scenario: str, molecule_output: str) -> None:
    done = [(action, state) for name, action, state in LINE.findall(molecule_output) if name == scenario]
    wanted = [(action, "Successful") for action in ACTIONS]
    assert [step for step in done if step in wanted] == wanted, f"{done}\n{molecule_output[-20000:]}"


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_changes_are_those_that_check_mode_predicted(scenario: str, molecule_output: str) -> None:
    kept = comparisons(scenario)
    for host in environments(scenario):
        # On a fresh account, after drift by hand, and before the removal.
        compared = [one for one in kept if one["host"] == host]
        assert len(compared) == 3
        assert compared[0]["done"] and compared[2]["done"]
        assert [one["differences"] for one in compared] == [[], [], []]


def test_local_aws_is_gone_afterwards(molecule_output: str) -> None:
    assert "default > destroy: Executed: Successful" in molecule_output
    status = subprocess.run(
        [sys.executable, "-m", "sm2a_local_aws", "status", "--state-directory", str(STATE)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert status.returncode == 3, status.stdout + status.stderr
