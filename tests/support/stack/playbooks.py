# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Run the project's playbooks as `make up` does, showing where they are and keeping every line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tests.support.stack.settings import STATE, variables

PROGRESS_SECONDS = 20
RECAP = re.compile(r"^local\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)
ROLE_SECONDS = re.compile(r"^([\w.]+) -{3,} ([\d.]+)s$", re.MULTILINE)
TASK = re.compile(r"^TASK \[(.+?)\]")
CHANGED = re.compile(r"^changed: \[local\]")


@dataclass(frozen=True)
class Run:
    """How one ansible-playbook ended. ``roles``: seconds by role, as the profile_roles callback printed them."""

    code: int
    seconds: float
    changed: int
    changed_tasks: list[str]
    roles: dict[str, float]
    log: Path

    def end(self, lines: int = 60) -> str:
        """The last lines of the log, for a failure's message."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def play(
    name: str,
    playbooks: list[str],
    say: Callable[[str], None],
    *options: str,
    extra: Mapping[str, Any] | None = None,
    timeout: int = 1800,
) -> Run:
    """Run ``playbooks`` on inventories/local with the variables of this test; ``name`` names the log file."""
    STATE.mkdir(parents=True, exist_ok=True)
    given = STATE / f"{name}.json"
    given.write_text(json.dumps({**variables(), **(extra or {})}), encoding="utf-8")
    given.chmod(0o600)
    log = STATE / f"{name}.log"
    tools = Path(sys.executable).parent
    command = [str(tools / "ansible-playbook"), "-i", "inventories/local", *playbooks, "-e", f"@{given}", *options]
    # The caller's own AWS settings must not leak in.
    clean = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    environment = {**clean, "PATH": f"{tools}:{os.environ['PATH']}", "ANSIBLE_NOCOLOR": "1", "PYTHONUNBUFFERED": "1"}
    started = time.monotonic()
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        try:
            changed_tasks = _follow(process, name, output.write, say, started + timeout)
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(timeout=60)
    text = log.read_text(encoding="utf-8", errors="replace")
    recap = RECAP.findall(text)  # one after each playbook, each the total so far
    run = Run(
        code=process.returncode,
        seconds=round(time.monotonic() - started, 1),
        changed=int(recap[-1][1]) if recap else -1,
        changed_tasks=changed_tasks,
        roles={role: float(seconds) for role, seconds in ROLE_SECONDS.findall(text)},
        log=log,
    )
    say(f"{name}: ended with {run.code} after {run.seconds:.0f} s, changed={run.changed}")
    return run


def deploy(name: str, say: Callable[[str], None], changes: Mapping[str, Any], *options: str) -> Run:
    """One more run of site.yml on the stack, with other variables."""
    return play(name, ["site.yml"], say, *options, extra=changes, timeout=900)


def _follow(
    process: subprocess.Popen[str], name: str, write: Callable[[str], Any], say: Callable[[str], None], deadline: float
) -> list[str]:
    """Copy the output, say every few seconds which task it is at; returns the tasks that changed something."""
    changed: list[str] = []
    task, spoken = "", 0.0
    assert process.stdout is not None
    for line in process.stdout:
        write(line)
        if found := TASK.match(line):
            task = found.group(1)
            if time.monotonic() - spoken > PROGRESS_SECONDS:
                say(f"{name}: {task}")
                spoken = time.monotonic()
        elif CHANGED.match(line):
            changed.append(task)
        if time.monotonic() > deadline:
            say(f"{name}: took too long at {task}")
            process.terminate()
            break
    return changed
