#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ec2_flow_logs
version_added: 0.1.0
short_description: Manage the flow log of a VPC
description:
  - Manages one flow log, which records the IP traffic of a VPC in a CloudWatch log group.
  - AWS cannot change a flow log. When an option differs, a new one is created and the former one deleted after it.
author:
  - SM2A contributors (@sm2a)
options:
  name:
    description:
      - Name tag of the flow log.
    type: str
    required: true
  lookup_tags:
    description:
      - Tags that the flow log must carry besides its name to be taken for this one. They are written at creation too.
    type: dict
    default: {}
  vpc_id:
    description:
      - The VPC. Required when O(state=present).
    type: str
  log_group_name:
    description:
      - The CloudWatch log group. Required when O(state=present).
    type: str
  role_arn:
    description:
      - Role with which VPC flow logs write to the log group. Required when O(state=present).
    type: str
  traffic_type:
    description:
      - Which traffic is recorded.
    type: str
    choices: [ACCEPT, ALL, REJECT]
    default: ALL
  max_aggregation_interval:
    description:
      - For how many seconds at most packets are put together into one record.
    type: int
    choices: [60, 600]
    default: 600
  state:
    description:
      - Whether the flow log exists. V(absent) leaves the records in the log group.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
  - sm2a.airflow.attributes
  - sm2a.airflow.state
"""

EXAMPLES = r"""
- name: Record the traffic of a VPC
  sm2a.airflow.ec2_flow_logs:
    name: staging
    vpc_id: vpc-0123456789abcdef0
    log_group_name: /staging/flow-logs
    role_arn: arn:aws:iam::123456789012:role/staging-flow-logs
"""

RETURN = r"""
flow_log:
  description: The flow log; empty when absent. In check mode, the id of one to be created is made of zeros.
  returned: always
  type: dict
  contains:
    flow_log_id:
      description: Its id.
      type: str
    vpc_id:
      description: The VPC.
      type: str
    log_group_name:
      description: The log group.
      type: str
    role_arn:
      description: The role.
      type: str
    traffic_type:
      description: Which traffic is recorded.
      type: str
    max_aggregation_interval:
      description: Seconds.
      type: int
    tags:
      description: Its tags.
      type: dict
"""

import uuid
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.transformation import ansible_dict_to_boto3_filter_list
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import (
    STATE_OPTION,
    TAG_OPTIONS,
    call,
    client,
    exit_with,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2.resources import Run, placeholder, tags_of

# Option -> key of the API; what cannot change.
FIELDS = {
    "vpc_id": "ResourceId",
    "log_group_name": "LogGroupName",
    "role_arn": "DeliverLogsPermissionArn",
    "traffic_type": "TrafficType",
    "max_aggregation_interval": "MaxAggregationInterval",
}


@call("describe flow logs")
def describe_flow_logs(ec2: Any, filters: dict[str, str]) -> list[dict[str, Any]]:
    pages = ec2.get_paginator("describe_flow_logs").paginate(Filter=ansible_dict_to_boto3_filter_list(filters))
    return list(pages.build_full_result()["FlowLogs"])


@call("create the flow log")
def create_flow_log(run: Run, name: str, wanted: dict[str, Any]) -> str:
    """Create it; its id."""
    request = {
        "ResourceIds": [wanted["vpc_id"]],
        "ResourceType": "VPC",
        "LogDestinationType": "cloud-watch-logs",
        "LogGroupName": wanted["log_group_name"],
        "DeliverLogsPermissionArn": wanted["role_arn"],
        "TrafficType": wanted["traffic_type"],
        "MaxAggregationInterval": wanted["max_aggregation_interval"],
        "TagSpecifications": run.tag_specification("vpc-flow-log", name),
    }
    # The token is the same in every attempt of botocore: a lost reply makes no second flow log.
    answer = run.ec2.create_flow_logs(**request, ClientToken=uuid.uuid4().hex)
    for failure in answer.get("Unsuccessful", []):
        detail = f"{failure['Error'].get('Code')}: {failure['Error'].get('Message')}"
        raise AnsibleAWSError(message=f"Failed to create the flow log of {failure.get('ResourceId')}: {detail}")
    return str(answer["FlowLogIds"][0])


@call("delete flow logs", missing=("InvalidFlowLogId.NotFound",))
def delete_flow_logs(ec2: Any, ids: list[str]) -> None:
    for failure in ec2.delete_flow_logs(FlowLogIds=ids).get("Unsuccessful", []):
        if failure["Error"].get("Code") != "InvalidFlowLogId.NotFound":
            message = f"Failed to delete flow log {failure.get('ResourceId')}: {failure['Error'].get('Message')}"
            raise AnsibleAWSError(message=message)


def view(flow_log: dict[str, Any]) -> dict[str, Any]:
    """The managed fields of a flow log."""
    return {**{option: flow_log.get(key) for option, key in FIELDS.items()}, "tags": tags_of(flow_log)}


def ensure_present(run: Run, params: dict[str, Any], found: list[dict[str, Any]]) -> dict[str, Any]:
    """Keep the flow log that is as asked, else create it; delete the others of the name. The flow log."""
    name, wanted = params["name"], {option: params[option] for option in FIELDS}
    right = [one for one in found if {option: one.get(key) for option, key in FIELDS.items()} == wanted]
    current = right[0] if right else None
    shown = current or (found[0] if found else None)
    if current:
        flow_log_id = str(current["FlowLogId"])
        tags = run.ensure_tags(flow_log_id, name, tags_of(current))
    else:
        tags = run.new_tags(name)
        flow_log_id = placeholder("fl") if run.check_mode else create_flow_log(run, name, wanted)
    former = [one["FlowLogId"] for one in found if one is not current]
    if former and not run.check_mode:
        delete_flow_logs(run.ec2, former)
    run.record(name, view(shown) if shown else {}, {**wanted, "tags": tags})
    for flow_log_id_before in former if current else []:
        run.record(flow_log_id_before, {"flow_log_id": flow_log_id_before}, {})
    return {"flow_log_id": flow_log_id, **wanted, "tags": tags}


def ensure_absent(run: Run, params: dict[str, Any], found: list[dict[str, Any]]) -> dict[str, Any]:
    """Delete every flow log of the name."""
    if found:
        run.record(params["name"], view(found[0]), {})
        if not run.check_mode:
            delete_flow_logs(run.ec2, [one["FlowLogId"] for one in found])
    return {}


def ensure(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """Find the flow log by its tags, bring it to its state; the module's result."""
    tags = {"Name": params["name"], **params["lookup_tags"]}
    found = describe_flow_logs(run.ec2, {f"tag:{key}": str(value) for key, value in tags.items()})
    work = ensure_present if params["state"] == "present" else ensure_absent
    return run.result(flow_log=work(run, params, found))


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "lookup_tags": {"type": "dict", "default": {}},
            "vpc_id": {"type": "str"},
            "log_group_name": {"type": "str"},
            "role_arn": {"type": "str"},
            "traffic_type": {"type": "str", "choices": ["ACCEPT", "ALL", "REJECT"], "default": "ALL"},
            "max_aggregation_interval": {"type": "int", "choices": [60, 600], "default": 600},
            **STATE_OPTION,
            **TAG_OPTIONS,
        },
        required_if=[("state", "present", ("vpc_id", "log_group_name", "role_arn"))],
        supports_check_mode=True,
    )
    params = module.params
    run = Run(client(module, "ec2"), module.check_mode, params["tags"], params["purge_tags"], params["lookup_tags"])
    exit_with(module, lambda: ensure(run, params))


if __name__ == "__main__":
    main()
