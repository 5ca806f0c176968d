#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: elbv2_load_balancer
version_added: 0.1.0
short_description: Manage an Application Load Balancer with its listeners and attributes
description:
  - Manages an Application Load Balancer, its attributes, and listeners that forward to one target group or redirect to
    HTTPS. Rules of listeners, other than the default action, are left alone.
  - Check mode is exact and shows a diff of every field. A protected load balancer is refused as a whole on removal, and
    keeps its listeners.
  - A new load balancer is not waited for.
author:
  - SM2A contributors (@sm2a)
options:
  name:
    description:
      - Name of the load balancer; at most 32 letters, digits and hyphens.
    type: str
    required: true
  scheme:
    description:
      - Whether it has public addresses. It cannot change afterwards.
    type: str
    choices: [internet-facing, internal]
    default: internet-facing
  subnet_ids:
    description:
      - Its subnets, in two zones or more. Required when O(state=present).
    type: list
    elements: str
  security_group_ids:
    description:
      - Its security groups. Required when O(state=present).
    type: list
    elements: str
  listeners:
    description:
      - All its listeners; others are removed. Unset leaves them alone.
    type: list
    elements: dict
    suboptions:
      port:
        description: Port on which it listens.
        type: int
        required: true
      protocol:
        description: Protocol of the clients.
        type: str
        choices: [HTTP, HTTPS]
        required: true
      certificate_arn:
        description: Certificate. Required for V(HTTPS).
        type: str
      ssl_policy:
        description: TLS policy. Required for V(HTTPS).
        type: str
      target_group_arn:
        description: Target group to which requests are forwarded.
        type: str
      redirect_to_port:
        description: HTTPS port of the same host to which requests are redirected for ever (301).
        type: int
  deletion_protection:
    description:
      - Whether AWS refuses to delete it. With O(state=absent), V(false) turns the protection off first.
    type: bool
  attributes:
    description:
      - Attributes by the names of the AWS API, such as V(routing.http.drop_invalid_header_fields.enabled).
        Attributes that are not given are left alone.
    type: dict
    default: {}
  state:
    description:
      - Whether the load balancer exists.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
  - sm2a.airflow.attributes
  - sm2a.airflow.state
"""

EXAMPLES = r"""
- name: HTTPS, with a redirect from HTTP
  sm2a.airflow.elbv2_load_balancer:
    name: staging
    subnet_ids: [subnet-0123456789abcdef0, subnet-0123456789abcdef1]
    security_group_ids: [sg-0123456789abcdef0]
    deletion_protection: true
    listeners:
      - port: 443
        protocol: HTTPS
        certificate_arn: arn:aws:acm:eu-west-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef
        ssl_policy: ELBSecurityPolicy-TLS13-1-2-2021-06
        target_group_arn: arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/staging/0123456789abcdef
      - port: 80
        protocol: HTTP
        redirect_to_port: 443
"""

RETURN = r"""
load_balancer:
  description: The load balancer; empty when absent.
  returned: always
  type: dict
  contains:
    load_balancer_arn:
      description: Its ARN; ends in zeros in check mode when it is to be created.
      type: str
      returned: when present
    listeners:
      description: Its listeners by port.
      type: dict
      returned: when present
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list
from ansible_collections.sm2a.airflow.plugins.module_utils.aws import (
    STATE_OPTION,
    TAG_OPTIONS,
    Outcome,
    TagChange,
    call,
    client,
    manage,
    tag_change,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.elbv2 import (
    describe_listeners,
    describe_load_balancer,
    describe_tags,
    target_groups_of,
    write_tags,
)

PROTECTION = "deletion_protection.enabled"


@call("describe the attributes of the load balancer")
def describe_attributes(elbv2: Any, arn: str) -> dict[str, str]:
    attributes = elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    return {attribute["Key"]: attribute.get("Value", "") for attribute in attributes}


@call("create the load balancer")
def create_load_balancer(elbv2: Any, params: dict[str, Any], tags: dict[str, str]) -> str:
    request = {"Name": params["name"], "Type": "application", "Scheme": params["scheme"]}
    request |= {"Subnets": params["subnet_ids"], "SecurityGroups": params["security_group_ids"]}
    if tags:
        request["Tags"] = ansible_dict_to_boto3_tag_list(tags)
    return str(elbv2.create_load_balancer(**request)["LoadBalancers"][0]["LoadBalancerArn"])


@call("change the subnets of the load balancer")
def set_subnets(elbv2: Any, arn: str, subnet_ids: list[str]) -> None:
    elbv2.set_subnets(LoadBalancerArn=arn, Subnets=subnet_ids)


@call("change the security groups of the load balancer")
def set_security_groups(elbv2: Any, arn: str, group_ids: list[str]) -> None:
    elbv2.set_security_groups(LoadBalancerArn=arn, SecurityGroups=group_ids)


@call("change the attributes of the load balancer")
def modify_attributes(elbv2: Any, arn: str, attributes: dict[str, str]) -> None:
    pairs = [{"Key": key, "Value": value} for key, value in attributes.items()]
    elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=pairs)


@call("write a listener")
def write_listener(elbv2: Any, arn: str, listener_arn: str | None, request: dict[str, Any]) -> None:
    """Create a listener of the load balancer ``arn``, or change the existing ``listener_arn``."""
    if listener_arn:
        elbv2.modify_listener(ListenerArn=listener_arn, **request)
    else:
        elbv2.create_listener(LoadBalancerArn=arn, **request)


@call("delete a listener", missing=("ListenerNotFound",))
def delete_listener(elbv2: Any, listener_arn: str) -> None:
    elbv2.delete_listener(ListenerArn=listener_arn)


@call("delete the load balancer", missing=("LoadBalancerNotFound",))
def delete_load_balancer(elbv2: Any, arn: str) -> None:
    """Delete and wait, because the target group and certificate are in use until it is gone."""
    elbv2.delete_load_balancer(LoadBalancerArn=arn)
    waiter = elbv2.get_waiter("load_balancers_deleted")
    waiter.wait(LoadBalancerArns=[arn], WaiterConfig={"Delay": 5, "MaxAttempts": 120})


def listener_request(listener: dict[str, Any]) -> dict[str, Any]:
    """A listener of the options as the API wants it."""
    if listener["target_group_arn"]:
        action: dict[str, Any] = {"Type": "forward", "TargetGroupArn": listener["target_group_arn"]}
    else:
        redirect = {"Protocol": "HTTPS", "Port": str(listener["redirect_to_port"]), "StatusCode": "HTTP_301"}
        action = {"Type": "redirect", "RedirectConfig": redirect}
    request = {"Port": listener["port"], "Protocol": listener["protocol"], "DefaultActions": [action]}
    if listener["protocol"] == "HTTPS":
        request["Certificates"] = [{"CertificateArn": listener["certificate_arn"]}]
        request["SslPolicy"] = listener["ssl_policy"]
    return request


def listener_view(listener: dict[str, Any]) -> dict[str, Any]:
    """What is compared of a listener, whether of a request or of an answer."""
    actions = []
    for action in listener.get("DefaultActions", []):
        redirect = action.get("RedirectConfig", {})
        keys = ("Protocol", "Port", "StatusCode")
        targets = target_groups_of({"DefaultActions": [action]})
        detail = targets if action["Type"] == "forward" else {key: redirect.get(key) for key in keys}
        actions.append({action["Type"]: detail})
    view = {"protocol": listener["Protocol"], "actions": actions}
    if listener["Protocol"] == "HTTPS":
        view["certificates"] = [one["CertificateArn"] for one in listener.get("Certificates", [])]
        view["ssl_policy"] = listener.get("SslPolicy")
    return view


def wanted_attributes(params: dict[str, Any]) -> dict[str, str]:
    """Attributes as the API wants them: all strings, booleans in lower case."""
    wanted = dict(params["attributes"])
    if params["deletion_protection"] is not None:
        wanted[PROTECTION] = params["deletion_protection"]
    return {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in wanted.items()}


def read(elbv2: Any, current: dict[str, Any], attribute_keys: list[str]) -> dict[str, Any]:
    """The managed fields of an existing load balancer, in the shape of the diff."""
    arn = current["LoadBalancerArn"]
    attributes = describe_attributes(elbv2, arn)
    listeners = describe_listeners(elbv2, arn)
    return {
        "load_balancer_arn": arn,
        "scheme": current["Scheme"],
        "subnet_ids": sorted(zone["SubnetId"] for zone in current["AvailabilityZones"]),
        "security_group_ids": sorted(current.get("SecurityGroups", [])),
        "attributes": {key: attributes.get(key) for key in attribute_keys},
        "listeners": {str(port): listener_view(listener) for port, listener in sorted(listeners.items())},
        "tags": describe_tags(elbv2, arn),
    }


def ensure_listeners(elbv2: Any, arn: str, requests: list[dict[str, Any]]) -> None:
    """Create, change and remove listeners so that exactly ``requests`` are left."""
    current = describe_listeners(elbv2, arn)
    for request in requests:
        listener = current.pop(request["Port"], None)
        if listener is None or listener_view(listener) != listener_view(request):
            write_listener(elbv2, arn, listener["ListenerArn"] if listener else None, request)
    for listener in current.values():
        delete_listener(elbv2, listener["ListenerArn"])


def ensure_present(elbv2: Any, params: dict[str, Any], check_mode: bool) -> Outcome:
    """Create the load balancer, or change what differs."""
    name, attributes = params["name"], wanted_attributes(params)
    current = describe_load_balancer(elbv2, name)
    before = read(elbv2, current, list(attributes)) if current else {}
    if before and before["scheme"] != params["scheme"]:
        held = f"it is {before['scheme']}, {params['scheme']} is asked for"
        raise AnsibleAWSError(message=f"The scheme of load balancer {name} cannot change ({held}): remove it first")
    unmade = f"arn:aws:elasticloadbalancing:{elbv2.meta.region_name}:000000000000:loadbalancer/app/{name}/{'0' * 16}"
    change = tag_change(before.get("tags", {}), params["tags"], params["purge_tags"])
    requests = None if params["listeners"] is None else [listener_request(one) for one in params["listeners"]]
    after = {
        "load_balancer_arn": before.get("load_balancer_arn", unmade),
        "scheme": params["scheme"],
        "subnet_ids": sorted(params["subnet_ids"]),
        "security_group_ids": sorted(params["security_group_ids"]),
        "attributes": attributes,
        "listeners": before.get("listeners", {}),
        "tags": change.result,
    }
    if requests is not None:
        by_port = sorted(requests, key=lambda request: int(request["Port"]))
        after["listeners"] = {str(request["Port"]): listener_view(request) for request in by_port}
    if not check_mode and before != after:
        arn = before.get("load_balancer_arn") or create_load_balancer(elbv2, params, change.result)
        update(elbv2, arn, before, after, change)
        if requests is not None and before.get("listeners") != after["listeners"]:
            ensure_listeners(elbv2, arn, requests)
        after["load_balancer_arn"] = arn
    return Outcome(before != after, before, after)


def update(elbv2: Any, arn: str, before: dict[str, Any], after: dict[str, Any], change: TagChange) -> None:
    """Write what differs besides the listeners; ``before`` is {} for a load balancer just created."""
    if before and before["subnet_ids"] != after["subnet_ids"]:
        set_subnets(elbv2, arn, after["subnet_ids"])
    if before and before["security_group_ids"] != after["security_group_ids"]:
        set_security_groups(elbv2, arn, after["security_group_ids"])
    held = before.get("attributes", {})
    attributes = {key: value for key, value in after["attributes"].items() if held.get(key) != value}
    if attributes:
        modify_attributes(elbv2, arn, attributes)
    if before and change:
        write_tags(elbv2, arn, change)


def ensure_absent(elbv2: Any, params: dict[str, Any], check_mode: bool) -> Outcome:
    """Delete the load balancer with its listeners; AnsibleAWSError when it is protected."""
    name = params["name"]
    current = describe_load_balancer(elbv2, name)
    if not current:
        return Outcome(False)
    before = read(elbv2, current, [PROTECTION])
    is_protected = before["attributes"][PROTECTION] == "true"
    if is_protected and params["deletion_protection"] is not False:
        advice = "set deletion_protection to false to remove it"
        raise AnsibleAWSError(message=f"Load balancer {name} is protected against deletion: {advice}")
    if not check_mode:
        if is_protected:
            modify_attributes(elbv2, before["load_balancer_arn"], {PROTECTION: "false"})
        delete_load_balancer(elbv2, before["load_balancer_arn"])
    return Outcome(True, before, {})


def main() -> None:
    strings = ("certificate_arn", "ssl_policy", "target_group_arn")
    listener: dict[str, Any] = {key: {"type": "str"} for key in strings}
    listener["port"] = {"type": "int", "required": True}
    listener["protocol"] = {"type": "str", "choices": ["HTTP", "HTTPS"], "required": True}
    listener["redirect_to_port"] = {"type": "int"}
    listeners = {
        "type": "list",
        "elements": "dict",
        "options": listener,
        "required_if": [("protocol", "HTTPS", ("certificate_arn", "ssl_policy"))],
        "mutually_exclusive": [("target_group_arn", "redirect_to_port")],
        "required_one_of": [("target_group_arn", "redirect_to_port")],
    }
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "scheme": {"type": "str", "choices": ["internet-facing", "internal"], "default": "internet-facing"},
            "subnet_ids": {"type": "list", "elements": "str"},
            "security_group_ids": {"type": "list", "elements": "str"},
            "listeners": listeners,
            "deletion_protection": {"type": "bool"},
            "attributes": {"type": "dict", "default": {}},
            **STATE_OPTION,
            **TAG_OPTIONS,
        },
        required_if=[("state", "present", ("subnet_ids", "security_group_ids"))],
        supports_check_mode=True,
    )
    manage(module, client(module, "elbv2"), "load_balancer", ensure_present, ensure_absent)


if __name__ == "__main__":
    main()
