"""Every molecule scenario, two at a time, on one local AWS without containers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from ansible_collections.sm2a.airflow.tests.checks.run import PROJECT, TOOLS

MOLECULE = PROJECT / "extensions/molecule"
SCENARIOS = sorted(path.parent.name for path in MOLECULE.glob("*/molecule.yml") if path.parent.name != "default")
ACTIONS = ["check", "converge", "idempotence", "verify", "side_effect"]
STATE = PROJECT / ".cache/molecule/local_aws"
LINE = re.compile(r"^(\w+) > (\w+): Executed: (\w+)", re.MULTILINE)


@pytest.fixture(scope="session")
def molecule_output() -> Iterator[str]:
    """What `molecule test --all` said; kept in artifacts/molecule.log as it runs."""
    log = PROJECT / "artifacts/molecule.log"
    log.parent.mkdir(exist_ok=True)
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
    yield log.read_text(encoding="utf-8", errors="replace")


def test_there_are_scenarios() -> None:
    assert {"broker", "cluster", "network", "secrets"} <= set(SCENARIOS)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(scenario: str, molecule_output: str) -> None:
    done = [(action, state) for name, action, state in LINE.findall(molecule_output) if name == scenario]
    wanted = [(action, "Successful") for action in ACTIONS]
    assert [step for step in done if step in wanted] == wanted, f"{done}\n{molecule_output[-20000:]}"


def test_local_aws_is_gone_afterwards(molecule_output: str) -> None:
    assert "default > destroy: Executed: Successful" in molecule_output
    status = subprocess.run(
        [sys.executable, "-m", "sm2a_local_aws", "status", "--state-directory", str(STATE)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert status.returncode == 3, status.stdout + status.stderr
