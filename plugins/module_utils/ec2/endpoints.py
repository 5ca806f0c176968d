# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Endpoints of AWS services in a VPC: the API calls, the waiter, and what an endpoint holds."""

from __future__ import annotations

import json
import uuid
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.policy import compare_policies
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call
from ansible_collections.sm2a.airflow.plugins.module_utils.common.waiters import wait_until
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2.resources import Run

# Where an endpoint of each type is: option -> key of a create request (Add<key> and Remove<key> change it).
PLACES = {
    "Gateway": {"route_table_ids": "RouteTableIds"},
    "Interface": {"subnet_ids": "SubnetIds", "security_group_ids": "SecurityGroupIds"},
}
# What an endpoint without a policy of its own has.
FULL_ACCESS = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
GONE = ("deleting", "deleted", "failed", "expired", "rejected")
WAIT_DELAY_SECONDS = 5
WAIT_TIMEOUT_SECONDS = 600


@call("describe VPC endpoints")
def describe_endpoints(ec2: Any, vpc_id: str) -> list[dict[str, Any]]:
    """The endpoints of the VPC; those on their way out stay listed for some minutes."""
    pages = ec2.get_paginator("describe_vpc_endpoints").paginate(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])
    found = pages.build_full_result()["VpcEndpoints"]
    return [one for one in found if one["VpcId"] == vpc_id]


@call("describe the services of VPC endpoints")
def without_policies(ec2: Any, services: list[str]) -> set[str]:
    """Those of the services whose endpoints AWS gives no policy; one that it does not list is not among them."""
    pages = ec2.get_paginator("describe_vpc_endpoint_services")
    filters = [{"Name": "service-name", "Values": services}]
    found = pages.paginate(Filters=filters).build_full_result()["ServiceDetails"]
    return {one["ServiceName"] for one in found if not one.get("VpcEndpointPolicySupported", True)}


def state_of(endpoint: dict[str, Any]) -> str:
    """``pending``, ``available``, ``deleting`` and others; AWS writes them in both cases."""
    return str(endpoint.get("State", "")).lower()


@call("create a VPC endpoint")
def create_endpoint(run: Run, name: str, request: dict[str, Any]) -> str:
    specification = run.tag_specification("vpc-endpoint", name)
    # The token is the same in every attempt of botocore: a lost reply makes no second endpoint.
    made = run.ec2.create_vpc_endpoint(**request, TagSpecifications=specification, ClientToken=uuid.uuid4().hex)
    return str(made["VpcEndpoint"]["VpcEndpointId"])


@call("change a VPC endpoint")
def modify_endpoint(ec2: Any, endpoint_id: str, changes: dict[str, Any]) -> None:
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, **changes)


@call("delete VPC endpoints")
def delete_endpoints(ec2: Any, endpoint_ids: list[str]) -> list[str]:
    """Delete; return what AWS says about those that it does not delete."""
    failures = ec2.delete_vpc_endpoints(VpcEndpointIds=endpoint_ids).get("Unsuccessful", [])
    return [
        f"{failure['ResourceId']}: {failure['Error']['Message']}"
        for failure in failures
        if failure["Error"].get("Code") not in ("InvalidVpcEndpoint.NotFound", "InvalidVpcEndpointId.NotFound")
    ]


def wait_until_available(ec2: Any, vpc_id: str, ids: list[str]) -> None:
    """Return when all are available; AnsibleAWSError when one fails, or after ten minutes."""
    left: list[str] = []

    def available() -> bool:
        states = {one["VpcEndpointId"]: state_of(one) for one in describe_endpoints(ec2, vpc_id)}
        left[:] = [f"{each} ({states.get(each, 'not to be seen')})" for each in ids if states.get(each) != "available"]
        return not left

    def state() -> str:
        return f"VPC endpoints: {', '.join(left)}"

    if ids and not wait_until(available, WAIT_DELAY_SECONDS, WAIT_TIMEOUT_SECONDS, state):
        raise AnsibleAWSError(message=f"VPC endpoints are not available after ten minutes: {', '.join(left)}")


def wait_until_gone(ec2: Any, vpc_id: str, service: str) -> None:
    """Return when no endpoint of the service is being deleted: its private names are taken until then."""

    def gone() -> bool:
        endpoints = [one for one in describe_endpoints(ec2, vpc_id) if one["ServiceName"] == service]
        return not any(state_of(one) == "deleting" for one in endpoints)

    def state() -> str:
        return f"the previous VPC endpoint of {service} is being deleted"

    if not wait_until(gone, WAIT_DELAY_SECONDS, WAIT_TIMEOUT_SECONDS, state):
        raise AnsibleAWSError(
            message=f"The previous VPC endpoint of {service} is still being deleted after ten minutes: run again later"
        )


def settled_policy(current: dict[str, Any] | None, wanted: dict[str, Any]) -> dict[str, Any]:
    """The policy that an endpoint has in the end: ``current`` where it says the same as ``wanted``.

    {} stands for no policy of its own in both.
    """
    if current is not None and not compare_policies(current or FULL_ACCESS, wanted or FULL_ACCESS):
        return current
    return wanted


def held_by(endpoint: dict[str, Any], kind: str) -> dict[str, Any]:
    """Managed fields of an endpoint, by option; one that the answer does not tell is left out."""
    held = {
        "route_table_ids": endpoint.get("RouteTableIds"),
        "subnet_ids": endpoint.get("SubnetIds"),
        "security_group_ids": [group["GroupId"] for group in endpoint["Groups"]] if "Groups" in endpoint else None,
    }
    fields: dict[str, Any] = {option: sorted(held[option] or []) for option in PLACES[kind] if held[option] is not None}
    if kind == "Interface" and "PrivateDnsEnabled" in endpoint:
        fields["private_dns"] = endpoint["PrivateDnsEnabled"]
    if endpoint.get("PolicyDocument"):
        policy = json.loads(endpoint["PolicyDocument"])
        fields["policy"] = policy if compare_policies(policy, FULL_ACCESS) else {}
    return fields
