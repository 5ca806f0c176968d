# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""site.yml refuses given images that lack the architecture of a task before its first change."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs
from ansible_collections.sm2a.airflow.tests.support import images

REPOSITORY = "team/airflow"
REGISTRY = f"000000000000.dkr.ecr.{runs.REGION}.amazonaws.com"
HEAVY = {"name": "heavy", "queue": "heavy", **runs.GROUP_SIZE, "cpu_architecture": "ARM64"}


@pytest.fixture(scope="module")
def repository(control_plane: runs.ControlPlane) -> str:
    control_plane.client("ecr").create_repository(repositoryName=REPOSITORY)
    return REPOSITORY


@pytest.mark.parametrize(
    ("built", "options", "sentence"),
    [
        (
            "amd64",
            {"airflow_worker_groups": [runs.DEFAULT_GROUP, HEAVY]},
            "- image_platforms: airflow_worker_groups, group heavy: ARM64 needs linux/arm64, but "
            "images_airflow_image was built for linux/amd64 only.",
        ),
        (
            "arm64",
            {"airflow_worker_groups": [HEAVY]},
            "- image_platforms: airflow_cpu_architecture: X86_64 needs linux/amd64, but "
            "images_airflow_image was built for linux/arm64 only.",
        ),
    ],
)
def test_a_worker_group_of_another_architecture_is_refused(
    control_plane: runs.ControlPlane, repository: str, built: str, options: dict[str, Any], sentence: str
) -> None:
    digest = images.push_image(control_plane.endpoint, repository, built)
    image = {"images_airflow_image": f"{REGISTRY}/{repository}@{digest}"}
    run = control_plane.play("site", extra={**image, **options})
    assert run.code != 0
    assert sentence in run.message.splitlines()
    assert run.changed == []
