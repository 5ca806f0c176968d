# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""tools.execution_environment: what it asks of ansible-builder, and what it says where it cannot."""

from __future__ import annotations

import shlex
from itertools import pairwise
from pathlib import Path

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.engine import Engine
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.image_build import Image
from ansible_collections.sm2a.airflow.tools import execution_environment as program

DIGEST = f"registry.example.com/debian@sha256:{'1' * 64}"


def image(*platforms: str) -> Image:
    return Image("execution-environment", "localhost/x", "1", "", [], "", platforms=platforms)


def options_of(command: list[str], name: str) -> list[str]:
    """The values of an option of a command line."""
    return [value for option, value in pairwise(command) if option == name]


@pytest.fixture
def ca_bundle(tmp_path: Path) -> Path:
    file = tmp_path / "certificates of the company.pem"
    file.write_text("certificates\n", encoding="utf-8")
    return file


def test_certificates_are_a_secret_of_the_build(ca_bundle: Path) -> None:
    command = program.builder_command(Engine("podman"), image(), DIGEST, ca_bundle, {"VERSION": "0.1.0"})
    assert options_of(command, "--container-runtime") == ["podman"]
    assert options_of(command, "--tag") == ["localhost/x:1"]
    assert options_of(command, "--build-arg") == [f"EE_BASE_IMAGE={DIGEST}", "VERSION=0.1.0"]
    [more] = options_of(command, "--extra-build-cli-args")
    assert shlex.split(more) == ["--secret", f"id=ca_bundle,src={ca_bundle}"]


def test_a_machine_without_a_bundle_builds_without(tmp_path: Path) -> None:
    command = program.builder_command(Engine("docker"), image(), DIGEST, tmp_path / "none", {})
    assert options_of(command, "--extra-build-cli-args") == [""]


def test_another_platform_takes_its_own_base_image(tmp_path: Path) -> None:
    command = program.builder_command(Engine("docker"), image("linux/arm64"), DIGEST, tmp_path / "none", {})
    [more] = options_of(command, "--extra-build-cli-args")
    assert shlex.split(more) == ["--platform", "linux/arm64", "--pull"]


def test_without_an_engine_it_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("shutil.which", lambda *_arguments, **_options: None)
    assert program.main(["--sbom-directory", str(tmp_path), "--log", str(tmp_path / "log")]) == 1
    assert "No container engine found" in capsys.readouterr().err


def test_a_base_image_by_a_mere_tag_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "find_engine", lambda _wanted: Engine("podman"))
    monkeypatch.setattr(program, "require_free_space", lambda *_arguments: None)
    monkeypatch.setattr(Engine, "storage", lambda _self: str(tmp_path))
    assert program.main(["--base-image", "docker.io/library/debian:trixie", "--log", str(tmp_path / "log")]) == 1
    assert "must be given by digest" in capsys.readouterr().err
