# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""playbooks/build_images.yml where nothing is to be built: it names the images and gives the lock back."""

from __future__ import annotations

import pytest
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs
from ansible_collections.sm2a.airflow.tests.support.role_files import read_yaml

VARIABLES = read_yaml(runs.HERE / "inventory.yml")["sm2a"]["vars"]
IMAGES = ("images_airflow_image", "images_autoscaler_image")
BUCKET = "sm2a.airflow.run_lock : Create the bucket of the lock"


@pytest.mark.parametrize(("options", "changed"), [(["--check"], [BUCKET]), ([], [BUCKET]), ([], [])])
def test_given_images_are_named_and_none_is_built(
    control_plane: runs.ControlPlane, options: list[str], changed: list[str]
) -> None:
    run = control_plane.play("build_images", *options)
    assert (run.code, run.changed) == (0, changed), run.end()
    for name in IMAGES:
        assert f"{name}: {VARIABLES[name]}" in run.output
    assert control_plane.client("ecr").describe_repositories()["repositories"] == []
    buckets = control_plane.client("s3").list_buckets()["Buckets"]
    locks = [control_plane.client("s3").list_objects_v2(Bucket=one["Name"]).get("KeyCount") for one in buckets]
    assert set(locks) <= {0}


def test_wrong_variables_are_refused(control_plane: runs.ControlPlane) -> None:
    run = control_plane.play("build_images", extra={"images_platforms": ["linux/s390x"]})
    assert run.code == 2
    assert "images_platforms" in run.message
    assert run.changed == []
