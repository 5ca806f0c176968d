# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the container engine and the system hold of a local AWS: memory while it runs, leftovers afterwards."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LABEL = "sm2a.local-aws"
LISTINGS = {"containers": ["ps", "--all"], "networks": ["network", "ls"], "volumes": ["volume", "ls"]}
# How names of containers end that accompany the program of a task.
BESIDE = ("-network", "-metrics")
STATISTICS_ATTEMPTS = 5
UNITS = {"B": 1e-6, "KB": 1e-3, "MB": 1.0, "GB": 1e3, "KIB": 1024e-6, "MIB": 1.048576, "GIB": 1073.741824}


def engines() -> list[str]:
    """The container engines of this machine that answer."""
    found = [name for name in ("podman", "docker") if shutil.which(name)]
    return [name for name in found if _run(name, "ps", "--quiet").returncode == 0]


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def containers(name: str, service: str) -> list[str]:
    """Ids of the running containers of one service of local AWS ``name``, each as ``<engine>:<id>``.

    Those that run the service's program: not the ones beside it that hold the network or write metrics.
    """
    found = []
    for engine in engines():
        filters = ["--filter", f"label={LABEL}={name}", "--filter", f"name={name}-{name}-{service}-"]
        lines = _run(engine, "ps", "--format", "{{.ID}} {{.Names}}", *filters).stdout.splitlines()
        found += [f"{engine}:{line.split()[0]}" for line in lines if not line.endswith(BESIDE)]
    return found


def run_python(container: str, program: str) -> Any:
    """The JSON that a program prints last, run in a container of ``containers`` with its user and environment."""
    engine, _, identifier = container.partition(":")
    command = [engine, "exec", "--interactive", identifier, "python", "-"]
    done = subprocess.run(command, input=program, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def kill(container: str) -> None:
    """End a container of ``containers`` at once."""
    engine, _, identifier = container.partition(":")
    assert _run(engine, "kill", identifier).returncode == 0


def execute(container: str, *command: str) -> str:
    """What a command in a container of ``containers`` writes to its standard output."""
    engine, _, identifier = container.partition(":")
    done = _run(engine, "exec", identifier, *command)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@contextlib.contextmanager
def paused(name: str) -> Iterator[None]:
    """The container of that name does nothing meanwhile."""
    (engine,) = [engine for engine in engines() if _run(engine, "container", "inspect", name).returncode == 0]
    assert _run(engine, "pause", name).returncode == 0
    try:
        yield
    finally:
        assert _run(engine, "unpause", name).returncode == 0


def leftovers(name: str) -> dict[str, list[str]]:
    """Containers, networks and volumes that carry the label of local AWS ``name``; empty lists are left out."""
    found: dict[str, list[str]] = {}
    for engine in engines():
        for kind, listing in LISTINGS.items():
            said = _run(engine, *listing, "--quiet", "--filter", f"label={LABEL}={name}").stdout.split()
            if said:
                found.setdefault(kind, []).extend(said)
    return found


def memory(state: Path) -> tuple[dict[str, float], float]:
    """Megabytes of each running container of the local AWS in ``state``, and of its own processes together."""
    settings = json.loads((state / "local_aws.json").read_text(encoding="utf-8"))
    used: dict[str, float] = {}
    for engine in engines():
        lines = _usage(engine, settings["name"])
        used |= {line.split("|")[0]: megabytes(line.split("|")[1].split("/")[0]) for line in lines}
    return used, round(sum(_resident(process) for process in processes(state)), 1)


def _usage(engine: str, name: str) -> list[str]:
    """A line ``name|used / limit`` for each running container of local AWS ``name``."""
    for _ in range(STATISTICS_ATTEMPTS):
        identifiers = _run(engine, "ps", "--quiet", "--filter", f"label={LABEL}={name}").stdout.split()
        if not identifiers:
            return []
        said = _run(engine, "stats", "--no-stream", "--format", "{{.Name}}|{{.MemUsage}}", *identifiers)
        if said.returncode == 0:
            return said.stdout.splitlines()
        # A container that ended since it was listed, such as a worker that was scaled in, fails the statistics of all.
    raise AssertionError(said.stderr)


def megabytes(text: str) -> float:
    """``12.3MB``, ``1.2GiB`` and the like in megabytes."""
    number = text.strip().rstrip("BbKkMmGgIi")
    return round(float(number) * UNITS[text.strip()[len(number) :].upper()], 1)


def processes(state: Path) -> list[Path]:
    """/proc folders of the processes whose command line names a path in ``state``, ansible-playbook's apart."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if str(state) in command and "ansible-playbook" not in command:
            found.append(folder)
    return found


def _resident(process: Path) -> float:
    try:
        lines = (process / "status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmRSS:"))


def answers(port: int) -> bool:
    """Whether something listens on this loopback port."""
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex(("127.0.0.1", port)) == 0
