# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""cloudwatchlogs_log_groups against the emulator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support.modules import Ladder, RunModule

Aws = Callable[[str], Any]
MODULE = "cloudwatchlogs_log_groups"


def key(aws: Aws) -> str:
    """ARN of a new KMS key."""
    return str(aws("kms").create_key()["KeyMetadata"]["Arn"])


def describe(aws: Aws, prefix: str) -> list[dict[str, Any]]:
    """The log groups below a prefix in the API's own words."""
    logs = aws("logs")
    found = []
    for group in logs.describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]:
        tags = logs.list_tags_for_resource(resourceArn=group["arn"].removesuffix(":*"))["tags"]
        kept = {name: group.get(name) for name in ("logGroupName", "retentionInDays", "kmsKeyId")}
        found.append({**kept, "tags": tags})
    return found


def test_ladder_of_two_groups(ladder: Callable[..., Ladder], aws: Aws, unique_name: str) -> None:
    names = [f"/{unique_name}/web", f"/{unique_name}/worker"]
    arn = key(aws)
    args = {"names": names, "retention_in_days": 30, "kms_key_arn": arn, "tags": {"team": "data"}}
    ladder(MODULE, args, {"names": names, "state": "absent"}, lambda: describe(aws, f"/{unique_name}/"))


@pytest.mark.parametrize("option", ["retention_in_days", "tags", "names"])
def test_every_option_is_compared_and_enforced(run_module: RunModule, aws: Aws, unique_name: str, option: str) -> None:
    names = [f"/{unique_name}/web", f"/{unique_name}/worker"]
    args = {"names": names, "retention_in_days": 30, "kms_key_arn": key(aws), "tags": {"team": "data"}}
    run_module(MODULE, args)
    before = describe(aws, f"/{unique_name}/")
    changes = {
        "retention_in_days": 0,
        "tags": {"team": "other"},
        "names": [*names, f"/{unique_name}/x"],
    }
    changed = {**args, option: changes[option]}
    assert run_module(MODULE, changed, check=True)["changed"]
    assert describe(aws, f"/{unique_name}/") == before
    assert run_module(MODULE, changed)["changed"]
    assert describe(aws, f"/{unique_name}/") != before
    assert not run_module(MODULE, changed)["changed"]
    assert not run_module(MODULE, {"names": names})["changed"], "unset options were not left alone"


def test_a_group_whose_name_only_begins_alike_is_left_alone(run_module: RunModule, aws: Aws, unique_name: str) -> None:
    names = [f"/{unique_name}", f"/{unique_name}-longer"]
    run_module(MODULE, {"names": names})
    run_module(MODULE, {"names": names[:1], "state": "absent"})
    assert [group["logGroupName"] for group in describe(aws, f"/{unique_name}")] == names[1:]


def test_another_key_is_set(run_module: RunModule, aws: Aws, unique_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The emulator knows no AssociateKmsKey.
    calls: list[tuple[str, str]] = []

    def record(_logs: Any, name: str, arn: str) -> None:
        calls.append((name, arn))

    monkeypatch.setattr(f"ansible_collections.sm2a.airflow.plugins.modules.{MODULE}.set_key", record)
    args = {"names": [f"/{unique_name}"], "kms_key_arn": key(aws)}
    run_module(MODULE, args)
    assert not run_module(MODULE, args)["changed"]
    other = key(aws)
    assert run_module(MODULE, {**args, "kms_key_arn": other}, check=True)["changed"]
    assert calls == []
    assert run_module(MODULE, {**args, "kms_key_arn": other})["changed"]
    assert run_module(MODULE, {**args, "kms_key_arn": ""})["changed"]
    assert calls == [(f"/{unique_name}", other), (f"/{unique_name}", "")]
