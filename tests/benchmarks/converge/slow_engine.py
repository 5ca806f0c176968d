# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for Docker whose builds and pushes take as long as real ones, and nothing else.

``install`` writes it where PATH finds it. Run as a program it is the engine: it waits, writes that down as the local
AWS does, and leaves the rest to the stand-in of the unit tests.

usage: python slow_engine.py DIRECTORY ARGUMENTS-OF-DOCKER...
"""

from __future__ import annotations

import fcntl
import json
import stat
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tests.unit.plugins import fake_engine

VERBS = {"build": "image_build", "push": "image_push"}


def install(directory: Path, seconds: Mapping[str, float]) -> Path:
    """Make the program in a directory of its own, with the seconds of its verbs; returns the directory for PATH."""
    tools = directory / "bin"
    tools.mkdir(parents=True)
    script = tools / "docker"
    path = f"{PROJECT}/collections"
    script.write_text(
        f'#!/bin/sh\nPYTHONPATH="{path}" exec "{sys.executable}" "{__file__}" "{directory}" "$@"\n', encoding="utf-8"
    )
    script.chmod(script.stat().st_mode | stat.S_IEXEC)
    (directory / "seconds.json").write_text(json.dumps(dict(seconds)), encoding="utf-8")
    (directory / "engine.json").write_text(json.dumps({"images": {}, "calls": []}), encoding="utf-8")
    return tools


def waits_file(directory: Path) -> Path:
    """What waited, a line of JSON each."""
    return directory / "waits.jsonl"


def wait(directory: Path, arguments: list[str]) -> None:
    """As long as the verb takes."""
    verb = next((each for each in arguments if each in VERBS), "")
    if not verb:
        return
    seconds = json.loads((directory / "seconds.json").read_text(encoding="utf-8"))[VERBS[verb]]
    line = {"what": VERBS[verb], "identifier": arguments[-1], "began": time.time(), "seconds": seconds}
    with waits_file(directory).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    time.sleep(seconds)


def main() -> int:
    """See the module."""
    directory, arguments = Path(sys.argv[1]), sys.argv[2:]
    wait(directory, arguments)
    with (directory / "lock").open("w") as lock:
        # Images are built at the same time.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return fake_engine.main(directory, "docker", arguments)


if __name__ == "__main__":
    sys.exit(main())
