# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""API calls that the load balancer and target group modules share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import TagChange, call
from ansible_collections.sm2a.airflow.plugins.module_utils.common.placeholders import placeholder_arn

TAGS_AT_ONCE = 20
# What ends the ARN of a load balancer or target group, made up.
PLACEHOLDER_END = "0" * 16


@call("describe the load balancer", missing=("LoadBalancerNotFound",))
def describe_load_balancer(elbv2: Any, name: str) -> dict[str, Any] | None:
    """The load balancer as the API answers it; None when absent."""
    found = elbv2.describe_load_balancers(Names=[name])["LoadBalancers"]
    return dict(found[0]) if found else None


@call("describe the target group", missing=("TargetGroupNotFound",))
def describe_target_group(elbv2: Any, name: str) -> dict[str, Any] | None:
    """The target group as the API answers it; None when absent."""
    found = elbv2.describe_target_groups(Names=[name])["TargetGroups"]
    return dict(found[0]) if found else None


@call("describe the listeners of the load balancer")
def describe_listeners(elbv2: Any, arn: str) -> dict[int, dict[str, Any]]:
    """The listeners of a load balancer by port."""
    pages = elbv2.get_paginator("describe_listeners").paginate(LoadBalancerArn=arn).build_full_result()
    return {listener["Port"]: listener for listener in pages["Listeners"]}


def load_balancer_placeholder_arn(elbv2: Any, name: str) -> str:
    """An ARN of the right shape for a load balancer that does not exist yet."""
    return placeholder_arn(elbv2, f"loadbalancer/app/{name}/{PLACEHOLDER_END}")


def target_group_placeholder_arn(elbv2: Any, name: str) -> str:
    """An ARN of the right shape for a target group that does not exist yet."""
    return placeholder_arn(elbv2, f"targetgroup/{name}/{PLACEHOLDER_END}")


def target_groups_of(actions: Iterable[dict[str, Any]]) -> list[str]:
    """ARNs of the target groups to which actions forward; AWS names them in either of two places."""
    arns: list[str] = []
    for action in actions:
        groups = [group["TargetGroupArn"] for group in action.get("ForwardConfig", {}).get("TargetGroups", [])]
        arns += groups or [arn for arn in [action.get("TargetGroupArn")] if arn]
    return arns


@call("describe the tags")
def describe_tags_of(elbv2: Any, arns: list[str]) -> dict[str, dict[str, str]]:
    """Tags of load balancers, target groups, listeners and rules by ARN."""
    found = {}
    for start in range(0, len(arns), TAGS_AT_ONCE):
        for one in elbv2.describe_tags(ResourceArns=arns[start : start + TAGS_AT_ONCE])["TagDescriptions"]:
            found[one["ResourceArn"]] = dict(boto3_tag_list_to_ansible_dict(one["Tags"]))
    return found


def describe_tags(elbv2: Any, arn: str) -> dict[str, str]:
    """Tags of one of them."""
    return describe_tags_of(elbv2, [arn])[arn]


@call("change the tags")
def write_tags(elbv2: Any, arn: str, change: TagChange) -> None:
    """Remove and set tags of a load balancer, target group, listener or rule."""
    if change.remove:
        elbv2.remove_tags(ResourceArns=[arn], TagKeys=change.remove)
    if change.set:
        elbv2.add_tags(ResourceArns=[arn], Tags=ansible_dict_to_boto3_tag_list(change.set))
