# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The test of DAGs before a push, with a container engine of paper."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tools import check_dags

# Has two images of SM2A, writes each `run` down, and ends it with the status in a file beside it.
ENGINE = """#!/bin/sh
case "$1" in
    images) cat {folder}/images;;
    run) echo "$@" >> {folder}/runs
        case "$*" in *" cat "*requirements.txt) echo pandas;; *" cat "*) ;; *) exit $(cat {folder}/status);; esac;;
esac
"""
REPOSITORY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/staging"
IMAGE = f"{REPOSITORY}/airflow:sha-2"


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the engine."""
    folder = tmp_path / "engine"
    (folder / "bin").mkdir(parents=True)
    (folder / "images").write_text(f"{REPOSITORY}/autoscaler:sha-3\n{IMAGE}\n{REPOSITORY}/airflow:sha-1\n")
    (folder / "status").write_text("0")
    (folder / "runs").touch()
    program = folder / "bin/podman"
    program.write_text(ENGINE.format(folder=folder), encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("dags", "plugins", "environments"):
        (tmp_path / "project" / name).mkdir(parents=True)
    return tmp_path / "project"


def check(project: Path, *options: str) -> int:
    return check_dags.main([str(project), "--engine", "podman", *options])


def test_dags_and_plugins_take_the_place_of_those_of_the_newest_image(engine: Path, project: Path) -> None:
    assert check(project) == 0
    [run] = (engine / "runs").read_text().splitlines()
    assert f"--volume {project}/dags:/opt/airflow/dags:ro --volume {project}/plugins:/opt/airflow/plugins:ro" in run
    assert run.endswith(f" {IMAGE} python -m sm2a_runtime.import_test")
    assert {"--rm", "--read-only", "none"} <= set(run.split())


def test_paths_are_those_of_the_image() -> None:
    copied = (PROJECT / "docker/airflow/Dockerfile").read_text(encoding="utf-8")
    for name in check_dags.MOUNTED:
        assert f"COPY docker/airflow/project/{name} {check_dags.HOME}/{name}\n" in copied
    for name in check_dags.BUILT_IN:
        assert f"docker/airflow/project/{name}" in copied
    assert f" {check_dags.HOME}/project/\n" in copied


def test_another_image_and_other_queues_can_be_named(engine: Path, project: Path) -> None:
    assert check(project, "--image", "mine:1", "--queues", "default large") == 0
    assert (engine / "runs").read_text().endswith(" mine:1 python -m sm2a_runtime.import_test --queues default large\n")


def test_a_failure_says_when_the_image_has_other_packages(
    engine: Path, project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (engine / "status").write_text("1")
    assert check(project) == 1
    assert "is not the one that the image was built with" not in capfd.readouterr().err
    (project / "requirements.txt").write_text("pandas\r\n")
    assert check(project) == 1
    assert "is not the one that the image was built with" not in capfd.readouterr().err
    (project / "requirements.txt").write_text("pandas\npolars\n")
    assert check(project) == 1
    said = capfd.readouterr().err
    assert "requirements.txt is not the one that the image was built with: run site.yml to build it\n" in said
    assert "packages.txt" not in said


def test_without_an_image_it_says_how_to_get_one(
    engine: Path, project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (engine / "images").write_text(f"{REPOSITORY}/autoscaler:sha-3\n")
    assert check(project) == 2
    assert "A run of site.yml (or `make up`) builds one" in capfd.readouterr().err


def test_a_directory_without_dags_is_no_project(engine: Path, project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert check(project / "dags") == 2
    assert f"{project}/dags has no folder dags" in capfd.readouterr().err
    assert (engine / "runs").read_text() == ""
