# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Service Quotas answers with default values and with those that apply to the account, a page at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from sm2a_local_aws.quotas import catalogue

VPCS = {"ServiceCode": "vpc", "QuotaCode": "L-F678F1CE"}
ROLES = {"ServiceCode": "iam", "QuotaCode": "L-FE177D64"}


def in_region(aws: Any, region: str) -> Any:
    """A client of Service Quotas in another Region."""
    meta = aws.client("service-quotas").meta
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client("service-quotas", region_name=region, endpoint_url=meta.endpoint_url, **keys)


def test_codes_are_unique_and_services_have_names() -> None:
    assert len(catalogue.BY_CODE) == len(catalogue.QUOTAS)
    assert {quota.service for quota in catalogue.QUOTAS} == catalogue.SERVICES.keys()


def test_a_default_value_belongs_to_no_account(aws_with_account: Any) -> None:
    quota = aws_with_account.client("service-quotas").get_aws_default_service_quota(**VPCS)["Quota"]
    assert quota == {
        "ServiceCode": "vpc",
        "ServiceName": "Amazon Virtual Private Cloud (Amazon VPC)",
        "QuotaArn": "arn:aws:servicequotas:eu-west-1::vpc/L-F678F1CE",
        "QuotaCode": "L-F678F1CE",
        "QuotaName": "VPCs per Region",
        "Value": 5.0,
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
    }


def test_an_applied_value_is_the_accounts(aws_with_account: Any, account: Callable[..., None]) -> None:
    quotas = aws_with_account.client("service-quotas")
    assert quotas.get_service_quota(**VPCS)["Quota"]["Value"] == 500.0
    account(quotas={"L-F678F1CE": 7})
    quota = quotas.get_service_quota(**VPCS)["Quota"]
    assert (quota["Value"], quota["QuotaArn"]) == (7.0, "arn:aws:servicequotas:eu-west-1:000000000000:vpc/L-F678F1CE")
    assert quotas.get_aws_default_service_quota(**VPCS)["Quota"]["Value"] == 5.0


def test_iam_tells_the_quota_of_roles_itself(aws_with_account: Any, account: Callable[..., None]) -> None:
    iam = aws_with_account.client("iam")
    assert iam.get_account_summary()["SummaryMap"]["RolesQuota"] == 1000
    account(quotas={ROLES["QuotaCode"]: 7})
    assert iam.get_account_summary()["SummaryMap"]["RolesQuota"] == 7


@pytest.mark.parametrize("operation", ["list_service_quotas", "list_aws_default_service_quotas"])
def test_pages_together_are_all_of_a_service(aws_with_account: Any, operation: str) -> None:
    quotas = aws_with_account.client("service-quotas")
    first = getattr(quotas, operation)(ServiceCode="vpc", MaxResults=3)
    assert len(first["Quotas"]) == 3
    pages = list(quotas.get_paginator(operation).paginate(ServiceCode="vpc", PaginationConfig={"PageSize": 3}))
    codes = [quota["QuotaCode"] for page in pages for quota in page["Quotas"]]
    assert codes == [quota.code for quota in catalogue.of_service("vpc", "eu-west-1")]
    assert len(pages) == 3
    assert "NextToken" not in pages[-1]


def test_one_quota_can_be_listed(aws_with_account: Any) -> None:
    quotas = aws_with_account.client("service-quotas").list_service_quotas(**VPCS)["Quotas"]
    assert [quota["QuotaName"] for quota in quotas] == ["VPCs per Region"]


def test_global_quotas_are_known_in_one_region(aws_with_account: Any) -> None:
    there = in_region(aws_with_account, "us-east-1")
    assert there.get_service_quota(**ROLES)["Quota"]["GlobalQuota"] is True
    here = aws_with_account.client("service-quotas")
    with pytest.raises(ClientError, match=r"NoSuchResourceException.*the specified service does not exist"):
        here.get_service_quota(**ROLES)
    listed = [{one["ServiceCode"] for one in quotas.list_services()["Services"]} for quotas in (here, there)]
    assert listed[1] - listed[0] == {"iam", "s3"}


@pytest.mark.parametrize(
    ("operation", "parameters", "refusal"),
    [
        (
            "get_service_quota",
            {"ServiceCode": "nonsense", "QuotaCode": "L-F678F1CE"},
            "service does not exist",
        ),
        ("list_service_quotas", {"ServiceCode": "nonsense"}, "service does not exist"),
        ("get_service_quota", {"ServiceCode": "vpc", "QuotaCode": "L-00000000"}, "quota does not exist"),
        (
            "get_aws_default_service_quota",
            {"ServiceCode": "ec2", "QuotaCode": "L-F678F1CE"},
            "quota does not exist",
        ),
        ("list_service_quotas", {"ServiceCode": "vpc", "NextToken": "a"}, "InvalidPaginationTokenException"),
        ("request_service_quota_increase", {**VPCS, "DesiredValue": 9.0}, "UnknownOperationException"),
    ],
)
def test_what_is_not_there_is_refused(
    aws_with_account: Any, operation: str, parameters: dict[str, Any], refusal: str
) -> None:
    with pytest.raises(ClientError, match=refusal):
        getattr(aws_with_account.client("service-quotas"), operation)(**parameters)


def test_rds_tells_its_own(aws_with_account: Any, account: Callable[..., None]) -> None:
    rds = aws_with_account.client("rds")
    rds.create_db_parameter_group(DBParameterGroupName="told", DBParameterGroupFamily="postgres17", Description="a")
    account(quotas={"L-DE55804A": 9, "L-272F1212": 3})
    listed = {one["AccountQuotaName"]: one for one in rds.describe_account_attributes()["AccountQuotas"]}
    groups = rds.describe_db_parameter_groups()["DBParameterGroups"]
    assert listed["DBParameterGroups"]["Max"] == 9
    assert 1 <= listed["DBParameterGroups"]["Used"] <= len(groups)
    assert (listed["ManualSnapshots"]["Used"], listed["ManualSnapshots"]["Max"]) == (0, 3)
    assert listed["AllocatedStorage"]["Max"] == 100_000
    rds.delete_db_parameter_group(DBParameterGroupName="told")
