# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What is there counts, what the environment has is not asked for again, and what it lacks is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight import network_usage, service_usage
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.quotas import Usage
from ansible_collections.sm2a.airflow.tests.support import modules as support
from botocore.stub import Stubber

OWN = [{"Key": "sm2a:environment", "Value": "staging"}]
THEIRS = [{"Key": "sm2a:environment", "Value": "production"}]
NETWORK: dict[str, Any] = {
    "vpc_id": None,
    "nat_gateways": 2,
    "interface_endpoints": ["sqs", "logs"],
    "gateway_endpoints": 1,
    "security_groups": 9,
    "security_group_rules": 6,
}
Answers = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def scripted(aws_environment: None) -> Callable[[str, Answers], Any]:
    """A client of a service, within whose block exactly these calls are answered, in order."""

    @contextmanager
    def make(service: str, answers: Answers) -> Iterator[Any]:
        client = boto3.client(service, region_name=support.REGION)
        with Stubber(client) as stubber:
            for operation, answer in answers:
                stubber.add_response(operation, answer)
            yield client
            stubber.assert_no_pending_responses()

    return make


@pytest.mark.parametrize(
    ("tags", "given", "expected"),
    [([], None, Usage(1, 1)), ([OWN], None, Usage(2, 0)), ([THEIRS], None, Usage(2, 1)), ([], "vpc-9", Usage(1, 0))],
)
def test_a_vpc_is_asked_for_once(
    scripted: Callable[[str, Answers], Any], tags: list[Any], given: str | None, expected: Usage
) -> None:
    found = {"Vpcs": [{"VpcId": "vpc-0"}, *({"VpcId": "vpc-1", "Tags": one} for one in tags)]}
    with scripted("ec2", [("describe_vpcs", found)]) as ec2:
        assert network_usage.vpcs(ec2, "staging", {**NETWORK, "vpc_id": given}) == [expected]


def test_addresses_of_an_interrupted_run_are_its_own(scripted: Callable[[str, Answers], Any]) -> None:
    addresses = {"Addresses": [{"Tags": OWN}, {"Tags": THEIRS}, {}]}
    with scripted("ec2", [("describe_addresses", addresses)]) as ec2:
        assert network_usage.elastic_ips(ec2, "staging", NETWORK) == [Usage(3, 1)]


def test_nat_gateways_count_in_their_zones(scripted: Callable[[str, Answers], Any]) -> None:
    gateways = [
        {"SubnetId": "subnet-1", "Tags": OWN},
        {"SubnetId": "subnet-1", "Tags": THEIRS},
        {"SubnetId": "subnet-2", "Tags": THEIRS},
    ]
    subnets = [
        {"SubnetId": f"subnet-{number}", "AvailabilityZone": f"eu-west-1{zone}"} for number, zone in enumerate("abc", 1)
    ]
    answers: Answers = [
        ("describe_nat_gateways", {"NatGateways": gateways}),
        ("describe_subnets", {"Subnets": subnets}),
    ]
    with scripted("ec2", answers) as ec2:
        zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
        assert network_usage.nat_gateways(ec2, "staging", NETWORK, zones) == [
            Usage(2, 0, where=" (eu-west-1a)"),
            Usage(1, 1, where=" (eu-west-1b)"),
        ]
        assert network_usage.nat_gateways(ec2, "staging", {**NETWORK, "nat_gateways": 0}, zones) == []


def endpoint(vpc: str, kind: str, service: str, state: str = "available", **more: Any) -> dict[str, Any]:
    name = f"com.amazonaws.{support.REGION}.{service}"
    return {"VpcId": vpc, "VpcEndpointType": kind, "ServiceName": name, "State": state, **more}


def test_interface_endpoints_count_in_the_vpc_of_the_environment(scripted: Callable[[str, Answers], Any]) -> None:
    vpcs = {"Vpcs": [{"VpcId": "vpc-1", "Tags": OWN}, {"VpcId": "vpc-2"}]}
    endpoints = [
        endpoint("vpc-1", "Interface", "sqs"),
        endpoint("vpc-1", "Interface", "kms"),
        endpoint("vpc-1", "Interface", "logs", state="deleted"),
        endpoint("vpc-1", "Gateway", "s3"),
        endpoint("vpc-2", "Interface", "logs"),
    ]
    listed = ("describe_vpc_endpoints", {"VpcEndpoints": endpoints})
    with scripted("ec2", [("describe_vpcs", vpcs), listed]) as ec2:
        assert network_usage.interface_endpoints(ec2, "staging", NETWORK) == [Usage(2, 1)]
    with scripted("ec2", [listed]) as ec2:
        assert network_usage.interface_endpoints(ec2, "staging", {**NETWORK, "vpc_id": "vpc-2"}) == [Usage(1, 1)]
    with scripted("ec2", [("describe_vpcs", {"Vpcs": []}), listed]) as ec2:
        assert network_usage.interface_endpoints(ec2, "staging", NETWORK) == [Usage(0, 2)]
    with scripted("ec2", [listed]) as ec2:
        assert network_usage.gateway_endpoints(ec2, "staging", NETWORK) == [Usage(1, 1)]


def test_network_load_balancers_have_another_quota(scripted: Callable[[str, Answers], Any]) -> None:
    found = [
        {"LoadBalancerName": "other", "Type": "application"},
        {"LoadBalancerName": "staging", "Type": "network"},
    ]
    options = {"name": "staging", "target_group": "staging-api-server"}
    with scripted("elbv2", [("describe_load_balancers", {"LoadBalancers": found})]) as elbv2:
        assert service_usage.load_balancers(elbv2, options) == [Usage(1, 1)]
    groups = {"TargetGroups": [{"TargetGroupName": "staging-api-server"}]}
    with scripted("elbv2", [("describe_target_groups", groups)]) as elbv2:
        assert service_usage.target_groups(elbv2, options) == [Usage(1, 0)]


def test_tasks_of_others_count_for_fargate_and_our_own_are_part_of_what_is_asked(
    scripted: Callable[[str, Answers], Any],
) -> None:
    clusters = [f"arn:aws:ecs:eu-west-1:123456789012:cluster/{name}" for name in ("staging", "other", "empty")]
    tasks = [
        {"capacityProviderName": "FARGATE", "cpu": "2048"},
        {"launchType": "FARGATE", "cpu": "512"},
        {"capacityProviderName": "FARGATE_SPOT", "launchType": "FARGATE", "cpu": "4096"},
        {"launchType": "EC2", "cpu": "8192"},
    ]
    answers: Answers = [
        ("list_clusters", {"clusterArns": clusters}),
        ("list_tasks", {"taskArns": ["a", "b", "c", "d"]}),
        ("describe_tasks", {"tasks": tasks}),
        ("list_tasks", {"taskArns": []}),
    ]
    demands = [
        {"capacity_provider": "FARGATE", "at_start": 5.25, "at_most": 12.75},
        {"capacity_provider": "FARGATE_SPOT", "at_start": 0.0, "at_most": 4.0},
    ]
    with scripted("ecs", answers) as ecs:
        assert service_usage.fargate(ecs, "staging", demands) == {
            "fargate_on_demand_vcpu": [Usage(2.5, 5.25, 7.5)],
            "fargate_spot_vcpu": [Usage(4, 0, 4)],
        }


def test_rds_counts_itself_and_a_database_that_is_there_needs_only_more_storage(
    scripted: Callable[[str, Answers], Any],
) -> None:
    used = [{"AccountQuotaName": "DBInstances", "Used": 3, "Max": 40}]
    used.append({"AccountQuotaName": "AllocatedStorage", "Used": 300, "Max": 100000})
    answers: Answers = [
        ("describe_db_instances", {"DBInstances": [{"AllocatedStorage": 20}]}),
        ("describe_db_subnet_groups", {"DBSubnetGroups": [{"DBSubnetGroupName": "staging"}]}),
        ("describe_db_parameter_groups", {"DBParameterGroups": [{"DBParameterGroupName": "staging-postgres17"}]}),
        ("describe_account_attributes", {"AccountQuotas": used}),
    ]
    options = {"identifier": "staging", "subnet_group": "staging", "parameter_group": "staging-postgres17"}
    with scripted("rds", answers) as rds:
        assert service_usage.databases(rds, {**options, "allocated_storage": 100}) == {
            "db_instances": [Usage(3, 0)],
            "db_storage": [Usage(300, 80)],
        }


def test_a_large_account_is_counted_in_part(scripted: Callable[[str, Answers], Any]) -> None:
    pages = [{"SecretList": [{"Name": "a"}], "NextToken": f"{number}"} for number in range(service_usage.PAGES)]
    with scripted("secretsmanager", [("list_secrets", page) for page in pages]) as secretsmanager:
        assert service_usage.secrets(secretsmanager, ["a", "b"]) == [Usage(service_usage.PAGES, 1)]


def test_iam_tells_its_quota(scripted: Callable[[str, Answers], Any]) -> None:
    summary = {"SummaryMap": {"Roles": 990, "RolesQuota": 1000}}
    with scripted("iam", [("get_account_summary", summary)]) as iam:
        answer = service_usage.iam_roles(iam, 11)
    assert (answer.usages, answer.values) == ({"iam_roles": [Usage(990, 11)]}, {"L-FE177D64": 1000.0})


@pytest.mark.parametrize(("there", "lacking"), [([], 2), (["staging-logs-1"], 1), (["staging-logs-1", "x"], 1)])
def test_buckets(scripted: Callable[[str, Answers], Any], there: list[str], lacking: int) -> None:
    with scripted("s3", [("list_buckets", {"Buckets": [{"Name": name} for name in there]})]) as s3:
        names = ["staging-logs-1", "staging-dags-1"]
        assert service_usage.buckets(s3, names) == [Usage(len(there), lacking)]
