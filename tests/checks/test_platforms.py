# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The images can be built for both processors: every pinned wheel and every Debian package exists for each.

What is built for the other processor than the machine's own is not run here.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.apt_sources import (
    DEFAULT_SECURITY_MIRROR,
    machine_mirrors,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.base_image import BASE_IMAGE_OPTIONS
from ansible_collections.sm2a.airflow.tests.projects.resolution import PLATFORMS, at_once, building_for, wheels
from ansible_collections.sm2a.airflow.tests.projects.sets import debian_packages, requirement_sets
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tests.unit.images.downloads import commands, instructions
from ansible_collections.sm2a.airflow.tools.packages.newest import DebianArchive

DOCKER = PROJECT / "docker"
# Of the images of the collection; those of the local AWS run on the machine itself.
PINNED = [
    DOCKER / name
    for name in (
        "airflow/requirements.txt",
        "airflow/uv-requirements.txt",
        "autoscaler/requirements.txt",
        "sbom/requirements.txt",
    )
]
DOCKERFILES = [DOCKER / f"{name}/Dockerfile" for name in ("airflow", "autoscaler")]


def installed_by(dockerfile: Path) -> set[str]:
    """The Debian packages that it names."""
    runs = [text for name, text in instructions(dockerfile.read_text(encoding="utf-8")) if name == "RUN"]
    lines = [line for text in runs for line in commands(text) if re.match(r"apt-get .*\binstall\b", line)]
    assert lines
    return {word for line in lines for word in line.partition("install ")[2].split() if not word.startswith("-")}


def without_a_pinned_wheel(pinned: Path, architecture: str) -> list[str]:
    """Packages whose wheels for the processor are not among those with a hash in the list."""
    text = pinned.read_text(encoding="utf-8")
    return [
        name for name, found in wheels(pinned, architecture).items() if not any(one in text for one in found.values())
    ]


@pytest.mark.parametrize("architecture", PLATFORMS)
def test_every_pinned_package_has_a_wheel_that_the_list_allows(architecture: str) -> None:
    with building_for(architecture):
        missing = at_once(lambda pinned: without_a_pinned_wheel(pinned, architecture), PINNED)
    assert dict(zip((path.name for path in PINNED), missing, strict=True)) == {path.name: [] for path in PINNED}


def test_wheels_are_those_of_the_processor() -> None:
    with building_for("arm64"):
        found = wheels(DOCKER / "autoscaler/requirements.txt", "arm64")
    assert {
        name: [one for one in files if "aarch64" not in one and "-any." not in one] for name, files in found.items()
    } == {name: [] for name in found}
    assert any("aarch64" in one for one in found["psycopg2-binary"])


@pytest.mark.parametrize("architecture", PLATFORMS)
def test_debian_has_every_package(architecture: str) -> None:
    mirrors = machine_mirrors()
    suite = BASE_IMAGE_OPTIONS["suite"]["default"]
    archive = DebianArchive(mirrors.archive, mirrors.security or DEFAULT_SECURITY_MIRROR, suite)
    named = {name for one in (*debian_packages(), *requirement_sets()) for name in one.packages}
    named |= {name for dockerfile in DOCKERFILES for name in installed_by(dockerfile)}
    assert named - archive.newest(architecture).keys() == set()
