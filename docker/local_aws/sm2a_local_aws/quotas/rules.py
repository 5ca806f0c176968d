# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which call takes how much of which quota, how much of it is in use, and what AWS says when too little is left.

Tasks on Fargate are not refused but not placed (fargate.py). Of the quotas of clusters, and of services in a cluster,
AWS documents no refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ministack.services import alb, iam, rds, s3

from sm2a_local_aws import settings
from sm2a_local_aws.quotas import usage

Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Rule:
    """What a call takes of a quota.

    ``used`` is what is in use. ``takes`` is what the call takes, 0 when the quota does not concern it. ``said`` has
    AWS's text, in which {value} is the quota.
    """

    quota: str
    code: str
    said: str
    used: Callable[[Parameters], float]
    takes: Callable[[Parameters], float] = lambda _parameters: 1
    status: int = 400


def _reached(what: str) -> str:
    """Codes: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html. Users quote the texts."""
    return f"The maximum number of {what} has been reached."


def _exceeding(what: str) -> str:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html (errors), and its like."""
    return f"The request would result in the user exceeding the allowed {what}."


def _new(store: Any, member: str, key: str | None = None) -> Callable[[Parameters], float]:
    """Nothing is taken when there is such a name: the call is answered with what exists, or refused for that."""

    def takes(parameters: Parameters) -> float:
        names = store.keys() if key is None else [record[key] for record in store.values()]
        return 0 if parameters.get(member) in list(names) else 1

    return takes


def _new_rules(direction: str) -> Callable[[Parameters], float]:
    def takes(parameters: Parameters) -> float:
        asked = usage.rules_of(parameters.get("IpPermissions") or [])
        return len(asked - usage.rules(str(parameters.get("GroupId")), direction))

    return takes


def _of_kind(kind: str) -> Callable[[Parameters], float]:
    return lambda parameters: 1 if (parameters.get("VpcEndpointType") or "Gateway") == kind else 0


def _storage(parameters: Parameters) -> float:
    """Of a new DB instance, or what a change adds to one."""
    held = rds._instances.get(str(parameters.get("DBInstanceIdentifier"))) or {}
    return max(0, int(parameters.get("AllocatedStorage") or 0) - int(held.get("AllocatedStorage") or 0))


def _restored_storage(parameters: Parameters) -> float:
    snapshot = rds._snapshots.get(str(parameters.get("DBSnapshotIdentifier"))) or {}
    return int(parameters.get("AllocatedStorage") or snapshot.get("AllocatedStorage") or 0)


def _new_load_balancer(parameters: Parameters) -> float:
    is_application = parameters.get("Type", "application") == "application"
    return _NEW_NAME(parameters) if is_application else 0


_NEW_NAME = _new(alb._lbs, "Name", "LoadBalancerName")
_ENDPOINTS = ("VpcEndpointLimitExceeded", _reached("VPC endpoints"))
_RULES = ("L-0EA8095F", "RulesPerSecurityGroupLimitExceeded", _reached("rules per security group"))
_INSTANCES = Rule(
    "L-7B6409FD",
    "InstanceQuotaExceeded",
    _exceeding("number of DB instances"),
    lambda _: usage.db_instances(),
    _new(rds._instances, "DBInstanceIdentifier"),
)
_STORAGE = ("L-7ADDB58A", "StorageQuotaExceeded", _exceeding("amount of storage available across all DB instances"))

# (service, operation) -> rules.
RULES: Mapping[tuple[str, str], tuple[Rule, ...]] = {
    ("ec2", "CreateVpc"): (Rule("L-F678F1CE", "VpcLimitExceeded", _reached("VPCs"), lambda _: usage.vpcs()),),
    ("ec2", "CreateInternetGateway"): (
        Rule(
            "L-A4707A72",
            "InternetGatewayLimitExceeded",
            _reached("internet gateways"),
            lambda _: usage.internet_gateways(),
        ),
    ),
    ("ec2", "AllocateAddress"): (
        Rule("L-0263D0A3", "AddressLimitExceeded", _reached("addresses"), lambda _: usage.addresses()),
    ),
    # https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html
    ("ec2", "CreateNatGateway"): (
        Rule(
            "L-FE5A380F",
            "NatGatewayLimitExceeded",
            "Performing this operation would exceed the limit of {value} NAT gateways",
            lambda given: usage.nat_gateways(usage.zone_of_subnet(str(given.get("SubnetId")))),
        ),
    ),
    ("ec2", "CreateVpcEndpoint"): (
        Rule(
            "L-29B6F2EB",
            *_ENDPOINTS,
            lambda given: usage.interface_endpoints(str(given.get("VpcId"))),
            _of_kind("Interface"),
        ),
        Rule("L-1B52E74A", *_ENDPOINTS, lambda _: usage.gateway_endpoints(), _of_kind("Gateway")),
    ),
    ("ec2", "CreateSecurityGroup"): (
        Rule(
            "L-E79EC296", "SecurityGroupLimitExceeded", _reached("security groups"), lambda _: usage.security_groups()
        ),
    ),
    ("ec2", "AuthorizeSecurityGroupIngress"): (
        Rule(
            *_RULES,
            lambda given: len(usage.rules(str(given.get("GroupId")), "IpPermissions")),
            _new_rules("IpPermissions"),
        ),
    ),
    ("ec2", "AuthorizeSecurityGroupEgress"): (
        Rule(
            *_RULES,
            lambda given: len(usage.rules(str(given.get("GroupId")), "IpPermissionsEgress")),
            _new_rules("IpPermissionsEgress"),
        ),
    ),
    ("ec2", "CreateSubnet"): (
        Rule(
            "L-407747CB",
            "SubnetLimitExceeded",
            _reached("subnets"),
            lambda given: usage.subnets(str(given.get("VpcId"))),
        ),
    ),
    # https://github.com/openshift/hive/blob/master/config/configmaps/install-log-regexes-configmap.yaml
    ("elbv2", "CreateLoadBalancer"): (
        Rule(
            "L-53DA6B97",
            "TooManyLoadBalancers",
            f"Exceeded quota of account {settings.ACCOUNT_ID}",
            lambda _: usage.load_balancers(),
            _new_load_balancer,
        ),
    ),
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
    ("elbv2", "CreateTargetGroup"): (
        Rule(
            "L-B22855CB",
            "TooManyTargetGroups",
            "You've reached the limit on the number of target groups for your AWS account.",
            lambda _: usage.target_groups(),
            _new(alb._tgs, "Name", "TargetGroupName"),
        ),
    ),
    ("rds", "CreateDBInstance"): (_INSTANCES, Rule(*_STORAGE, lambda _: usage.db_storage(), _storage)),
    ("rds", "ModifyDBInstance"): (Rule(*_STORAGE, lambda _: usage.db_storage(), _storage),),
    ("rds", "RestoreDBInstanceFromDBSnapshot"): (
        _INSTANCES,
        Rule(*_STORAGE, lambda _: usage.db_storage(), _restored_storage),
    ),
    ("rds", "CreateDBSubnetGroup"): (
        Rule(
            "L-48C6BF61",
            "DBSubnetGroupQuotaExceeded",
            _exceeding("number of DB subnet groups"),
            lambda _: usage.db_subnet_groups(),
            _new(rds._subnet_groups, "DBSubnetGroupName"),
        ),
    ),
    ("rds", "CreateDBParameterGroup"): (
        Rule(
            "L-DE55804A",
            "DBParameterGroupQuotaExceeded",
            _exceeding("number of DB parameter groups"),
            lambda _: usage.db_parameter_groups(),
            _new(rds._param_groups, "DBParameterGroupName"),
        ),
    ),
    # https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html (errors); the text as users quote it.
    ("iam", "CreateRole"): (
        Rule(
            "L-FE177D64",
            "LimitExceeded",
            "Cannot exceed quota for RolesPerAccount: {value}",
            lambda _: usage.roles(),
            _new(iam._roles, "RoleName"),
            status=409,
        ),
    ),
    # https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    ("s3", "CreateBucket"): (
        Rule(
            "L-DC2B2D3D",
            "TooManyBuckets",
            "You have attempted to create more buckets than allowed",
            lambda _: usage.buckets(),
            _new(s3._buckets, "Bucket"),
        ),
    ),
    # https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html (errors)
    ("secretsmanager", "CreateSecret"): (
        Rule(
            "L-2F66C23C",
            "LimitExceededException",
            "The request failed because it would exceed one of the Secrets Manager quotas.",
            lambda _: usage.secrets(),
        ),
    ),
    # https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html (errors)
    ("kms", "CreateKey"): (
        Rule(
            "L-C2F1777E",
            "LimitExceededException",
            "The request was rejected because a quota was exceeded.",
            lambda _: usage.keys(),
        ),
    ),
    # https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html (errors)
    **dict.fromkeys(
        (("acm", "RequestCertificate"), ("acm", "ImportCertificate")),
        (
            Rule(
                "L-F141DD1D",
                "LimitExceededException",
                "An ACM quota has been exceeded.",
                lambda _: usage.certificates(),
                lambda given: 0 if given.get("CertificateArn") else 1,
            ),
        ),
    ),
}
