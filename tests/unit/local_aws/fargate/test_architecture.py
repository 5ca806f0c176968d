# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether an image runs on the architecture of a task."""

from __future__ import annotations

from typing import Any

import pytest
from ministack.services import ecs
from sm2a_local_aws.fargate import architecture


@pytest.mark.parametrize(
    ("platform", "wanted"),
    [({}, "amd64"), ({"runtimePlatform": {"cpuArchitecture": "ARM64"}}, "arm64"), ({"runtimePlatform": {}}, "amd64")],
)
def test_a_task_has_the_architecture_of_its_definition(
    monkeypatch: pytest.MonkeyPatch, platform: dict[str, Any], wanted: str
) -> None:
    arn = "arn:aws:ecs:eu-west-1:000000000000:task-definition/job:1"
    monkeypatch.setattr(ecs, "_tasks", {"task": {"taskDefinitionArn": arn}})
    monkeypatch.setattr(ecs, "_task_defs", {"job:1": platform})
    assert architecture.of_task("task") == wanted


def test_an_image_of_another_architecture_is_refused_in_the_words_of_aws() -> None:
    refusal = architecture.refusal({"Architecture": "amd64"}, "arm64")
    assert refusal == "image Manifest does not contain descriptor matching platform 'linux/arm64'"
    assert architecture.refusal({"Architecture": "arm64"}, "arm64") is None
    assert architecture.refusal({"Architecture": ""}, "amd64") is None
