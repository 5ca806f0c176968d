# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules of the listeners of an Application Load Balancer: what they are, what they are to be, and the way there."""

from __future__ import annotations

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call, tag_change
from ansible_collections.sm2a.airflow.plugins.module_utils.common.create_once import create_once
from ansible_collections.sm2a.airflow.plugins.module_utils.elbv2 import actions
from ansible_collections.sm2a.airflow.plugins.module_utils.elbv2.api import describe_tags_of, write_tags

# A rule as the module's options have it, and as the diff shows it.
Options = dict[str, Any]
View = dict[str, Any]

OPTION: dict[str, Any] = {
    "type": "list",
    "elements": "dict",
    "options": {
        "priority": {"type": "int", "required": True},
        "path_patterns": {"type": "list", "elements": "str"},
        "host_names": {"type": "list", "elements": "str"},
        "status": {"type": "int"},
    },
    "required_one_of": [("path_patterns", "host_names")],
}
# option -> field of the condition, key of its values
CONDITIONS = {
    "host_names": ("host-header", "HostHeaderConfig"),
    "path_patterns": ("path-pattern", "PathPatternConfig"),
}


@call("describe the rules of a listener")
def describe_rules(elbv2: Any, listener_arn: str) -> dict[str, dict[str, Any]]:
    """Rules by priority, without the default one, which is the listener's own action."""
    pages = elbv2.get_paginator("describe_rules").paginate(ListenerArn=listener_arn).build_full_result()
    return {rule["Priority"]: rule for rule in pages["Rules"] if not rule.get("IsDefault")}


@call("create a rule of a listener")
def create_rule(elbv2: Any, listener_arn: str, request: dict[str, Any], tags: dict[str, str]) -> None:
    """Create a rule at the request's priority."""
    tagged = {**request, "Tags": ansible_dict_to_boto3_tag_list(tags)} if tags else request
    create_once(
        elbv2,
        lambda: dict(elbv2.create_rule(ListenerArn=listener_arn, **tagged)["Rules"][0]),
        lambda: describe_rules(elbv2, listener_arn).get(str(request["Priority"])),
        ("PriorityInUse",),
    )


@call("change a rule of a listener")
def modify_rule(elbv2: Any, rule_arn: str, request: dict[str, Any]) -> None:
    """Write conditions and actions; the priority stays."""
    elbv2.modify_rule(RuleArn=rule_arn, Conditions=request["Conditions"], Actions=request["Actions"])


@call("delete a rule of a listener", missing=("RuleNotFound",))
def delete_rule(elbv2: Any, rule_arn: str) -> None:
    """Fine when it is gone."""
    elbv2.delete_rule(RuleArn=rule_arn)


def request(rule: Options, target_group_arn: str | None) -> dict[str, Any]:
    """A rule of the options as the API wants it; AnsibleAWSError when it has nothing to do with a request."""
    if rule["status"] is not None:
        action = actions.fixed_response(rule["status"])
    elif target_group_arn:
        action = actions.forward(target_group_arn)
    else:
        message = f"Rule {rule['priority']} needs a status: its listener has no default target group"
        raise AnsibleAWSError(message=message)
    conditions = [
        {"Field": field, key: {"Values": rule[option]}} for option, (field, key) in CONDITIONS.items() if rule[option]
    ]
    return {"Priority": rule["priority"], "Conditions": conditions, "Actions": [action]}


def view(rule: dict[str, Any]) -> View:
    """What is compared of a rule, whether of a request or of an answer."""
    keys = dict(CONDITIONS.values())
    conditions = {
        one["Field"]: one.get(keys.get(one["Field"], ""), {}).get("Values") or one.get("Values", [])
        for one in rule["Conditions"]
    }
    return {"conditions": conditions, "actions": actions.view(rule["Actions"])}


def plan(listener: Options, held: dict[str, View], params: dict[str, Any]) -> dict[str, View]:
    """What the rules of a listener's options are to look like by priority; ``held`` is what they look like now."""
    planned = {}
    for rule in listener["rules"]:
        priority = str(rule["priority"])
        tags = tag_change(held.get(priority, {}).get("tags", {}), params["tags"], params["purge_tags"]).result
        planned[priority] = {**view(request(rule, listener["target_group_arn"])), "tags": tags}
    return planned


def ensure(elbv2: Any, listener_arn: str, listener: Options, after: dict[str, View]) -> None:
    """Create and change the rules of the listener's options."""
    current = describe_rules(elbv2, listener_arn)
    tags = describe_tags_of(elbv2, [rule["RuleArn"] for rule in current.values()])
    for rule in listener["rules"]:
        wanted, priority = request(rule, listener["target_group_arn"]), str(rule["priority"])
        held = current.get(priority)
        if held is None:
            create_rule(elbv2, listener_arn, wanted, after[priority]["tags"])
            continue
        if view(held) != view(wanted):
            modify_rule(elbv2, held["RuleArn"], wanted)
        change = tag_change(tags[held["RuleArn"]], after[priority]["tags"], purge=True)
        if change:
            write_tags(elbv2, held["RuleArn"], change)


def purge(elbv2: Any, listener_arn: str, listener: Options) -> None:
    """Remove the rules that the listener's options do not have."""
    wanted = {str(rule["priority"]) for rule in listener["rules"]}
    for priority, held in describe_rules(elbv2, listener_arn).items():
        if priority not in wanted:
            delete_rule(elbv2, held["RuleArn"])
