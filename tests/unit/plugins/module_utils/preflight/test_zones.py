# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Zones without Fargate, and without the services of VPC endpoints."""

from __future__ import annotations

import boto3
import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.zones import Zones, endpoint_zones, fargate_zones
from ansible_collections.sm2a.airflow.tests.support import modules as support
from botocore.stub import Stubber

# The names of an account, in which a is not the first zone.
TOKYO = {"ap-northeast-1a": "apne1-az4", "ap-northeast-1c": "apne1-az3", "ap-northeast-1d": "apne1-az2"}
IRELAND = {"eu-west-1a": "euw1-az2", "eu-west-1b": "euw1-az3", "eu-west-1c": "euw1-az1"}


@pytest.mark.parametrize(
    ("region", "ids", "chosen"),
    [
        ("ap-northeast-1", TOKYO, ["ap-northeast-1a", "ap-northeast-1d"]),
        ("eu-west-1", IRELAND, ["eu-west-1a", "eu-west-1b"]),
        ("eusc-de-east-1", {"eusc-de-east-1a": "euscde1-az1"}, ["eusc-de-east-1a"]),
    ],
)
def test_zones_with_fargate_are_fine(region: str, ids: dict[str, str], chosen: list[str]) -> None:
    assert fargate_zones(Zones(chosen, ids), region) == []


def test_a_zone_without_fargate_is_told_by_name_and_id_with_those_that_have_it() -> None:
    [finding] = fargate_zones(Zones(["ap-northeast-1a", "ap-northeast-1c"], TOKYO), "ap-northeast-1")
    assert finding.check == "fargate_zones"
    assert finding.message == (
        "Fargate does not run in ap-northeast-1c (apne1-az3): name as many of ap-northeast-1a (apne1-az4), "
        "ap-northeast-1d (apne1-az2) in network_availability_zones."
    )


def test_a_zone_that_the_account_has_not_is_told() -> None:
    [finding] = fargate_zones(Zones(["eu-west-1a", "eu-west-1x"], IRELAND), "eu-west-1")
    assert "no zone eu-west-1x in eu-west-1" in finding.message


def test_services_must_be_in_every_zone(aws_environment: None) -> None:
    ec2 = boto3.client("ec2", region_name=support.REGION)
    services = ["sqs", "logs", "monitoring"]
    names = [f"com.amazonaws.{support.REGION}.{service}" for service in services]
    details = [
        {"ServiceName": names[0], "AvailabilityZones": ["eu-west-1a", "eu-west-1b"]},
        {"ServiceName": names[1], "AvailabilityZones": ["eu-west-1a", "eu-west-1c"]},
    ]
    with Stubber(ec2) as answers:
        asked = {"Filters": [{"Name": "service-name", "Values": names}]}
        answers.add_response("describe_vpc_endpoint_services", {"ServiceDetails": details}, asked)
        findings = endpoint_zones(ec2, Zones(["eu-west-1a", "eu-west-1b"], IRELAND), services)
    assert [finding.message for finding in findings] == [
        "The VPC endpoint of logs is not in eu-west-1b (euw1-az3): choose zones of eu-west-1a, eu-west-1c, or leave it "
        "out.",
        "AWS has no VPC endpoint of monitoring in eu-west-1: leave it out.",
    ]
    assert endpoint_zones(ec2, Zones([], {}), []) == []
