# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Programs from Debian's packages: found, or installed automatically."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path


class MissingProgramError(Exception):
    """The program is not there and cannot be installed. The message says what to install."""


def installed(program: str, package: str) -> str:
    """Path of ``program``, from the Debian package ``package`` when it is missing (root and apt-get are needed then).

    ``program`` is a name that is looked for on PATH, or a path in which ``*`` stands for a version; of several versions
    the newest counts. Raises MissingProgramError.
    """
    if found := _find(program):
        return found
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise MissingProgramError(f"{program} is missing. Debian and Ubuntu: apt-get install {package}")
    failure = _install(package)
    if found := _find(program):
        return found
    raise MissingProgramError(f"{program} is missing, also after apt-get install {package}:\n{failure}")


def _install(package: str) -> str:
    """What apt-get said when it failed. Tests run side by side: one process at a time; apt waits for others."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    options = ["--quiet", "--yes", "--no-install-recommends", "--option", "DPkg::Lock::Timeout=300"]
    with (Path(tempfile.gettempdir()) / "sm2a-apt-get.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = ""
        for verb in (["update"], ["install", package]):
            command = ["apt-get", *options, *verb]
            done = subprocess.run(
                command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
            )
            said += done.stderr
        return said


def _find(program: str) -> str | None:
    if not program.startswith("/"):
        return shutil.which(program)
    found = sorted(Path("/").glob(program.lstrip("/")), key=lambda path: _version(path, program))
    return str(found[-1]) if found else None


def _version(path: Path, pattern: str) -> list[int]:
    """The numbers of a path where the pattern has ``*``, so that 16 is newer than 9."""
    parts = zip(path.parts, Path(pattern).parts, strict=True)
    return [int(number) for part, wanted in parts if "*" in wanted for number in part.split(".") if number.isdigit()]
