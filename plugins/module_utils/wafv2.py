# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""AWS WAF: the API calls of web ACLs for load balancers (scope REGIONAL), and the rules that they consist of."""

from __future__ import annotations

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import TagChange, call
from ansible_collections.sm2a.airflow.plugins.module_utils.common.create_once import create_once

SCOPE = "REGIONAL"
# Where Airflow takes passwords: the form of the login, and the tokens of programs.
LOGIN_PATH = "/auth/"
MISSING = ("WAFNonexistentItemException",)
# A load balancer on its way out protects itself to the last.
IN_USE_RETRIES = 15


@call("list web ACLs")
def find_summary(wafv2: Any, name: str) -> dict[str, Any] | None:
    """Name, Id, ARN and LockToken of the web ACL; None when there is none. boto3 has no paginator for the list."""
    request: dict[str, Any] = {"Scope": SCOPE, "Limit": 100}
    while True:
        answer = wafv2.list_web_acls(**request)
        for summary in answer["WebACLs"]:
            if summary["Name"] == name:
                return dict(summary)
        if not answer.get("NextMarker"):
            return None
        request["NextMarker"] = answer["NextMarker"]


@call("read the web ACL")
def get_web_acl(wafv2: Any, summary: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The web ACL, and the token that a change of it needs."""
    answer = wafv2.get_web_acl(Name=summary["Name"], Id=summary["Id"], Scope=SCOPE)
    return dict(answer["WebACL"]), str(answer["LockToken"])


@call("list the tags of the web ACL")
def tags_of(wafv2: Any, arn: str) -> dict[str, str]:
    """Tags as a dict."""
    found = wafv2.list_tags_for_resource(ResourceARN=arn)["TagInfoForResource"].get("TagList", [])
    return dict(boto3_tag_list_to_ansible_dict(found))


@call("create the web ACL")
def create_web_acl(wafv2: Any, name: str, settings: dict[str, Any], tags: dict[str, str]) -> str:
    """Create it; returns its ARN."""
    request = {"Name": name, "Scope": SCOPE, **settings}
    if tags:
        request["Tags"] = ansible_dict_to_boto3_tag_list(tags)
    made = create_once(
        wafv2,
        lambda: dict(wafv2.create_web_acl(**request)["Summary"]),
        lambda: find_summary(wafv2, name),
        ("WAFDuplicateItemException",),
    )
    return str(made["ARN"])


@call("change the web ACL")
def update_web_acl(wafv2: Any, summary: dict[str, Any], settings: dict[str, Any], lock_token: str) -> None:
    """Write all settings. After a lost reply the token is stale, and the web ACL has the settings."""
    try:
        wafv2.update_web_acl(Name=summary["Name"], Id=summary["Id"], Scope=SCOPE, LockToken=lock_token, **settings)
    except wafv2.exceptions.WAFOptimisticLockException:
        current, _token = get_web_acl(wafv2, summary)
        if any(without_empty_lists(current.get(key)) != wanted for key, wanted in settings.items()):
            raise


@call("change the tags of the web ACL")
def write_tags(wafv2: Any, arn: str, change: TagChange) -> None:
    """Remove and set tags."""
    if change.remove:
        wafv2.untag_resource(ResourceARN=arn, TagKeys=change.remove)
    if change.set:
        wafv2.tag_resource(ResourceARN=arn, Tags=ansible_dict_to_boto3_tag_list(change.set))


@call("delete the web ACL", missing=MISSING)
def delete_web_acl(wafv2: Any, summary: dict[str, Any]) -> None:
    """Delete it, waiting for a load balancer that is on its way out."""
    _acl, lock_token = get_web_acl(wafv2, summary)
    until_unused = AWSRetry.jittered_backoff(
        retries=IN_USE_RETRIES,
        delay=2,
        max_delay=15,
        catch_extra_error_codes=["WAFUnavailableEntityException", "WAFAssociatedItemException"],
    )
    until_unused(wafv2.delete_web_acl)(Name=summary["Name"], Id=summary["Id"], Scope=SCOPE, LockToken=lock_token)


@call("read the web ACL of the load balancer", missing=MISSING)
def associated(wafv2: Any, resource_arn: str) -> str | None:
    """ARN of the web ACL that protects the load balancer; None when none does."""
    acl = wafv2.get_web_acl_for_resource(ResourceArn=resource_arn).get("WebACL")
    return str(acl["ARN"]) if acl else None


@call("associate the web ACL with the load balancer")
def associate(wafv2: Any, resource_arn: str, web_acl_arn: str) -> None:
    """Protect the load balancer with this web ACL instead of another one."""
    wafv2.associate_web_acl(ResourceArn=resource_arn, WebACLArn=web_acl_arn)


@call("disassociate the web ACL from the load balancer", missing=MISSING)
def disassociate(wafv2: Any, resource_arn: str) -> None:
    """Leave the load balancer without a web ACL."""
    wafv2.disassociate_web_acl(ResourceArn=resource_arn)


def without_empty_lists(value: Any) -> Any:
    """The value without keys whose list is empty: AWS may or may not answer them."""
    if isinstance(value, dict):
        return {key: without_empty_lists(inner) for key, inner in value.items() if inner != []}
    return [without_empty_lists(inner) for inner in value] if isinstance(value, list) else value


def readable(value: Any) -> Any:
    """The value with texts instead of the bytes that boto3 takes and gives for search strings."""
    if isinstance(value, dict):
        return {key: readable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [readable(inner) for inner in value]
    return value.decode() if isinstance(value, bytes) else value


def visibility(metric: str) -> dict[str, Any]:
    """Metrics and samples of requests under this name."""
    return {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": metric}


def managed_rule_group(group: dict[str, Any], priority: int) -> dict[str, Any]:
    """A rule that applies a managed rule group; it only counts what ``count_only`` and ``count_rules`` name."""
    overrides = [{"Name": name, "ActionToUse": {"Count": {}}} for name in group["count_rules"]]
    statement = {"VendorName": group["vendor"], "Name": group["name"]}
    return {
        "Name": group["name"],
        "Priority": priority,
        "Statement": {
            "ManagedRuleGroupStatement": {**statement, **({"RuleActionOverrides": overrides} if overrides else {})}
        },
        "OverrideAction": {"Count": {}} if group["count_only"] else {"None": {}},
        "VisibilityConfig": visibility(group["name"]),
    }


def rate_limit(name: str, requests: int, only: dict[str, Any] | None = None) -> dict[str, Any]:
    """A rule, without a priority, that blocks an address that sends more requests than this within five minutes.

    ``only``: the statement that a request has to match to be counted and blocked.
    """
    statement = {"Limit": requests, "EvaluationWindowSec": 300, "AggregateKeyType": "IP"}
    return {
        "Name": name,
        "Statement": {"RateBasedStatement": {**statement, **({"ScopeDownStatement": only} if only else {})}},
        "Action": {"Block": {}},
        "VisibilityConfig": visibility(name),
    }


def posts_below(path: str) -> dict[str, Any]:
    """The statement that a request is a POST below a path, however the path is written."""
    # URL_DECODE and NORMALIZE_PATH: `/%61uth/` and `//x/../auth/` are the same path to many web servers.
    transformations = ["URL_DECODE", "NORMALIZE_PATH", "LOWERCASE"]
    return {
        "AndStatement": {
            "Statements": [
                byte_match({"Method": {}}, "EXACTLY", "POST", ["NONE"]),
                byte_match({"UriPath": {}}, "STARTS_WITH", path, transformations),
            ]
        }
    }


def byte_match(field: dict[str, Any], constraint: str, text: str, transformations: list[str]) -> dict[str, Any]:
    """The statement that a part of the request, transformed in this order, is or contains the text."""
    ordered = [{"Priority": priority, "Type": kind} for priority, kind in enumerate(transformations)]
    return {
        "ByteMatchStatement": {
            "SearchString": text.encode(),
            "FieldToMatch": field,
            "PositionalConstraint": constraint,
            "TextTransformations": ordered,
        }
    }


def settings_of(name: str, params: dict[str, Any]) -> dict[str, Any]:
    """All settings of a web ACL, from the options of the module, that allows what no rule blocks."""
    limits = []
    if params["login_rate_limit"]:
        limits.append(rate_limit("login-rate-limit", params["login_rate_limit"], posts_below(LOGIN_PATH)))
    if params["rate_limit"]:
        limits.append(rate_limit("rate-limit", params["rate_limit"]))
    groups = params["managed_rule_groups"]
    return {
        "DefaultAction": {"Allow": {}},
        "Rules": [
            # Priorities of the rule groups do not depend on the limits.
            *({**rule, "Priority": priority} for priority, rule in enumerate(limits)),
            *(managed_rule_group(group, priority) for priority, group in enumerate(groups, start=2)),
        ],
        "VisibilityConfig": visibility(name),
    }
