# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which image the engine runs, and how."""

from __future__ import annotations

from typing import Any

import pytest
from docker.errors import APIError
from sm2a_local_aws import settings
from sm2a_local_aws.fargate import images


def test_ecr_images_are_taken_from_the_local_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "_current", [settings.Settings(port=4999)])
    ecr = "000000000000.dkr.ecr.eu-west-1.amazonaws.com/sm2a/airflow@sha256:12"
    assert images.engine_reference(ecr) == "127.0.0.1:4999/sm2a/airflow@sha256:12"
    assert images.engine_reference("docker.io/library/debian") == "docker.io/library/debian"


class EngineWithoutInit:
    """An engine whose containers.create refuses an init process, as podman does without catatonit."""

    def __init__(self) -> None:
        self.containers = self

    def create(self, _image: str, **options: Any) -> dict[str, Any]:
        if options.get("init"):
            raise APIError("500", explanation="container-init binary not found on the host: stat /x: no such file")
        if options["name"] == "broken":
            raise APIError("500", explanation="no space left on device")
        return options


def test_task_runs_without_init_where_the_engine_has_none() -> None:
    assert images._create(EngineWithoutInit(), "image", {"name": "a", "init": True})["init"] is False
    with pytest.raises(APIError, match="no space left"):
        images._create(EngineWithoutInit(), "image", {"name": "broken"})
