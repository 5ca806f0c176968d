#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ec2_vpc_endpoints
version_added: 0.1.0
short_description: Manage the endpoints of AWS services in a VPC together
description:
  - Manages gateway endpoints and interface endpoints, through which what runs in a VPC reaches AWS services without
    the internet, as a list in one run. An endpoint is found by its service, of which a VPC needs only one.
  - Interface endpoints answer under the service's ordinary name (private DNS).
  - An endpoint that lacks O(lookup_tags) belongs to somebody else and is never touched. Where it already serves, that
    is, an interface endpoint with private DNS, or a gateway endpoint in the route tables, none is made besides it.
  - A policy says whose requests pass an endpoint, and to which resources. AWS lets everything pass when there is none.
  - Removal is not waited for.
  - Unlike M(amazon.aws.ec2_vpc_endpoint) it changes the subnets of an endpoint, finds what it removes by its service,
    shows a diff, and makes no second endpoint after a lost reply.
author:
  - SM2A contributors (@sm2a)
options:
  vpc_id:
    description:
      - The VPC of the endpoints.
    type: str
    required: true
  name:
    description:
      - First part of the Name tag of each endpoint; the service is the second.
    type: str
    required: true
  lookup_tags:
    description:
      - Tags that an endpoint must carry to be managed. They are written at creation too.
    type: dict
    default: {}
  purge_endpoints:
    description:
      - Remove the endpoints that carry O(lookup_tags), which must not be empty, and are not in O(endpoints).
    type: bool
    default: false
  wait:
    description:
      - Return when the endpoints that were created, or are on their way, are available.
    type: bool
    default: true
  endpoints:
    description:
      - The endpoints to manage.
    type: list
    elements: dict
    required: true
    suboptions:
      service:
        description: Service, as in the last parts of its endpoint service name, such as V(s3) or V(ecr.api).
        type: str
        required: true
      type:
        description: V(Gateway) endpoints (S3, DynamoDB) are routes, V(Interface) endpoints are network interfaces.
        type: str
        choices: [Gateway, Interface]
        default: Interface
      state:
        description: Whether the endpoint exists.
        type: str
        choices: [present, absent]
        default: present
      policy:
        description:
          - Policy of the endpoint. V({}) takes it away, which lets everything pass; unset leaves it alone.
          - A service for which AWS has no policies is in RV(without_policy), and its endpoint gets none.
        type: dict
  route_table_ids:
    description:
      - Route tables of all gateway endpoints; exactly these.
    type: list
    elements: str
  subnet_ids:
    description:
      - Subnets of all interface endpoints; exactly these.
    type: list
    elements: str
  security_group_ids:
    description:
      - Security groups of all interface endpoints; exactly these.
    type: list
    elements: str
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
  - sm2a.airflow.attributes
"""

EXAMPLES = r"""
- name: Reach S3 and SQS without the internet
  sm2a.airflow.ec2_vpc_endpoints:
    vpc_id: vpc-0123456789abcdef0
    name: staging
    endpoints:
      - service: s3
        type: Gateway
      - service: sqs
        policy:
          Version: "2012-10-17"
          Statement:
            - Effect: Allow
              Principal: "*"
              Action: "*"
              Resource: "*"
              Condition:
                StringEquals:
                  aws:PrincipalAccount: "123456789012"
                  aws:ResourceAccount: "123456789012"
    route_table_ids: [rtb-0123456789abcdef0]
    subnet_ids: [subnet-0123456789abcdef0]
    security_group_ids: [sg-0123456789abcdef0]
"""

RETURN = r"""
endpoint_ids:
  description:
    - Id of each endpoint by its service, somebody else's included. In check mode, ids of those to be created are made
      of zeros.
  returned: always
  type: dict
  sample:
    s3: vpce-0123456789abcdef0
pending:
  description: Ids of the endpoints that may not be available yet; empty with O(wait) and in check mode.
  returned: always
  type: list
  elements: str
unlisted:
  description: Endpoints of the VPC that carry O(lookup_tags) and are not in O(endpoints), in the form of that option.
  returned: always
  type: list
  elements: dict
  sample:
    - service: sqs
      type: Interface
without_policy:
  description: Services of O(endpoints) that were given a policy, and for which AWS has none.
  returned: always
  type: list
  elements: str
"""

import json
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import (
    STATE_OPTION,
    TAG_OPTIONS,
    client,
    exit_with,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2.endpoints import (
    GONE,
    PLACES,
    create_endpoint,
    delete_endpoints,
    describe_endpoints,
    held_by,
    modify_endpoint,
    settled_policy,
    state_of,
    wait_until_available,
    wait_until_gone,
    without_policies,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2.resources import Run, placeholder, tags_of


def ensure_endpoint(run: Run, name: str, service: str, wanted: dict[str, Any], current: dict[str, Any] | None) -> str:
    """Create an endpoint, or bring its places, private DNS, policy and tags to what is asked.

    ``wanted``: vpc_id, type, policy, and the place options of that type; return the id ("" for one to be created).
    """
    kind = wanted["type"]
    fields: dict[str, Any] = {option: sorted(wanted[option]) for option in PLACES[kind] if wanted[option] is not None}
    if current is None:
        request = {"VpcId": wanted["vpc_id"], "ServiceName": service, "VpcEndpointType": kind}
        request |= {PLACES[kind][option]: ids for option, ids in fields.items()}
        if kind == "Interface":
            request["PrivateDnsEnabled"] = fields["private_dns"] = True
        if wanted["policy"]:
            fields["policy"] = wanted["policy"]
            request["PolicyDocument"] = json.dumps(wanted["policy"])
        run.record(name, {}, {"service": service, "type": kind, **fields, "tags": run.new_tags(name)})
        if run.check_mode:
            return ""
        return create_endpoint(run, name, request)
    if current["VpcEndpointType"] != kind:
        held = f"{current['VpcEndpointId']} is a {current['VpcEndpointType']} endpoint"
        raise AnsibleAWSError(
            message=f"The type of the endpoint of {service} cannot be changed ({held}): delete it first"
        )
    has = held_by(current, kind)
    if wanted["policy"] is not None:
        fields["policy"] = settled_policy(has.get("policy"), wanted["policy"])
    fields = {option: value for option, value in {**fields, "private_dns": True}.items() if option in has}
    changes: dict[str, Any] = {}
    for option in fields.keys() & PLACES[kind].keys():
        key = PLACES[kind][option]
        changes[f"Add{key}"] = sorted(set(fields[option]) - set(has[option]))
        changes[f"Remove{key}"] = sorted(set(has[option]) - set(fields[option]))
    changes = {change: ids for change, ids in changes.items() if ids}
    if fields.get("private_dns") != has.get("private_dns"):
        changes["PrivateDnsEnabled"] = True
    if fields.get("policy") != has.get("policy") and "policy" in fields:
        changes |= {"PolicyDocument": json.dumps(fields["policy"])} if fields["policy"] else {"ResetPolicy": True}
    if changes and not run.check_mode:
        modify_endpoint(run.ec2, current["VpcEndpointId"], changes)
    before_tags = tags_of(current)
    after_tags = run.ensure_tags(current["VpcEndpointId"], name, before_tags)
    fixed = {"service": service, "type": kind}
    before = {option: has[option] for option in fields}
    run.record(name, {**fixed, **before, "tags": before_tags}, {**fixed, **fields, "tags": after_tags})
    return str(current["VpcEndpointId"])


def served_by_others(foreign: list[dict[str, Any]], service: str, wanted: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The id of somebody else's endpoint that makes one of our own needless, or "", and what is left to ask for."""
    others = [one for one in foreign if one["ServiceName"] == service and one["VpcEndpointType"] == wanted["type"]]
    if wanted["type"] == "Interface":
        return next((str(one["VpcEndpointId"]) for one in others if one.get("PrivateDnsEnabled")), ""), wanted
    served = {table for one in others for table in one.get("RouteTableIds", [])}
    if not served or wanted["route_table_ids"] is None:
        return "", wanted
    tables = [table for table in wanted["route_table_ids"] if table not in served]
    return "" if tables else str(others[0]["VpcEndpointId"]), {**wanted, "route_table_ids": tables}


def remove_endpoints(run: Run, surplus: dict[str, dict[str, Any]]) -> None:
    """Delete endpoints (by name); AnsibleAWSError when AWS refuses one."""
    for name, endpoint in surplus.items():
        run.record(name, {"service": endpoint["ServiceName"], "tags": tags_of(endpoint)}, {})
    if surplus and not run.check_mode:
        failures = delete_endpoints(run.ec2, [endpoint["VpcEndpointId"] for endpoint in surplus.values()])
        if failures:
            raise AnsibleAWSError(message=f"Failed to delete VPC endpoints: {'; '.join(failures)}")


def ensure(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """Bring all listed endpoints to their state; return the module's result."""
    if params["purge_endpoints"] and not params["lookup_tags"]:
        raise AnsibleAWSError(
            message="purge_endpoints requires lookup_tags, because it would otherwise delete the endpoints of others"
        )
    listed = describe_endpoints(run.ec2, params["vpc_id"])
    going = {one["ServiceName"] for one in listed if state_of(one) == "deleting"}
    living = [one for one in listed if state_of(one) not in GONE]
    own = {one["ServiceName"]: one for one in living if run.owns(one)}
    foreign = [one for one in living if not run.owns(one)]
    prefix = f"com.amazonaws.{run.ec2.meta.region_name}."
    ids: dict[str, str] = {}
    awaited: list[str] = []
    asked = [prefix + one["service"] for one in params["endpoints"] if one["policy"] and one["state"] == "present"]
    no_policy = without_policies(run.ec2, asked) if asked else set()
    surplus: dict[str, dict[str, Any]] = {}
    for index, endpoint in enumerate(params["endpoints"]):
        service, name = prefix + endpoint["service"], f"{params['name']}-{endpoint['service']}"
        current = own.pop(service, None)
        if endpoint["state"] == "absent":
            surplus |= {name: current} if current else {}
            continue
        policy = None if service in no_policy else endpoint["policy"]
        wanted = {**params, "type": endpoint["type"], "policy": policy}
        other, wanted = served_by_others(foreign, service, wanted)
        if other and not current:
            ids[endpoint["service"]] = other
            continue
        if service in going and not current and not run.check_mode:
            wait_until_gone(run.ec2, params["vpc_id"], service)
        made = ensure_endpoint(run, name, service, wanted, current)
        ids[endpoint["service"]] = made or placeholder("vpce", index)
        if made and state_of(current or {}) != "available":
            awaited.append(made)
    if params["purge_endpoints"]:
        surplus |= {f"{params['name']}-{service.removeprefix(prefix)}": one for service, one in own.items()}
        own = {}
    remove_endpoints(run, surplus)
    if params["wait"] and not run.check_mode:
        wait_until_available(run.ec2, params["vpc_id"], awaited)
    pending = [] if params["wait"] or run.check_mode else awaited
    unlisted = [
        {"service": service.removeprefix(prefix), "type": one["VpcEndpointType"]} for service, one in own.items()
    ]
    told = sorted(service.removeprefix(prefix) for service in no_policy)
    return run.result(endpoint_ids=ids, pending=pending, unlisted=sorted(unlisted, key=str), without_policy=told)


def main() -> None:
    endpoint = {
        "service": {"type": "str", "required": True},
        "type": {"type": "str", "choices": ["Gateway", "Interface"], "default": "Interface"},
        "policy": {"type": "dict"},
        **STATE_OPTION,
    }
    module = AnsibleAWSModule(
        argument_spec={
            "vpc_id": {"type": "str", "required": True},
            "name": {"type": "str", "required": True},
            "lookup_tags": {"type": "dict", "default": {}},
            "purge_endpoints": {"type": "bool", "default": False},
            "wait": {"type": "bool", "default": True},
            "endpoints": {"type": "list", "elements": "dict", "options": endpoint, "required": True},
            "route_table_ids": {"type": "list", "elements": "str"},
            "subnet_ids": {"type": "list", "elements": "str"},
            "security_group_ids": {"type": "list", "elements": "str"},
            **TAG_OPTIONS,
        },
        supports_check_mode=True,
    )
    params = module.params
    run = Run(client(module, "ec2"), module.check_mode, params["tags"], params["purge_tags"], params["lookup_tags"])
    exit_with(module, lambda: ensure(run, params))


if __name__ == "__main__":
    main()
