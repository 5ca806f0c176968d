# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Names and tags that AWS refuses, before anything is changed."""

from __future__ import annotations

from datetime import date

import pytest
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws import names, tags
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws_values import problems
from ansible_collections.sm2a.airflow.tests.unit.plugins.plugin_utils.inputs.rules.rule_cases import (
    Cases,
    JointCases,
    RuleTests,
)

REGIONS = ["eu-west-1", "us-gov-west-1", "eusc-de-east-1", "us-isob-east-1", "ap-southeast-7", "cn-north-1"]
NO_REGIONS = ["eu-west-1a", "eu_west_1", "Ireland", "euw1-az1", "EU-WEST-1"]
VPCS = (["vpc-0123456789abcdef0", "vpc-1a2b3c4d"], ["my-vpc", "0123456789abcdef0", "subnet-0123456789abcdef0"])
SUBNETS = ([[], ["subnet-0123456789abcdef0", "subnet-1a2b3c4d"]], [["vpc-0123456789abcdef0"], [""], ["private a"]])
GROUPS = ([["sg-0123456789abcdef0"]], [["default"], ["subnet-1a2b3c4d"]])
PATHS = (
    ["/", "/sm2a/", "/a/b/", "/" + "a" * 510 + "/"],
    ["sm2a", "/sm2a", "sm2a/", "/a b/", "/" + "a" * 511 + "/", "//ü/"],
)
ENDPOINTS = (
    [[], ["ecr.api", "ecr.dkr", "logs", "ecs-agent", "execute-api", "elasticmapreduce", "ssm"]],
    [["com.amazonaws.eu-west-1.sqs"], ["aws.sagemaker.eu-west-1.studio"], ["ECR"], ["ecr api"], [""]],
)
CLUSTERS = (["sm2a", "Team_A-1", "arn:aws-cn:ecs:cn-north-1:123456789012:cluster/a"], ["a b", "a/b", "a" * 256])
NAME_CASES: Cases = {
    "sm2a_name": (
        ["ab", "prod", "team-a", "a1-b2-c3", "internal", "sgx", "default-2", "aws-data", "a" * 21, "s3-data", "amzn"],
        [
            "a",
            "a" * 22,
            "1a",
            "Team",
            "a_b",
            "team-",
            "a--b",
            "internal-airflow",
            "sg",
            "sg-x",
            "default",
            "sthree",
            "sthree-x",
            "amzn-s3-demo",
            "amzn-s3-demo-x",
        ],
    ),
    "sm2a_region": (REGIONS, NO_REGIONS),
    "airflow_region": (REGIONS, NO_REGIONS),
    "autoscaler_region": (REGIONS, NO_REGIONS),
    "monitoring_region": (REGIONS, NO_REGIONS),
    "network_availability_zones": (
        [[], ["eu-west-1a", "eu-west-1b"], ["us-west-2-lax-1a", "us-west-2a"], ["us-gov-west-1c", "eusc-de-east-1a"]],
        [["euw1-az1"], ["eu-west-1"], [""], ["a", "b"]],
    ),
    "network_vpc_id": VPCS,
    "load_balancer_vpc_id": VPCS,
    "network_public_subnet_ids": SUBNETS,
    "network_private_subnet_ids": SUBNETS,
    "load_balancer_subnet_ids": SUBNETS,
    "database_subnet_ids": SUBNETS,
    "airflow_subnet_ids": SUBNETS,
    "autoscaler_subnet_ids": SUBNETS,
    "load_balancer_security_group_ids": GROUPS,
    "database_security_group_ids": GROUPS,
    "autoscaler_security_group_ids": GROUPS,
    "cluster_iam_path": PATHS,
    "network_iam_path": PATHS,
    "database_iam_path": PATHS,
    "airflow_cluster_name": CLUSTERS,
    "autoscaler_cluster_name": CLUSTERS,
    "monitoring_cluster_name": CLUSTERS,
    "database_final_snapshot_identifier": (
        ["a", "prod-final-2", "A1", "a" * 255],
        ["1a", "a-", "a--b", "a_b", "a" * 256],
    ),
    "database_snapshot_identifier": (
        ["prod-1", "rds:prod-2024-01-01-00-00", "arn:aws:rds:eu-west-1:123456789012:snapshot:rds:prod-1"],
        ["1a", "a b"],
    ),
    "monitoring_database_identifier": (["", "prod", "a-1"], ["a_b", "prod-"]),
    "database_ca_certificate_identifier": (["rds-ca-rsa2048-g1", "rds-ca-ecc384-g1"], ["rds ca", "rds_ca"]),
    "network_interface_endpoint_services": ENDPOINTS,
    "network_extra_interface_endpoint_services": ENDPOINTS,
    "autoscaler_log_group_name": (["/sm2a/a/autoscaler", "a#b_c.d"], ["a b", "a" * 513]),
    "monitoring_log_group_names": ([[], ["/sm2a/a/worker"]], [["a:b"], [""]]),
}
TOGETHER: JointCases = [
    (
        {"network_availability_zones": ["eu-west-1a", "eu-west-1b"], "sm2a_region": "eu-central-1"},
        "zones must be of eu-central-1",
    ),
    ({"network_availability_zones": ["eu-west-1a", "eu-west-1b"], "sm2a_region": "eu-west-1"}, None),
    ({"network_availability_zones": ["eu-west-1a", "eu-west-1b"]}, None),
    ({"network_availability_zones": ["us-west-2-lax-1a", "us-west-2b"], "sm2a_region": "us-west-2"}, None),
]
TAG_CASES: Cases = {
    "sm2a_tags": (
        [
            {},
            {"cost-center": "data-platform"},
            {"k" * 64: "v" * 64},
            {"k" * 128: "v" * 256},
            {"Name": "airflow"},
            {"owner": ""},
            {"a": 1, "b": "1.5", "c": "True"},
            {"größe": "übermäßig", "名前": "気流"},
            {"a b": "c d", "_.:/=+-@": "_.:/=+-@"},
            {"awsome": "aws", "my-aws:x": "x", "rdsx": "rds"},
            {"sm2a:cost": "x"},
            {1: 2},
            {f"k{number}": "v" for number in range(47)},
        ],
        [
            {"aws:owner": "x"},
            {"AWS:owner": "x"},
            {"Aws:owner": "x"},
            {"rds:owner": "x"},
            {"owner": "aws:x"},
            {"owner": {"team": "a"}},
            {"owner": ["a"]},
            {"owner": None},
            {"since": date(2024, 1, 1)},
            {"version": 1.1},
            {"reviewed": True},
            {"": "x"},
            {"k" * 129: "x"},
            {"k": "v" * 257},
            {"a&b": "x"},
            {"a": "b,c"},
            {"a": "b\nc"},
            {"a": "🙂"},
            {" a": "x"},
            {"a": "x "},
            {"sm2a:environment": "x"},
            {"sm2a:role": "x"},
            {"SM2A:Role": "x"},
            {"sm2a:source": "x"},
            {"sm2a:task_role": "x"},
            {"Owner": "a", "owner": "b"},
            {f"k{number}": "v" for number in range(48)},
        ],
    )
}
CASES = {**NAME_CASES, **TAG_CASES}


class TestRules(RuleTests):
    rules = (*names.RULES, *tags.RULES)
    joint_rules = names.JOINT_RULES
    cases = CASES
    together = TOGETHER
    problems = staticmethod(problems)


@pytest.mark.parametrize(
    ("name", "way_out"),
    [
        ("data--prod", "write 'data-prod'"),
        ("prod-", "end with a letter or digit"),
        ("internal-a", "choose another"),
    ],
)
def test_a_refused_name_comes_with_the_way_out(name: str, way_out: str) -> None:
    [problem] = problems({"sm2a_name": name})
    assert way_out in problem


def test_a_zone_is_taken_for_its_region() -> None:
    assert problems({"sm2a_region": "eu-west-1a"}) == [
        "sm2a_region: must be a region, not the zone 'eu-west-1a' of one; write 'eu-west-1'"
    ]
