#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
---
module: cloudwatchlogs_log_groups
version_added: 0.1.0
short_description: Manage CloudWatch log groups
description:
  - Create, update and delete several log groups in one go, all with the same retention, key and tags.
  - An option that is not set is left as it is; an option that is set is enforced.
  - Unlike M(amazon.aws.cloudwatchlogs_log_group) it changes nothing in check mode, shows a diff, gives a key to a
    group that has none, keeps the events of a group whose options change, and survives a lost reply.
author:
  - SM2A contributors (@sm2a)
options:
  names:
    description: Names of the log groups.
    type: list
    elements: str
    required: true
  retention_in_days:
    description: How long events are kept; V(0) means for ever.
    type: int
    choices:
      [0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]
  kms_key_arn:
    description: KMS key that encrypts new events; an empty string takes it away.
    type: str
  state:
    description: Whether the log groups exist. V(absent) deletes their events.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
  - sm2a.airflow.attributes
  - sm2a.airflow.state
"""

EXAMPLES = r"""
- name: Two log groups
  sm2a.airflow.cloudwatchlogs_log_groups:
    names: [/analytics/web, /analytics/worker]
    retention_in_days: 30
    tags:
      team: data

- name: No such log group
  sm2a.airflow.cloudwatchlogs_log_groups:
    names: [/analytics/web]
    state: absent
"""

RETURN = r"""
log_groups:
  description: One entry per log group, in the order given.
  type: list
  elements: dict
  returned: always
  contains:
    name:
      description: Name of the log group.
      type: str
    changed:
      description: Whether this log group changed.
      type: bool
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import (
    STATE_OPTION,
    TAG_OPTIONS,
    TagChange,
    call,
    client,
    exit_with,
    tag_change,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.common.results import Outcome, joint_result


@call("read log groups")
def describe_log_groups(logs: Any, names: list[str]) -> dict[str, dict[str, Any]]:
    """Existing log groups of these names: ``arn``, ``retention_in_days`` (0 or days), ``kms_key_arn`` and ``tags``."""
    paginator = logs.get_paginator("describe_log_groups")
    groups = [
        group
        for name in names
        for page in paginator.paginate(logGroupNamePrefix=name)
        for group in page["logGroups"]
        if group["logGroupName"] == name
    ]
    found = {}
    for group in groups:
        # Tags belong to the ARN without the :* that stands for the streams.
        arn = group["arn"].removesuffix(":*")
        found[group["logGroupName"]] = {
            "arn": arn,
            "retention_in_days": group.get("retentionInDays", 0),
            "kms_key_arn": group.get("kmsKeyId", ""),
            "tags": logs.list_tags_for_resource(resourceArn=arn)["tags"],
        }
    return found


@call("create a log group", missing=("ResourceAlreadyExistsException",))
def create_log_group(logs: Any, name: str, kms_key_arn: str, tags: dict[str, str]) -> None:
    """Create a log group; one that a lost answer left behind is taken as it is."""
    members: dict[str, Any] = {"tags": tags} if tags else {}
    if kms_key_arn:
        members["kmsKeyId"] = kms_key_arn
    logs.create_log_group(logGroupName=name, **members)


@call("set the retention of a log group")
def set_retention(logs: Any, name: str, days: int) -> None:
    """Set the retention; 0 removes it."""
    if days:
        logs.put_retention_policy(logGroupName=name, retentionInDays=days)
    else:
        logs.delete_retention_policy(logGroupName=name)


@call("set the KMS key of a log group")
def set_key(logs: Any, name: str, arn: str) -> None:
    """Set the key; an empty ARN removes it."""
    if arn:
        logs.associate_kms_key(logGroupName=name, kmsKeyId=arn)
    else:
        logs.disassociate_kms_key(logGroupName=name)


@call("tag a log group")
def set_tags(logs: Any, arn: str, change: TagChange) -> None:
    """Set and remove tags."""
    if change.remove:
        logs.untag_resource(resourceArn=arn, tagKeys=change.remove)
    if change.set:
        logs.tag_resource(resourceArn=arn, tags=change.set)


@call("delete a log group", missing=("ResourceNotFoundException",))
def delete_log_group(logs: Any, name: str) -> None:
    """Delete a log group and its events."""
    logs.delete_log_group(logGroupName=name)


def ensure_present(
    logs: Any, params: dict[str, Any], name: str, current: dict[str, Any] | None, check_mode: bool
) -> Outcome:
    """Create the log group when missing, then enforce what is declared."""
    declared = {key: params[key] for key in ("retention_in_days", "kms_key_arn") if params[key] is not None}
    before = {key: value for key, value in (current or {}).items() if key != "arn"}
    existing = before or {"retention_in_days": 0, "kms_key_arn": "", "tags": {}}
    tags = tag_change(existing["tags"], params["tags"], params["purge_tags"])
    after = existing | declared | {"tags": tags.result}
    if not check_mode:
        if current is None:
            create_log_group(logs, name, after["kms_key_arn"], after["tags"])
        elif after["kms_key_arn"] != existing["kms_key_arn"]:
            set_key(logs, name, after["kms_key_arn"])
        if after["retention_in_days"] != existing["retention_in_days"]:
            set_retention(logs, name, after["retention_in_days"])
        if current is not None and tags:
            set_tags(logs, current["arn"], tags)
    return Outcome(after != before, before, after)


def ensure_absent(logs: Any, name: str, current: dict[str, Any] | None, check_mode: bool) -> Outcome:
    """Delete the log group when it exists."""
    if current is not None and not check_mode:
        delete_log_group(logs, name)
    return Outcome(current is not None, current or {}, {})


def run(logs: Any, params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Every log group in turn."""
    existing = describe_log_groups(logs, params["names"])
    outcomes = {}
    for name in params["names"]:
        if params["state"] == "present":
            outcomes[name] = ensure_present(logs, params, name, existing.get(name), check_mode)
        else:
            outcomes[name] = ensure_absent(logs, name, existing.get(name), check_mode)
    groups = [{"name": name, "changed": outcome.changed} for name, outcome in outcomes.items()]
    return joint_result(outcomes, log_groups=groups)


def main() -> None:
    """Manage the log groups."""
    days = [0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]
    module = AnsibleAWSModule(
        argument_spec={
            "names": {"type": "list", "elements": "str", "required": True},
            "retention_in_days": {"type": "int", "choices": days},
            "kms_key_arn": {"type": "str", "no_log": False},
            **STATE_OPTION,
            **TAG_OPTIONS,
        },
        supports_check_mode=True,
    )
    exit_with(module, lambda: run(client(module, "logs"), module.params, module.check_mode))


if __name__ == "__main__":
    main()
