#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
---
module: elbv2_target_group
version_added: 0.1.0
short_description: Manage a target group of an Application Load Balancer
description:
  - Manages a target group, its health check, attributes and tags. The targets themselves belong to whoever registers
    them, such as an ECS service.
  - Options that are not set are left alone.
  - The protocol, port, VPC and target type of a target group cannot change. Asking for other ones fails.
author:
  - SM2A contributors (@sm2a)
options:
  name:
    description:
      - Name of the target group; at most 32 letters, digits and hyphens.
    type: str
    required: true
  target_type:
    description:
      - What is registered. Tasks with an elastic network interface, as on Fargate, need V(ip).
    type: str
    choices: [ip, instance]
    default: ip
  protocol:
    description:
      - Protocol towards the targets.
    type: str
    choices: [HTTP, HTTPS]
    default: HTTP
  port:
    description:
      - Default port of the targets. Required when O(state=present).
    type: int
  vpc_id:
    description:
      - VPC of the targets. Required when O(state=present).
    type: str
  health_check:
    description:
      - How the load balancer probes a target.
    type: dict
    suboptions:
      protocol:
        description: Protocol of the probe.
        type: str
        choices: [HTTP, HTTPS]
      port:
        description: Port of the probe, or V(traffic-port).
        type: str
      path:
        description: Path of the probe.
        type: str
      matcher:
        description: Status codes of a healthy target, such as V(200) or V(200-299).
        type: str
      interval_seconds:
        description: Seconds between two probes.
        type: int
      timeout_seconds:
        description: Seconds without an answer after which a probe has failed.
        type: int
      healthy_threshold:
        description: Successful probes in a row that make a target healthy.
        type: int
      unhealthy_threshold:
        description: Failed probes in a row that make a target unhealthy.
        type: int
  stickiness:
    description:
      - Whether a browser stays with one target, by a cookie of the load balancer.
    type: dict
    suboptions:
      enabled:
        description: Whether the cookie is set.
        type: bool
        required: true
      duration_seconds:
        description: Seconds that the cookie is valid.
        type: int
  deregistration_delay_seconds:
    description:
      - Seconds that a target that is being removed keeps its open connections.
    type: int
  slow_start_seconds:
    description:
      - Seconds over which a new target gets its full share of requests; V(0) turns this off.
    type: int
  algorithm:
    description:
      - How requests are spread over the targets.
    type: str
    choices: [round_robin, least_outstanding_requests, weighted_random]
  state:
    description:
      - Whether the target group exists. One that a listener uses cannot be removed.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
  - sm2a.airflow.attributes
  - sm2a.airflow.state
"""

EXAMPLES = r"""
- name: Web servers that keep a browser's session
  sm2a.airflow.elbv2_target_group:
    name: staging
    vpc_id: vpc-0123456789abcdef0
    port: 8080
    health_check:
      path: /api/v2/version
      matcher: "200"
      interval_seconds: 15
    stickiness:
      enabled: true
      duration_seconds: 86400
    deregistration_delay_seconds: 30
"""

RETURN = r"""
target_group:
  description: The target group; empty when absent. In check mode, the ARN of one to be created ends in zeros.
  returned: always
  type: dict
  contains:
    target_group_arn:
      description: Its ARN.
      type: str
      returned: when present
    target_group_name:
      description: Its name.
      type: str
      returned: when present
"""

from typing import Any

from ansible.module_utils.common.dict_transformations import camel_dict_to_snake_dict
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import (
    STATE_OPTION,
    TAG_OPTIONS,
    call,
    client,
    manage,
    tag_change,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.common.results import Outcome
from ansible_collections.sm2a.airflow.plugins.module_utils.elbv2.api import (
    describe_tags,
    describe_target_group,
    target_group_placeholder_arn,
    write_tags,
)

IN_USE_RETRIES = 8
IMMUTABLE = {"protocol": "Protocol", "port": "Port", "vpc_id": "VpcId", "target_type": "TargetType"}
HEALTH_CHECK = {
    "protocol": "HealthCheckProtocol",
    "port": "HealthCheckPort",
    "path": "HealthCheckPath",
    "interval_seconds": "HealthCheckIntervalSeconds",
    "timeout_seconds": "HealthCheckTimeoutSeconds",
    "healthy_threshold": "HealthyThresholdCount",
    "unhealthy_threshold": "UnhealthyThresholdCount",
}
ATTRIBUTES = {
    "deregistration_delay_seconds": "deregistration_delay.timeout_seconds",
    "slow_start_seconds": "slow_start.duration_seconds",
    "algorithm": "load_balancing.algorithm.type",
}


@call("describe the attributes of the target group")
def describe_attributes(elbv2: Any, arn: str) -> dict[str, str]:
    attributes = elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    return {attribute["Key"]: attribute.get("Value", "") for attribute in attributes}


@call("create the target group")
def create_target_group(elbv2: Any, request: dict[str, Any]) -> str:
    return str(elbv2.create_target_group(**request)["TargetGroups"][0]["TargetGroupArn"])


@call("change the health check of the target group")
def modify_health_check(elbv2: Any, arn: str, request: dict[str, Any]) -> None:
    elbv2.modify_target_group(TargetGroupArn=arn, **request)


@call("change the attributes of the target group")
def modify_attributes(elbv2: Any, arn: str, attributes: dict[str, str]) -> None:
    pairs = [{"Key": key, "Value": value} for key, value in attributes.items()]
    elbv2.modify_target_group_attributes(TargetGroupArn=arn, Attributes=pairs)


@call("delete the target group", missing=("TargetGroupNotFound",), default=True)
def delete_target_group(elbv2: Any, arn: str) -> bool:
    """Delete, waiting for a listener that is on its way out; False when the target group stays in use."""
    retry = AWSRetry.jittered_backoff(
        retries=IN_USE_RETRIES, delay=1, max_delay=10, catch_extra_error_codes=["ResourceInUse"]
    )
    try:
        retry(elbv2.delete_target_group)(TargetGroupArn=arn)
    except elbv2.exceptions.ResourceInUseException:
        return False
    return True


def wanted_health_check(options: dict[str, Any] | None) -> dict[str, Any]:
    """The health check as the API wants it, without what is not set."""
    given = {key: value for key, value in (options or {}).items() if value is not None}
    wanted = {HEALTH_CHECK[key]: value for key, value in given.items() if key in HEALTH_CHECK}
    if "matcher" in given:
        wanted["Matcher"] = {"HttpCode": given["matcher"]}
    return wanted


def wanted_attributes(params: dict[str, Any]) -> dict[str, str]:
    """The attributes as the API wants them (all strings), without what is not set."""
    wanted = {key: str(params[option]) for option, key in ATTRIBUTES.items() if params[option] is not None}
    stickiness = params["stickiness"]
    if stickiness:
        wanted["stickiness.enabled"] = str(stickiness["enabled"]).lower()
        if stickiness["enabled"]:
            wanted["stickiness.type"] = "lb_cookie"
        if stickiness["duration_seconds"] is not None:
            wanted["stickiness.lb_cookie.duration_seconds"] = str(stickiness["duration_seconds"])
    return wanted


def refuse_immutable_changes(current: dict[str, Any], params: dict[str, Any]) -> None:
    """AnsibleAWSError when a field that AWS cannot change would have to."""
    differing = [
        f"{option} is {current.get(key)}, {params[option]} is asked for"
        for option, key in IMMUTABLE.items()
        if current.get(key) != params[option]
    ]
    if differing:
        raise AnsibleAWSError(
            message=f"Target group {params['name']} cannot be changed in place ({'; '.join(differing)}): "
            "use another name, or remove it first"
        )


def create(elbv2: Any, params: dict[str, Any], check_mode: bool) -> Outcome:
    """Create the target group with its health check and tags, then set its attributes."""
    immutable = {key: params[option] for option, key in IMMUTABLE.items()}
    health_check, attributes = wanted_health_check(params["health_check"]), wanted_attributes(params)
    tags = tag_change({}, params["tags"], purge=False).result
    request = {"Name": params["name"], **immutable, **health_check}
    if tags:
        request["Tags"] = ansible_dict_to_boto3_tag_list(tags)
    arn = target_group_placeholder_arn(elbv2, params["name"])
    if not check_mode:
        arn = create_target_group(elbv2, request)
        if attributes:
            modify_attributes(elbv2, arn, attributes)
    return Outcome(True, {}, view(arn, {**immutable, **health_check}, attributes, tags))


def update(elbv2: Any, current: dict[str, Any], params: dict[str, Any], check_mode: bool) -> Outcome:
    """Change what differs in an existing target group."""
    refuse_immutable_changes(current, params)
    arn = current["TargetGroupArn"]
    fields = {
        **{key: params[option] for option, key in IMMUTABLE.items()},
        **wanted_health_check(params["health_check"]),
    }
    attributes, has = wanted_attributes(params), describe_attributes(elbv2, arn)
    tags = describe_tags(elbv2, arn)
    change = tag_change(tags, params["tags"], params["purge_tags"])
    health_change = {key: value for key, value in fields.items() if current.get(key) != value}
    attribute_change = {key: value for key, value in attributes.items() if has.get(key) != value}
    if not check_mode:
        if health_change:
            modify_health_check(elbv2, arn, health_change)
        if attribute_change:
            modify_attributes(elbv2, arn, attribute_change)
        if change:
            write_tags(elbv2, arn, change)
    before = view(arn, {key: current.get(key) for key in fields}, {key: has.get(key) for key in attributes}, tags)
    after = view(arn, fields, attributes, change.result)
    return Outcome(bool(health_change or attribute_change or change), before, after)


def view(arn: str, fields: dict[str, Any], attributes: dict[str, Any], tags: dict[str, str]) -> dict[str, Any]:
    """The managed part of a target group, for the result and the diff."""
    name = arn.split("/")[-2]
    snake = camel_dict_to_snake_dict({"TargetGroupArn": arn, "TargetGroupName": name, **fields})
    return {**snake, "attributes": attributes, "tags": tags}


def ensure_present(elbv2: Any, params: dict[str, Any], check_mode: bool) -> Outcome:
    current = describe_target_group(elbv2, params["name"])
    return update(elbv2, current, params, check_mode) if current else create(elbv2, params, check_mode)


def ensure_absent(elbv2: Any, params: dict[str, Any], check_mode: bool) -> Outcome:
    name = params["name"]
    current = describe_target_group(elbv2, name)
    if not current:
        return Outcome(False)
    arn = current["TargetGroupArn"]
    before = view(arn, {key: current.get(key) for key in IMMUTABLE.values()}, {}, describe_tags(elbv2, arn))
    if not check_mode and not delete_target_group(elbv2, arn):
        users = ", ".join(current.get("LoadBalancerArns", []))
        raise AnsibleAWSError(message=f"Target group {name} is used by {users}: remove that load balancer first")
    return Outcome(True, before, {})


def main() -> None:
    integers = ("interval_seconds", "timeout_seconds", "healthy_threshold", "unhealthy_threshold")
    health_check: dict[str, Any] = {key: {"type": "int"} for key in integers}
    health_check |= {key: {"type": "str"} for key in ("port", "path", "matcher")}
    health_check["protocol"] = {"type": "str", "choices": ["HTTP", "HTTPS"]}
    stickiness = {"enabled": {"type": "bool", "required": True}, "duration_seconds": {"type": "int"}}
    algorithms = ["round_robin", "least_outstanding_requests", "weighted_random"]
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "target_type": {"type": "str", "choices": ["ip", "instance"], "default": "ip"},
            "protocol": {"type": "str", "choices": ["HTTP", "HTTPS"], "default": "HTTP"},
            "port": {"type": "int"},
            "vpc_id": {"type": "str"},
            "health_check": {"type": "dict", "options": health_check},
            "stickiness": {"type": "dict", "options": stickiness},
            "deregistration_delay_seconds": {"type": "int"},
            "slow_start_seconds": {"type": "int"},
            "algorithm": {"type": "str", "choices": algorithms},
            **STATE_OPTION,
            **TAG_OPTIONS,
        },
        required_if=[("state", "present", ("port", "vpc_id"))],
        supports_check_mode=True,
    )
    manage(module, client(module, "elbv2"), "target_group", ensure_present, ensure_absent)


if __name__ == "__main__":
    main()
