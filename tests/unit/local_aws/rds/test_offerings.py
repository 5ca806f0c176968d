# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which DB instances can be ordered, and that no others are made."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from sm2a_local_aws.rds import offerings

ORDERABLE = "describe_orderable_db_instance_options"
NOT_OFFERED = r"InvalidParameterCombination.*RDS does not support creating a DB instance with the following combination"
NO_INSIGHTS = r"InvalidParameterCombination.*Performance Insights not supported for this configuration"


@pytest.mark.parametrize(
    ("engine", "version", "instance_class", "offered"),
    [
        ("postgres", "17", "db.t4g.micro", True),
        ("postgres", "17.0", "db.m8g.large", False),
        ("postgres", "17.1", "db.m8g.large", True),
        ("postgres", "17", "db.m8g.large", True),
        ("postgres", "18", "db.r8g.48xlarge", True),
        ("postgres", "14.4", "db.r7g.large", False),
        ("postgres", "14.4", "db.r6g.large", True),
        ("mysql", "8.0.31", "db.m7i.large", False),
        ("mysql", "8.4.5", "db.m7i.large", True),
        ("mysql", "8.0", "db.r8g.large", True),
        ("mysql", "8.4", "db.t2.medium", False),
        ("mysql", "8.4", "db.x2g.large", True),
        ("oracle-ee", "19", "db.t2.medium", True),
    ],
)
def test_newer_classes_need_newer_versions(engine: str, version: str, instance_class: str, offered: bool) -> None:
    assert offerings.is_offered(engine, version, instance_class) is offered


@pytest.mark.parametrize(
    ("instance_class", "known"),
    [
        ("db.t4g.micro", True),
        ("db.t4g.4xlarge", False),
        ("db.m6g.24xlarge", False),
        ("db.x2g.large", True),
        ("t4g.micro", False),
        ("db.t4g", False),
    ],
)
def test_a_class_has_a_family_and_one_of_its_sizes(instance_class: str, known: bool) -> None:
    assert offerings.is_known(instance_class) is known


@pytest.mark.parametrize("engine", ["postgres", "mysql"])
def test_every_class_can_be_ordered_and_is_known(aws_with_account: Any, engine: str) -> None:
    pages = aws_with_account.client("rds").get_paginator(ORDERABLE).paginate(Engine=engine)
    listed = list(pages)
    found = [option for page in listed for option in page["OrderableDBInstanceOptions"]]
    assert len(listed) > 1
    assert all(len(page["OrderableDBInstanceOptions"]) <= 100 for page in listed)
    keys = [(one["EngineVersion"], one["DBInstanceClass"], one["StorageType"]) for one in found]
    assert len(keys) == len(set(keys))
    assert {one["DBInstanceClass"] for one in found} == set(offerings.classes())
    assert {one["EngineVersion"] for one in found} == set(offerings.VERSIONS[engine])


def test_an_option_says_what_the_class_supports(aws_with_account: Any) -> None:
    rds = aws_with_account.client("rds")
    asked = {"Engine": "mysql", "EngineVersion": "8.4", "DBInstanceClass": "db.t4g.small"}
    options = rds.describe_orderable_db_instance_options(**asked)["OrderableDBInstanceOptions"]
    assert {option["StorageType"] for option in options} == {"gp2", "gp3", "io1", "io2"}
    (gp3,) = [option for option in options if option["StorageType"] == "gp3"]
    assert [zone["Name"] for zone in gp3["AvailabilityZones"]] == ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
    assert (gp3["SupportsPerformanceInsights"], gp3["SupportsEnhancedMonitoring"]) == (False, True)
    assert (gp3["SupportsIAMDatabaseAuthentication"], gp3["MultiAZCapable"]) == (True, True)
    assert (gp3["SupportsStorageThroughput"], gp3["MinStorageSize"]) == (True, 20)


@pytest.mark.parametrize(
    "asked",
    [
        {"DBInstanceClass": "db.t4g.nano"},
        {"DBInstanceClass": "db.m8g.large", "EngineVersion": "16.0"},
        {"LicenseModel": "general-public-license"},
        {"Vpc": False},
        {"EngineVersion": "1"},
    ],
)
def test_what_is_not_offered_is_not_listed(aws_with_account: Any, asked: dict[str, Any]) -> None:
    answer = aws_with_account.client("rds").describe_orderable_db_instance_options(Engine="postgres", **asked)
    assert answer["OrderableDBInstanceOptions"] == []
    assert "Marker" not in answer


@pytest.mark.parametrize("asked", [{"MaxRecords": 19}, {"MaxRecords": 101}, {"Marker": "a"}])
def test_pages_have_limits(aws_with_account: Any, asked: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        aws_with_account.client("rds").describe_orderable_db_instance_options(Engine="postgres", **asked)


@pytest.fixture
def database(aws_with_account: Any) -> Iterator[Callable[..., str]]:
    """Makes DB instances that are gone after the test."""
    rds, made = aws_with_account.client("rds"), []

    def make(**settings: Any) -> str:
        identifier = f"o{uuid.uuid4().hex[:12]}"
        given = {"DBInstanceIdentifier": identifier, "AllocatedStorage": 20, "MasterUsername": "sm2a", **settings}
        rds.create_db_instance(MasterUserPassword="not-a-real-password", **given)
        made.append(identifier)
        return identifier

    yield make
    for identifier in made:
        rds.delete_db_instance(DBInstanceIdentifier=identifier, SkipFinalSnapshot=True)


@pytest.mark.parametrize(
    ("settings", "refusal"),
    [
        ({"Engine": "mysql", "DBInstanceClass": "db.t4g.small", "EnablePerformanceInsights": True}, NO_INSIGHTS),
        ({"Engine": "mysql", "DBInstanceClass": "db.t3.micro", "EnablePerformanceInsights": True}, NO_INSIGHTS),
        ({"Engine": "postgres", "DBInstanceClass": "db.t2.small"}, NOT_OFFERED),
        ({"Engine": "mysql", "EngineVersion": "8.0.31", "DBInstanceClass": "db.m8g.large"}, NOT_OFFERED),
        ({"Engine": "postgres", "DBInstanceClass": "db.t4g.nano"}, "InvalidParameterValue.*db.t4g.nano"),
    ],
)
def test_what_is_not_offered_is_not_made(database: Callable[..., str], settings: dict[str, Any], refusal: str) -> None:
    with pytest.raises(ClientError, match=refusal):
        database(**settings)


def test_small_classes_of_postgresql_have_insights(aws_with_account: Any, database: Callable[..., str]) -> None:
    name = database(Engine="postgres", DBInstanceClass="db.t4g.micro", EnablePerformanceInsights=True)
    (made,) = aws_with_account.client("rds").describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
    assert made["PerformanceInsightsEnabled"] is True


def test_a_change_is_judged_by_what_would_be(aws_with_account: Any, database: Callable[..., str]) -> None:
    rds = aws_with_account.client("rds")
    name = database(Engine="mysql", DBInstanceClass="db.t4g.medium", EnablePerformanceInsights=True)
    with pytest.raises(ClientError, match=NO_INSIGHTS):
        rds.modify_db_instance(DBInstanceIdentifier=name, DBInstanceClass="db.t4g.small")
    with pytest.raises(ClientError, match=NOT_OFFERED):
        rds.modify_db_instance(DBInstanceIdentifier=name, DBInstanceClass="db.m4.large")
    small = {"DBInstanceClass": "db.t4g.small", "EnablePerformanceInsights": False, "ApplyImmediately": True}
    rds.modify_db_instance(DBInstanceIdentifier=name, **small)
    with pytest.raises(ClientError, match=NO_INSIGHTS):
        rds.modify_db_instance(DBInstanceIdentifier=name, EnablePerformanceInsights=True)
