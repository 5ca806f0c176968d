# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Where moto breaks on calls that AWS takes, and no option of the roles leads around it: mended, so that runs go on.

A call that moto does not have at all is answered with a server error, which modules repeat for minutes.

Nothing else of moto is touched. What it answers otherwise than AWS is in gaps.py. ``line`` is where it breaks.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models.nat_gateways import NatGatewayBackend
from moto.ec2.models.subnets import SubnetBackend
from moto.ec2.models.vpcs import VPCBackend
from moto.ecs.models import EC2ContainerServiceBackend
from moto.iam.access_control import IAMPolicyStatement, PermissionResult
from moto.rds.responses import RDSResponse
from moto.s3.models import FakeBucket
from moto.servicequotas.responses import ServiceQuotasResponse

Original = Callable[..., Any]
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html
RDS_QUOTAS = {"DBInstances": 40, "AllocatedStorage": 100_000, "DBSubnetGroups": 50, "DBParameterGroups": 50}
LOG_DELIVERY = {"Service": "logging.s3.amazonaws.com"}


@dataclass(frozen=True)
class Mend:
    """``replacement`` gets the function that it stands for, and its arguments; None for one that moto lacks."""

    owner: type
    name: str
    replacement: Callable[..., Any]
    lacks: str
    line: str

    def apply(self) -> None:
        """Put the replacement in the place of moto's function."""
        original: Any = self.owner.__dict__.get(self.name)
        is_static = isinstance(original, staticmethod)
        plain = original.__func__ if is_static else original
        replacement = self.replacement

        def mended(*arguments: Any, **named: Any) -> Any:
            return replacement(plain, *arguments, **named)

        setattr(self.owner, self.name, staticmethod(mended) if is_static else mended)


def unless_on_a_condition(original: Original, statement: Any, *arguments: Any, **named: Any) -> Any:
    """Of conditions moto evaluates StringEquals only, and takes all others for met."""
    if statement._statement["Effect"] == "Deny" and statement._statement.get("Condition"):
        return PermissionResult.NEUTRAL
    return original(statement, *arguments, **named)


def with_values(original: Original, names: list[str], filters: list[dict[str, Any]], services: list[Any]) -> Any:
    """The values of a filter are in Values. moto reads Value."""
    return original(names, [{**one, "Value": one.get("Values", [])} for one in filters], services)


def allows_logs(_original: Original, target_bucket: Any, target_prefix: str | None) -> bool:
    """A principal may be "*", and the resource covers the prefix with a wildcard. moto wants the prefix itself."""
    statements = json.loads(target_bucket.policy or b"{}").get("Statement", [])
    log = f"arn:{target_bucket.partition}:s3:::{target_bucket.name}/{target_prefix or ''}log"
    return any(
        one["Effect"] == "Allow" and one["Principal"] == LOG_DELIVERY and fnmatchcase(log, one["Resource"])
        for one in statements
    )


def with_memory(original: Original, definition: Any) -> Any:
    """On Fargate the task has memory, and a container need not say how much of it is its own."""
    sized = copy.copy(definition)
    sized.container_definitions = [{"memory": 0, **one} for one in definition.container_definitions]
    return original(sized)


def with_its_interface(original: Original, backend: Any, nat_gateway_id: str) -> Any:
    """A NAT gateway that is deleted takes its network interface along, so that its subnet can go."""
    gateway = original(backend, nat_gateway_id)
    backend.delete_network_interface(gateway._eni.id)
    return gateway


def with_its_associations(original: Original, backend: Any, subnet_id: str) -> Any:
    """A subnet that is deleted is no longer associated with anything, so that network ACL and route table can go."""
    subnet = original(backend, subnet_id)
    for acl in backend.network_acls.values():
        acl._associations = {key: one for key, one in acl._associations.items() if one.subnet_id != subnet_id}
    for table in backend.route_tables.values():
        table._associations = {key: of for key, of in table._associations.items() if of != subnet_id}
    return subnet


def default_quotas(_original: None, response: Any) -> Any:
    """The applied quotas are AWS's defaults, which moto has for VPCs. Of other services it knows none."""
    return response.list_aws_default_service_quotas()


def account_attributes(_original: None, response: Any) -> Any:
    """What RDS counts in the account, and how much of it there may be."""
    backend = response.backend
    used = {
        "DBInstances": len(backend.databases),
        "AllocatedStorage": sum(one.allocated_storage for one in backend.databases.values()),
        "DBSubnetGroups": len(backend.subnet_groups),
        "DBParameterGroups": len(backend.db_parameter_groups),
    }
    quotas = [{"AccountQuotaName": name, "Used": used[name], "Max": most} for name, most in RDS_QUOTAS.items()]
    return ActionResult({"AccountQuotas": quotas})


MENDS = (
    Mend(
        ServiceQuotasResponse,
        "list_service_quotas",
        default_quotas,
        "has no ListServiceQuotas",
        "servicequotas/responses.py#L23",
    ),
    Mend(
        RDSResponse,
        "describe_account_attributes",
        account_attributes,
        "has no DescribeAccountAttributes of RDS",
        "rds/responses.py#L494",
    ),
    Mend(
        SubnetBackend,
        "delete_subnet",
        with_its_associations,
        "keeps the associations of a deleted subnet with its network ACL and its route table",
        "ec2/models/subnets.py#L630",
    ),
    Mend(
        NatGatewayBackend,
        "delete_nat_gateway",
        with_its_interface,
        "keeps the network interface of a NAT gateway for ever",
        "ec2/models/nat_gateways.py#L31",
    ),
    Mend(
        IAMPolicyStatement,
        "is_action_permitted",
        unless_on_a_condition,
        "denies everything in a bucket whose policy denies plain HTTP",
        "iam/policy_conditions.py#L39",
    ),
    Mend(
        VPCBackend,
        "_filter_endpoint_services",
        with_values,
        "breaks on DescribeVpcEndpointServices with a filter on service-name",
        "ec2/models/vpcs.py#L1203",
    ),
    Mend(
        FakeBucket,
        "_log_permissions_enabled_policy",
        allows_logs,
        "breaks on PutBucketLogging to a bucket whose policy has the principal *, and compares resources literally",
        "s3/models.py#L1369",
    ),
    Mend(
        EC2ContainerServiceBackend,
        "_calculate_task_resource_requirements",
        with_memory,
        "breaks on RunTask when a container has no memory of its own",
        "ecs/models.py#L1388",
    ),
)
