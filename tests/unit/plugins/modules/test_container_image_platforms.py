# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""container_image_platforms against images in the local AWS's ECR."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.image_platforms import PLATFORMS
from ansible_collections.sm2a.airflow.plugins.modules import container_image_platforms
from ansible_collections.sm2a.airflow.tests.support import images
from ansible_collections.sm2a.airflow.tests.support import modules as support

REGISTRY = f"{support.ACCOUNT}.dkr.ecr.{support.REGION}.amazonaws.com"
HEAVY = "airflow_worker_groups, group heavy"


@pytest.fixture
def aws_endpoint(local_aws_endpoint: str) -> str:
    """Files of an image cannot be downloaded from MiniStack as it is."""
    return local_aws_endpoint


@pytest.fixture
def repository(aws: Callable[[str], Any], aws_endpoint: str, unique_name: str) -> tuple[str, str]:
    """Where it is, and its name."""
    aws("ecr").create_repository(repositoryName=unique_name)
    return aws_endpoint, unique_name


def need(repository: tuple[str, str], digest: str, **architectures: str) -> dict[str, Any]:
    image = f"{REGISTRY}/{repository[1]}@{digest}"
    return {"option": "images_airflow_image", "image": image, "architectures": architectures}


def platforms(result: support.Result) -> list[list[str]]:
    assert not result["changed"]
    return [image["platforms"] for image in result["images"]]


@pytest.mark.parametrize("check", [False, True])
def test_an_image_with_what_its_tasks_need_passes(
    run_module: support.RunModule, repository: tuple[str, str], check: bool
) -> None:
    one = images.push_image(*repository, "arm64")
    both = images.push_index(*repository, ["arm64", "amd64"])
    needs = [need(repository, one, **{HEAVY: "ARM64"}), need(repository, both, **{HEAVY: "ARM64", "rest": "X86_64"})]
    result = run_module("container_image_platforms", {"images": needs}, check=check)
    assert platforms(result) == [["linux/arm64"], ["linux/amd64", "linux/arm64"]]


@pytest.mark.parametrize("as_index", [False, True])
@pytest.mark.parametrize(("built", "wanted"), [("amd64", "ARM64"), ("arm64", "X86_64")])
def test_an_image_without_it_is_refused(
    run_module: support.RunModule, repository: tuple[str, str], as_index: bool, built: str, wanted: str
) -> None:
    digest = images.push_index(*repository, [built]) if as_index else images.push_image(*repository, built)
    lacking = PLATFORMS[wanted]
    sentence = f"{wanted} needs {lacking}, but images_airflow_image was built for linux/{built} only"
    with pytest.raises(support.ModuleFailedError, match=f"Nothing was changed.*\n- {HEAVY}: {sentence}\nBuild"):
        run_module("container_image_platforms", {"images": [need(repository, digest, **{HEAVY: wanted})]})


def test_what_cannot_be_read_is_not_judged(
    run_module: support.RunModule, repository: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = f"sha256:{'0' * 64}"
    elsewhere = {**need(repository, absent, a="ARM64"), "image": f"registry.example.com/airflow@{absent}"}
    unknown = [elsewhere, need(repository, absent, a="ARM64"), need(("", "no/repository"), absent, a="ARM64")]
    result = run_module("container_image_platforms", {"images": unknown})
    assert platforms(result) == [[], [], []]
    assert "warnings" not in result

    def closed(_url: str) -> bytes:
        raise TimeoutError("https://signed.example.com/canary")

    monkeypatch.setattr(container_image_platforms, "fetch", closed)
    known = need(repository, images.push_image(*repository, "amd64"), a="ARM64")
    result = run_module("container_image_platforms", {"images": [known]})
    assert platforms(result) == [[]]
    assert "images_airflow_image: not checked for the architecture" in str(result["warnings"])
    assert "canary" not in str(result)


def test_an_architecture_that_ecs_does_not_have_is_named(
    run_module: support.RunModule, repository: tuple[str, str]
) -> None:
    with pytest.raises(support.ModuleFailedError, match="RISCV is none of X86_64, ARM64"):
        run_module("container_image_platforms", {"images": [need(repository, "sha256:0", a="RISCV")]})
