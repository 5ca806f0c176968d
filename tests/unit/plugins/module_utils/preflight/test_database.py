# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What RDS does not offer is found before it is asked for."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.database import judge, judge_zones
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.findings import Finding

OPTIONS: dict[str, Any] = {
    "engine": "mysql",
    "engine_version": "8.4",
    "instance_class": "db.t4g.small",
    "storage_type": "gp3",
    "allocated_storage": 20,
    "max_allocated_storage": 100,
    "multi_az": True,
    "insights": True,
    "enhanced_monitoring": True,
    "iam_authentication": True,
}


def offer(version: str = "8.4.6", **changes: Any) -> dict[str, Any]:
    return {
        "EngineVersion": version,
        "StorageType": "gp3",
        "MinStorageSize": 20,
        "MaxStorageSize": 16384,
        "AvailabilityZones": [{"Name": "eu-west-1a"}, {"Name": "eu-west-1b"}],
        "SupportsPerformanceInsights": True,
        "SupportsEnhancedMonitoring": True,
        "SupportsIAMDatabaseAuthentication": True,
        "MultiAZCapable": True,
        **changes,
    }


def found(*offers: dict[str, Any], **options: Any) -> list[Finding]:
    return judge(list(offers), {**OPTIONS, **options}, "eu-west-1")


def test_what_is_offered_is_fine() -> None:
    assert found(offer("8.0.42", SupportsPerformanceInsights=False), offer()) == []
    assert found(offer(), engine_version="8.4.6") == []


@pytest.mark.parametrize("version", ["8.4.60", "8.40", "8.0.42"])
def test_a_version_is_not_the_beginning_of_another_number(version: str) -> None:
    [finding] = found(offer(version), engine_version="8.4.6")
    assert finding.check == "database_class"
    assert f"(it has versions {version})" in finding.message


def test_a_class_that_is_not_offered_is_said_alone() -> None:
    [finding] = found(storage_type="io2")
    assert finding.check == "database_class"
    assert "no db.t4g.small for mysql 8.4 in eu-west-1 (no version of it)" in finding.message


@pytest.mark.parametrize(
    ("option", "key", "variable"),
    [
        ("insights", "SupportsPerformanceInsights", "database_insights"),
        ("enhanced_monitoring", "SupportsEnhancedMonitoring", "database_monitoring_interval"),
        ("iam_authentication", "SupportsIAMDatabaseAuthentication", "database_iam_authentication"),
        ("multi_az", "MultiAZCapable", "database_multi_az"),
    ],
)
def test_what_the_class_has_not_is_named_with_its_variable(option: str, key: str, variable: str) -> None:
    without = {**offer(), key: False}
    [finding] = found(without)
    assert finding.check == "database_features"
    assert f"set {variable} to" in finding.message
    assert found(without, **{option: False}) == []


@pytest.mark.parametrize(
    ("sizes", "names"),
    [
        ({"allocated_storage": 10}, ["database_allocated_storage"]),
        ({"max_allocated_storage": 20000}, ["database_max_allocated_storage"]),
        (
            {"allocated_storage": 17000, "max_allocated_storage": 20000},
            ["database_allocated", "database_max_allocated"],
        ),
        ({"max_allocated_storage": None}, []),
    ],
)
def test_sizes_must_be_in_the_range(sizes: dict[str, Any], names: list[str]) -> None:
    findings = found(offer(), **sizes)
    assert [finding.check for finding in findings] == ["database_storage"] * len(names)
    assert all(name in finding.message for name, finding in zip(names, findings, strict=True))


def test_a_storage_type_that_is_not_offered_is_told_with_those_that_are() -> None:
    [finding] = found(offer(StorageType="gp2"), offer(StorageType="io1"))
    assert finding.check == "database_storage"
    assert "choose gp2 or io1 as database_storage_type" in finding.message


@pytest.mark.parametrize(
    ("zones", "multi_az", "fits"),
    [
        (["eu-west-1a", "eu-west-1b"], True, True),
        (["eu-west-1a", "eu-west-1c"], True, False),
        (["eu-west-1a", "eu-west-1c"], False, True),
        (["eu-west-1c", "eu-west-1d"], False, False),
    ],
)
def test_a_standby_needs_two_zones(zones: list[str], multi_az: bool, fits: bool) -> None:
    findings = judge_zones([offer()], {**OPTIONS, "multi_az": multi_az}, zones)
    assert [finding.check for finding in findings] == ([] if fits else ["database_zones"])
