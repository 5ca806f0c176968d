# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ecr_repository against the emulator's ECR."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support import modules as support

MANIFEST = json.dumps({"schemaVersion": 2, "config": {}, "layers": []})
POLICY = {
    "rules": [
        {
            "rulePriority": 1,
            "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 20},
            "action": {"type": "expire"},
        }
    ]
}


@pytest.fixture
def ecr(aws: Callable[[str], Any]) -> Any:
    return aws("ecr")


def names_in(ecr: Any, *names: str) -> list[str]:
    """Those of ``names`` that exist."""
    found = [repository["repositoryName"] for repository in ecr.describe_repositories()["repositories"]]
    return sorted(set(found) & set(names))


def test_ladder(ladder: Callable[..., support.Ladder], ecr: Any, unique_name: str) -> None:
    names = [f"{unique_name}/airflow", f"{unique_name}/autoscaler"]
    present = {
        "names": names,
        "image_tag_mutability": "IMMUTABLE",
        "scan_on_push": True,
        "lifecycle_policy": POLICY,
        "tags": {"team": "data"},
    }
    rungs = ladder("ecr_repository", present, {"names": names, "state": "absent"}, lambda: names_in(ecr, *names))

    predicted, applied = rungs.predicted["repositories"], rungs.applied["repositories"]
    assert predicted == applied, "check mode predicts exactly what is made"
    assert applied[0]["uri"] == f"{support.ACCOUNT}.dkr.ecr.{support.REGION}.amazonaws.com/{names[0]}"
    assert applied[0]["lifecycle_policy"] == POLICY
    assert applied[0]["image_tag_mutability"] == "IMMUTABLE"
    assert applied[0]["tags"] == {"team": "data"}


@pytest.mark.parametrize(
    ("option", "first", "second"),
    [
        ("image_tag_mutability", "MUTABLE", "IMMUTABLE"),
        ("scan_on_push", False, True),
        ("lifecycle_policy", POLICY, {}),
        ("tags", {"a": "1", "b": "2"}, {"a": "3"}),
    ],
)
def test_change_is_predicted_made_and_kept(
    run_module: support.RunModule, unique_name: str, option: str, first: Any, second: Any
) -> None:
    run_module("ecr_repository", {"names": [unique_name], option: first})
    args = {"names": [unique_name], option: second}
    predicted = run_module("ecr_repository", args, check=True)
    applied = run_module("ecr_repository", args)
    assert predicted["changed"] and applied["changed"]
    assert predicted["repositories"] == applied["repositories"]
    support.assert_diff(applied)
    repeated = run_module("ecr_repository", args)
    assert not repeated["changed"]
    assert repeated["repositories"][0][option] == second


def test_unset_options_are_left_alone(run_module: support.RunModule, unique_name: str) -> None:
    made = run_module(
        "ecr_repository",
        {"names": [unique_name], "image_tag_mutability": "IMMUTABLE", "scan_on_push": True, "lifecycle_policy": POLICY},
    )
    again = run_module("ecr_repository", {"names": [unique_name]})
    assert not again["changed"]
    assert {**again["repositories"][0], "changed": True} == made["repositories"][0]


def test_images_are_deleted_only_by_force(run_module: support.RunModule, ecr: Any, unique_name: str) -> None:
    run_module("ecr_repository", {"names": [unique_name]})
    ecr.put_image(repositoryName=unique_name, imageManifest=MANIFEST, imageTag="one")
    absent = {"names": [unique_name], "state": "absent"}
    for check in (True, False):
        with pytest.raises(support.ModuleFailedError, match="holds images; set force"):
            run_module("ecr_repository", absent, check=check)
    assert names_in(ecr, unique_name)
    assert run_module("ecr_repository", {**absent, "force": True})["changed"]
    assert not names_in(ecr, unique_name)


def test_key_of_an_existing_repository_cannot_change(run_module: support.RunModule, unique_name: str) -> None:
    key = "arn:aws:kms:eu-west-1:000000000000:key/11111111-1111-1111-1111-111111111111"
    args = {"names": [unique_name], "kms_key": key}
    assert run_module("ecr_repository", args)["repositories"][0]["kms_key"] == key
    assert not run_module("ecr_repository", args)["changed"]
    with pytest.raises(support.ModuleFailedError, match="AWS cannot change"):
        run_module("ecr_repository", {"names": [unique_name], "kms_key": key.replace("1111", "2222")})


def test_info_reads_the_repositories(run_module: support.RunModule, unique_name: str) -> None:
    args = {"names": [unique_name], "scan_on_push": True, "lifecycle_policy": POLICY}
    asked = {"names": [unique_name]}
    [made_up] = support.placeholders(run_module, "ecr_repository_info", asked, "repositories")
    [predicted] = run_module("ecr_repository", args, check=True)["repositories"]
    assert (made_up["uri"], made_up["arn"]) == (predicted["uri"], predicted["arn"])
    [made] = run_module("ecr_repository", args)["repositories"]
    [read] = run_module("ecr_repository_info", asked)["repositories"]
    assert {**read, "changed": True} == {**made, "exists": True}
