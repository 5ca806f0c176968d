#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)

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
  - Creation and removal are not waited for.
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
    route_table_ids: [rtb-0123456789abcdef0]
    subnet_ids: [subnet-0123456789abcdef0]
    security_group_ids: [sg-0123456789abcdef0]
"""

RETURN = r"""
endpoint_ids:
  description: Id of each endpoint by its service. In check mode, ids of those to be created are made of zeros.
  returned: always
  type: dict
  sample:
    s3: vpce-0123456789abcdef0
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.aws import STATE_OPTION, TAG_OPTIONS, call, client, exit_with
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2 import Run, placeholder, tags_of

# Where an endpoint of each type is: option -> key of a create request (Add<key> and Remove<key> change it).
PLACES = {
    "Gateway": {"route_table_ids": "RouteTableIds"},
    "Interface": {"subnet_ids": "SubnetIds", "security_group_ids": "SecurityGroupIds"},
}


@call("describe VPC endpoints")
def describe_endpoints(ec2: Any, vpc_id: str) -> dict[str, dict[str, Any]]:
    """The living endpoints of the VPC by the full name of their service."""
    pages = ec2.get_paginator("describe_vpc_endpoints").paginate(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])
    found = pages.build_full_result()["VpcEndpoints"]
    gone = ("deleting", "deleted", "failed", "expired", "rejected")
    return {
        one["ServiceName"]: one for one in found if one["VpcId"] == vpc_id and one.get("State", "").lower() not in gone
    }


@call("create a VPC endpoint")
def create_endpoint(run: Run, name: str, request: dict[str, Any]) -> str:
    specification = run.tag_specification("vpc-endpoint", name)
    return str(run.ec2.create_vpc_endpoint(**request, TagSpecifications=specification)["VpcEndpoint"]["VpcEndpointId"])


@call("change a VPC endpoint")
def modify_endpoint(ec2: Any, endpoint_id: str, changes: dict[str, list[str]]) -> None:
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, **changes)


@call("delete VPC endpoints")
def delete_endpoints(ec2: Any, endpoint_ids: list[str]) -> list[str]:
    """Delete; return what AWS says about those that it does not delete."""
    failures = ec2.delete_vpc_endpoints(VpcEndpointIds=endpoint_ids).get("Unsuccessful", [])
    return [f"{failure['ResourceId']}: {failure['Error']['Message']}" for failure in failures]


def places_of(endpoint: dict[str, Any], kind: str) -> dict[str, list[str]]:
    """Where an endpoint is, by option; an option that the answer does not tell is left out."""
    held = {
        "route_table_ids": endpoint.get("RouteTableIds"),
        "subnet_ids": endpoint.get("SubnetIds"),
        "security_group_ids": [group["GroupId"] for group in endpoint["Groups"]] if "Groups" in endpoint else None,
    }
    return {option: sorted(held[option] or []) for option in PLACES[kind] if held[option] is not None}


def ensure_endpoint(run: Run, name: str, service: str, wanted: dict[str, Any], current: dict[str, Any] | None) -> str:
    """Create an endpoint, or bring its places and tags to what is asked.

    ``wanted``: vpc_id, type, and the place options of that type; return the id ("" for one to be created).
    """
    kind = wanted["type"]
    places = {option: sorted(wanted[option]) for option in PLACES[kind] if wanted[option] is not None}
    if current is None:
        request = {"VpcId": wanted["vpc_id"], "ServiceName": service, "VpcEndpointType": kind}
        request |= {PLACES[kind][option]: ids for option, ids in places.items()}
        if kind == "Interface":
            request["PrivateDnsEnabled"] = True
        run.record(name, {}, {"service": service, "type": kind, **places, "tags": run.new_tags(name)})
        return "" if run.check_mode else create_endpoint(run, name, request)
    if current["VpcEndpointType"] != kind:
        held = f"{current['VpcEndpointId']} is a {current['VpcEndpointType']} endpoint"
        raise AnsibleAWSError(message=f"The type of the endpoint of {service} cannot change ({held}): remove it first")
    has = places_of(current, kind)
    places = {option: ids for option, ids in places.items() if option in has}
    changes: dict[str, list[str]] = {}
    for option, ids in places.items():
        key = PLACES[kind][option]
        changes[f"Add{key}"] = sorted(set(ids) - set(has[option]))
        changes[f"Remove{key}"] = sorted(set(has[option]) - set(ids))
    changes = {change: ids for change, ids in changes.items() if ids}
    if changes and not run.check_mode:
        modify_endpoint(run.ec2, current["VpcEndpointId"], changes)
    before_tags = tags_of(current)
    after_tags = run.ensure_tags(current["VpcEndpointId"], name, before_tags)
    fixed = {"service": service, "type": kind}
    before_places = {option: has[option] for option in places}
    run.record(name, {**fixed, **before_places, "tags": before_tags}, {**fixed, **places, "tags": after_tags})
    return str(current["VpcEndpointId"])


def remove_endpoints(run: Run, surplus: dict[str, dict[str, Any]]) -> None:
    """Delete endpoints (by name); AnsibleAWSError when AWS refuses one."""
    for name, endpoint in surplus.items():
        run.record(name, {"service": endpoint["ServiceName"], "tags": tags_of(endpoint)}, {})
    if surplus and not run.check_mode:
        failures = delete_endpoints(run.ec2, [endpoint["VpcEndpointId"] for endpoint in surplus.values()])
        if failures:
            raise AnsibleAWSError(message=f"Failed to delete VPC endpoints: {'; '.join(failures)}")


def ensure(run: Run, params: dict[str, Any]) -> dict[str, str]:
    """Bring all listed endpoints to their state; return the ids of those present by service."""
    existing = describe_endpoints(run.ec2, params["vpc_id"])
    region = run.ec2.meta.region_name
    ids: dict[str, str] = {}
    surplus: dict[str, dict[str, Any]] = {}
    for index, endpoint in enumerate(params["endpoints"]):
        service = f"com.amazonaws.{region}.{endpoint['service']}"
        name = f"{params['name']}-{endpoint['service']}"
        current = existing.get(service)
        if endpoint["state"] == "present":
            made = ensure_endpoint(run, name, service, {**params, "type": endpoint["type"]}, current)
            ids[endpoint["service"]] = made or placeholder("vpce", index)
        elif current:
            surplus[name] = current
    remove_endpoints(run, surplus)
    return ids


def main() -> None:
    endpoint = {
        "service": {"type": "str", "required": True},
        "type": {"type": "str", "choices": ["Gateway", "Interface"], "default": "Interface"},
        **STATE_OPTION,
    }
    module = AnsibleAWSModule(
        argument_spec={
            "vpc_id": {"type": "str", "required": True},
            "name": {"type": "str", "required": True},
            "endpoints": {"type": "list", "elements": "dict", "options": endpoint, "required": True},
            "route_table_ids": {"type": "list", "elements": "str"},
            "subnet_ids": {"type": "list", "elements": "str"},
            "security_group_ids": {"type": "list", "elements": "str"},
            **TAG_OPTIONS,
        },
        supports_check_mode=True,
    )
    run = Run(client(module, "ec2"), module.check_mode, module.params["tags"], module.params["purge_tags"])
    exit_with(module, lambda: run.result(endpoint_ids=ensure(run, module.params)))


if __name__ == "__main__":
    main()
