# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which versions the build of the image would choose for a project, on either processor. Nothing is installed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from unittest import mock

from ansible_collections.sm2a.airflow.tests.projects.sets import ProjectSet
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tools.packages.installed import from_requirements
from sm2a_runtime.project import requirements
from sm2a_runtime.project.lists import ProblemError

AIRFLOW = PROJECT / "docker/airflow"
# Debian's names of processors, and uv's of what wheels for them and Debian's C library are called.
PLATFORMS = {"amd64": "x86_64-manylinux_2_40", "arm64": "aarch64-manylinux_2_40"}
# uv waits for the index most of the time.
AT_ONCE = 4
Item = TypeVar("Item")
Result = TypeVar("Result")


def image_python() -> str:
    """The Python of the image, such as 3.13."""
    [version] = set(re.findall(r"lib/python(3\.\d+)/", (AIRFLOW / "Dockerfile").read_text(encoding="utf-8")))
    return str(version)


def target(architecture: str) -> tuple[str, ...]:
    """uv's options for it."""
    return "--python-version", image_python(), "--python-platform", PLATFORMS[architecture]


def image_packages() -> dict[str, str]:
    """Name and version of the Python packages that the image has before a project comes."""
    lists = [AIRFLOW / name for name in ("requirements.txt", "source-requirements.txt")]
    return {one.name: one.version for path in lists for one in from_requirements(path.read_text(encoding="utf-8"))}


def at_once(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """``work`` for each item."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(work, items))


@contextmanager
def building_for(architecture: str) -> Iterator[None]:
    """Within, the code of the build finds what it has in a build of the image."""
    found = {
        "WANTED": AIRFLOW / "requirements.in",
        "TESTED": AIRFLOW / "constraints.txt",
        "TARGET": target(architecture),
    }
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    # This machine may have another Python than the image, which is not needed to choose versions.
    environment = {"PATH": path, "UV_PYTHON_DOWNLOADS": "never"}
    with mock.patch.dict(vars(requirements), found), mock.patch.dict(os.environ, environment):
        yield


def chosen_versions(project: ProjectSet) -> dict[str, str]:
    """Name and version of each package of the image with the project. Raises ProblemError when nothing fits."""
    with tempfile.TemporaryDirectory() as directory:
        project.write(Path(directory))
        lock = requirements.resolve(Path(directory) / "requirements.txt", image_packages())
        return {one.name: one.version for one in from_requirements(lock.read_text(encoding="utf-8"))}


def problem_of(project: ProjectSet) -> str:
    """Why the build would refuse it; "" when it would not."""
    try:
        chosen = chosen_versions(project)
    except ProblemError as problem:
        return str(problem)
    moved = {name for name, version in image_packages().items() if requirements.is_firm(name) and name in chosen}
    return ", ".join(sorted(name for name in moved if chosen[name] != image_packages()[name]))


def wheels(pinned: Path, architecture: str) -> dict[str, dict[str, str]]:
    """Of each package of a list with versions: its wheels for the processor by name, and their SHA-256.

    Raises CalledProcessError when a package has none.
    """
    with tempfile.TemporaryDirectory() as directory:
        lock = Path(directory) / "pylock.toml"
        options = (
            "--no-deps",
            "--only-binary",
            ":all:",
            "--quiet",
            "--format",
            "pylock.toml",
            "--output-file",
            str(lock),
        )
        command = ["uv", "pip", "compile", *target(architecture), *options, str(pinned)]
        subprocess.run(command, check=True, capture_output=True, text=True)
        packages = tomllib.loads(lock.read_text(encoding="utf-8"))["packages"]
    return {
        one["name"]: {wheel["url"].rpartition("/")[2]: wheel["hashes"]["sha256"] for wheel in one["wheels"]}
        for one in packages
    }
