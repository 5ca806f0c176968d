# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""extensions/awx/execution-environment: its lists are those of uv.lock, its steps guard what they download."""

from __future__ import annotations

import importlib.util
import re
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tests.support.role_files import read_yaml
from ansible_collections.sm2a.airflow.tests.unit.images import downloads
from packaging.markers import Marker
from packaging.requirements import Requirement

FOLDER = PROJECT / "extensions/awx/execution-environment"
LOCK: dict[str, Any] = tomllib.loads((PROJECT / "uv.lock").read_text(encoding="utf-8"))
GROUPS: dict[str, list[str]] = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))[
    "dependency-groups"
]
# The Python of Debian trixie, which the image has.
IMAGE_PYTHON = {"python_version": "3.13", "python_full_version": "3.13.5"}


def listed(name: str) -> dict[str, tuple[str, set[str]]]:
    """Version and hashes of what a file installs in the image, by name."""
    text = re.sub(r"^#.*\n", "", (FOLDER / name).read_text(encoding="utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    found = {}
    for line in text.splitlines():
        requirement = Requirement(line.partition("--hash")[0].strip())
        if requirement.marker is None or Marker(str(requirement.marker)).evaluate(IMAGE_PYTHON):
            [specifier] = requirement.specifier
            found[requirement.name] = (specifier.version, set(re.findall(r"--hash=(\S+)", line)))
    return found


def locked(name: str, version: str) -> set[str]:
    """The hashes that the lock has."""
    [package] = [one for one in LOCK["package"] if (one["name"], one["version"]) == (name, version)]
    return {file["hash"] for file in [*package.get("wheels", []), *filter(None, [package.get("sdist")])]}


@pytest.mark.parametrize("name", ["requirements.txt", "build-requirements.txt", "collections.txt"])
def test_versions_and_hashes_are_those_of_the_lock(name: str) -> None:
    packages = listed(name)
    assert packages
    for package, (version, hashes) in packages.items():
        assert hashes <= locked(package, version), package


@pytest.mark.parametrize(
    ("group", "name"),
    [("execution-environment-image", "requirements.txt"), ("execution-environment", "build-requirements.txt")],
)
def test_every_package_of_the_group_is_there_with_what_it_needs(group: str, name: str) -> None:
    packages = listed(name)
    assert {Requirement(text).name for text in GROUPS[group]} <= set(packages)
    for package, (version, _hashes) in packages.items():
        [entry] = [one for one in LOCK["package"] if (one["name"], one["version"]) == (package, version)]
        needed = [one["name"] for one in entry.get("dependencies", []) if _in_image(one.get("marker"))]
        assert set(needed) <= set(packages), package


def _in_image(marker: str | None) -> bool:
    linux = {**IMAGE_PYTHON, "sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}
    return marker is None or Marker(marker).evaluate(linux)


def test_the_collections_fit_ansible_core() -> None:
    """The package ansible says which ansible-core it was tested with."""
    [(version, _hashes)] = listed("collections.txt").values()
    [entry] = [one for one in LOCK["package"] if (one["name"], one["version"]) == ("ansible", version)]
    [core] = [one["version"] for one in entry["dependencies"] if one["name"] == "ansible-core"]
    assert listed("requirements.txt")["ansible-core"][0] == core


def test_its_steps_download_nothing_unguarded() -> None:
    definition = read_yaml(FOLDER / "execution-environment.yml")
    base = definition["images"]["base_image"]["name"]
    steps = definition["additional_build_steps"]
    text = "\n".join(
        [
            f"FROM {base} AS base",
            *steps["prepend_base"].splitlines(),
            "FROM base AS builder",
            *steps["append_builder"].splitlines(),
            "FROM base AS final",
            *steps["append_final"].splitlines(),
        ]
    )
    assert list(downloads.dockerfile_problems(text)) == []
    # From there on nothing that ansible-builder itself installs comes from an index.
    assert steps["prepend_base"].rstrip().endswith("ENV PIP_NO_INDEX=1")
    assert "galaxy" not in definition["dependencies"]


@pytest.fixture(scope="module")
def install_collections() -> ModuleType:
    spec = importlib.util.spec_from_file_location("install_collections", FOLDER / "install_collections.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    with zipfile.ZipFile(folder / "ansible-14.5.0-py3-none-any.whl", "w") as archive:
        for name in (
            "amazon/aws/MANIFEST.json",
            "amazon/aws/plugins/modules/x.py",
            "amazon/aws/docs/x.rst",
            "other/one/x.py",
        ):
            archive.writestr(f"ansible_collections/{name}", "{}")
        archive.writestr("ansible-14.5.0.dist-info/METADATA", "")
    return folder


def test_only_the_named_collections_are_unpacked(install_collections: ModuleType, wheels: Path, tmp_path: Path) -> None:
    assert install_collections.main([str(wheels), str(tmp_path / "out"), "amazon.aws"]) == 0
    files = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    folder = "ansible_collections/amazon/aws"
    assert files == {f"{folder}/MANIFEST.json", f"{folder}/plugins/modules/x.py"}


def test_a_collection_that_is_not_in_it_is_an_error(
    install_collections: ModuleType, wheels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert install_collections.main([str(wheels), str(tmp_path / "out"), "amazon.aw"]) == 1
    assert "has no collection amazon.aw" in capsys.readouterr().err
