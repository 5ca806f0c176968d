# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Names, ids and paths that AWS refuses: of the environment, the region, zones, networks, roles and snapshots. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.shapes import (
    each,
    items,
    matching,
    of_text,
    text,
)
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.table import JointRule, Problem, Rule, same

LOAD_BALANCER = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html"
TARGET_GROUP = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html"
DB_INSTANCE = "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html"
SUBNET_GROUP = "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBSubnetGroup.html"
SECURITY_GROUP = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html"
BUCKET = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"
REGIONS = "https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html"
ZONES = "https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones.html"
RESOURCE_IDS = "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html"
ROLE = "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html"
CLUSTER = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateCluster.html"
ENDPOINTS = "https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html"
RESTORE = "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RestoreDBInstanceFromDBSnapshot.html"
LOG_GROUP = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html"
SNAPSHOT = "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBInstance.html"

# "eusc-de-east-1" and "us-isob-east-1" are regions, too.
REGION = r"[a-z]{2,4}(-[a-z]+)+-\d+"
# S3 keeps names with these beginnings for itself; "xn--" is no name of an environment anyway.
RESERVED_BUCKETS = ("sthree-", "amzn-s3-demo-")


def _ends_with_hyphen(name: str) -> str | None:
    return f"must end with a letter or digit, not with a hyphen as {name!r} does" if name.endswith("-") else None


def _repeats_hyphen(name: str) -> str | None:
    if "--" not in name:
        return None
    return f"must not have two hyphens together, which names of RDS may not; write {re.sub('-+', '-', name)!r}"


def _begins_with_internal(name: str) -> str | None:
    if not name.startswith("internal-"):
        return None
    return f"must not begin with 'internal-', which names of load balancers may not; choose another than {name!r}"


def _begins_with_sg(name: str) -> str | None:
    # The group of the name "sg" would be sg-load-balancer.
    if not f"{name}-".startswith("sg-"):
        return None
    return f"must not begin with 'sg-', as names of security groups would then; choose another than {name!r}"


def _is_default(name: str) -> str | None:
    if name != "default":
        return None
    return "must not be 'default', a name that RDS keeps for a subnet group, and ECS for a cluster, of its own"


def _begins_like_reserved_bucket(name: str) -> str | None:
    found = next((start for start in RESERVED_BUCKETS if f"{name}-".startswith(start)), None)
    return found and f"must not begin with {found!r}, which names of buckets may not; choose another than {name!r}"


def _region(value: str) -> str | None:
    if re.fullmatch(REGION, value):
        return None
    if re.fullmatch(f"{REGION}[a-z]", value):
        return f"must be a region, not the zone {value!r} of one; write {value[:-1]!r}"
    return f"must be the code of a region such as eu-west-1 or us-gov-west-1, not {value!r}"


def _id(prefix: str, what: str) -> Problem:
    return matching(rf"{prefix}-[0-9a-f]+", f"the id of a {what}, such as {prefix}-0123456789abcdef0")


def _service(value: str) -> str | None:
    if re.match(r"(com|cn|eu)\.amazonaws\.|aws\.", value):
        return f"must be the last part of a service's name, as ecr.api, not {value!r}"
    if re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*", value):
        return None
    return f"must be the name of an AWS service, as ecr.api, not {value!r}"


def _zone_of_other_region(values: Mapping[str, Any]) -> str | None:
    region = text(values, "sm2a_region")
    wrong = [str(zone) for zone in items(values, "network_availability_zones") if not str(zone).startswith(region)]
    if not region or not wrong:
        return None
    return f"zones must be of {region}, as {region}a would be, not {', '.join(wrong)}"


CLUSTER_NAME = matching(r"[A-Za-z0-9_-]{1,255}", "1 to 255 letters, digits, hyphens and underscores")
# ECS takes the name or the ARN of a cluster that exists.
CLUSTER_REFERENCE = of_text(lambda value: None if value.startswith("arn:") else CLUSTER_NAME(value))
IAM_PATH = matching(
    r"/|/[!-~]{1,510}/", "'/', or at most 512 characters without spaces that begin and end with '/', such as /sm2a/"
)
LOG_GROUP_NAME = matching(r"[A-Za-z0-9._/#-]{1,512}", "1 to 512 letters, digits and ._/#-")
SNAPSHOT_NAME = matching(
    r"(?=.{1,255}$)[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*",
    "1 to 255 letters, digits and single hyphens that begin with a letter and do not end with a hyphen",
)

RULES: list[Rule] = [
    # The longest name that the roles make of it is <name>-api-server, of 32 characters at most.
    Rule(
        "sm2a_name",
        TARGET_GROUP,
        matching(r"[a-z][a-z0-9-]{1,20}", "2 to 21 lower-case letters, digits and hyphens that begin with a letter"),
    ),
    Rule("sm2a_name", LOAD_BALANCER, of_text(_ends_with_hyphen)),
    Rule("sm2a_name", DB_INSTANCE, of_text(_repeats_hyphen)),
    Rule("sm2a_name", LOAD_BALANCER, of_text(_begins_with_internal)),
    Rule("sm2a_name", SECURITY_GROUP, of_text(_begins_with_sg)),
    Rule("sm2a_name", SUBNET_GROUP, of_text(_is_default)),
    Rule("sm2a_name", BUCKET, of_text(_begins_like_reserved_bucket)),
    *same(REGIONS, of_text(_region), "sm2a_region", "airflow_region", "autoscaler_region", "monitoring_region"),
    Rule(
        "network_availability_zones",
        ZONES,
        each(matching(rf"{REGION}([a-z]|-[a-z0-9-]+)", "the name of a zone, such as eu-west-1a")),
    ),
    *same(RESOURCE_IDS, _id("vpc", "VPC"), "network_vpc_id", "load_balancer_vpc_id"),
    *same(
        RESOURCE_IDS,
        each(_id("subnet", "subnet")),
        "network_public_subnet_ids",
        "network_private_subnet_ids",
        "load_balancer_subnet_ids",
        "database_subnet_ids",
        "airflow_subnet_ids",
        "autoscaler_subnet_ids",
    ),
    *same(
        RESOURCE_IDS,
        each(_id("sg", "security group")),
        "load_balancer_security_group_ids",
        "database_security_group_ids",
        "autoscaler_security_group_ids",
    ),
    *same(ROLE, IAM_PATH, "cluster_iam_path", "network_iam_path", "database_iam_path"),
    *same(CLUSTER, CLUSTER_REFERENCE, "airflow_cluster_name", "autoscaler_cluster_name", "monitoring_cluster_name"),
    Rule("database_final_snapshot_identifier", SNAPSHOT, SNAPSHOT_NAME),
    # An automated one is "rds:name", a shared one has an ARN.
    Rule("database_snapshot_identifier", RESTORE, matching(r"[A-Za-z][A-Za-z0-9:/._-]*", "a snapshot's name or ARN")),
    Rule("monitoring_database_identifier", DB_INSTANCE, SNAPSHOT_NAME),
    Rule(
        "database_ca_certificate_identifier",
        DB_INSTANCE,
        matching(r"[A-Za-z][A-Za-z0-9-]*", "the name of a certificate authority, such as rds-ca-rsa2048-g1"),
    ),
    *same(
        ENDPOINTS,
        each(of_text(_service)),
        "network_interface_endpoint_services",
        "network_extra_interface_endpoint_services",
    ),
    Rule("autoscaler_log_group_name", LOG_GROUP, LOG_GROUP_NAME),
    Rule("monitoring_log_group_names", LOG_GROUP, each(LOG_GROUP_NAME)),
]
JOINT_RULES: list[JointRule] = [
    JointRule(("network_availability_zones", "sm2a_region"), ZONES, _zone_of_other_region),
]
