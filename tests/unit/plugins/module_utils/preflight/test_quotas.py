# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether what is asked for fits into quotas, and how quotas are read."""

from __future__ import annotations

import boto3
import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.quotas import (
    QUOTAS,
    Usage,
    global_region,
    judge,
    quotas_of,
    shown,
)
from ansible_collections.sm2a.airflow.tests.support import modules as support
from botocore.stub import Stubber

VPCS = QUOTAS["vpcs"].code
VCPU = QUOTAS["fargate_on_demand_vcpu"].code


@pytest.mark.parametrize(("used", "missing", "value"), [(4, 1, 5), (5, 0, 5), (9, 0, 5), (0, 0, 0), (0, 1, 1)])
def test_what_fits_or_is_there_already_is_no_problem(used: float, missing: float, value: float) -> None:
    assert judge("vpcs", [Usage(used, missing)], {VPCS: value}, "eu-west-1") == []


@pytest.mark.parametrize(("used", "missing", "value"), [(5, 1, 5), (0, 1, 0), (4, 2, 5)])
def test_what_does_not_fit_is_certain(used: float, missing: float, value: float) -> None:
    [finding] = judge("vpcs", [Usage(used, missing)], {VPCS: value}, "eu-west-1")
    assert (finding.check, finding.certain) == ("vpcs", True)


def test_the_message_has_numbers_code_and_command() -> None:
    [finding] = judge("vpcs", [Usage(5, 1)], {VPCS: 5}, "eu-west-1")
    assert finding.message == (
        "VPCs: the environment needs 1 more, 5 are used, and the quota vpc/L-F678F1CE is 5. Delete what is unused, or "
        "request an increase: aws service-quotas request-service-quota-increase --region eu-west-1 --service-code vpc "
        "--quota-code L-F678F1CE --desired-value 6"
    )


def test_what_comes_later_is_a_guess() -> None:
    [finding] = judge("fargate_on_demand_vcpu", [Usage(0.5, 5.25, 7.5)], {VCPU: 6}, "eu-west-1")
    assert not finding.certain
    assert "can need" in finding.message
    assert "12.75 more" in finding.message
    assert finding.message.endswith("--desired-value 14")
    assert judge("fargate_on_demand_vcpu", [Usage(0.5, 5.25, 7.5)], {VCPU: 13.25}, "eu-west-1") == []


def test_each_zone_is_judged() -> None:
    usages = [Usage(5, 1, where=" (a)"), Usage(4, 1, where=" (b)"), Usage(5, 0, where=" (c)")]
    [finding] = judge("nat_gateways", usages, {QUOTAS["nat_gateways"].code: 5}, "eu-west-1")
    assert finding.message.startswith("NAT gateways of a zone (a): ")


def test_a_quota_that_nobody_knows_is_not_judged() -> None:
    assert judge("vpcs", [Usage(100, 1)], {}, "eu-west-1") == []


def test_defaults_are_asked_for_what_is_not_applied(aws_environment: None) -> None:
    client = boto3.client("service-quotas", region_name=support.REGION)
    with Stubber(client) as answers:
        applied = [{"QuotaCode": "L-1", "Value": 10.0}, {"QuotaCode": "L-9", "Value": 1.0}]
        answers.add_response("list_service_quotas", {"Quotas": applied}, {"ServiceCode": "vpc"})
        assert quotas_of(client, "vpc", {"L-1"}) == {"L-1": 10}
        answers.add_response("list_service_quotas", {"Quotas": applied}, {"ServiceCode": "vpc"})
        defaults = [{"QuotaCode": "L-1", "Value": 5.0}, {"QuotaCode": "L-2", "Value": 7.0}]
        answers.add_response("list_aws_default_service_quotas", {"Quotas": defaults}, {"ServiceCode": "vpc"})
        assert quotas_of(client, "vpc", {"L-1", "L-2", "L-3"}) == {"L-1": 10, "L-2": 7}
        answers.assert_no_pending_responses()


def test_a_service_that_service_quotas_does_not_know_has_none(aws_environment: None) -> None:
    client = boto3.client("service-quotas", region_name=support.REGION)
    with Stubber(client) as answers:
        for operation in ("list_service_quotas", "list_aws_default_service_quotas"):
            answers.add_client_error(operation, "NoSuchResourceException")
        assert quotas_of(client, "s3", {"L-1"}) == {}


def test_quotas_of_the_account_are_in_one_region_of_a_partition() -> None:
    assert global_region("aws", "eu-west-1") == "us-east-1"
    assert global_region("aws-us-gov", "us-gov-east-1") == "us-gov-west-1"
    assert global_region("aws-eusc", "eusc-de-east-1") == "eusc-de-east-1"


@pytest.mark.parametrize(("number", "text"), [(3, "3"), (2.5, "2.5"), (100000, "100,000"), (0, "0"), (10, "10")])
def test_numbers_are_for_people(number: float, text: str) -> None:
    assert shown(number) == text
