# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""acm_certificate with dns manual: records are named, awaited, never written; a later run goes on where one ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support import modules as support

MODULE = "acm_certificate"


@pytest.fixture(scope="session")
def aws_endpoint(local_aws_endpoint: str) -> str:
    """Only the local AWS validates."""
    return local_aws_endpoint


@pytest.fixture
def zone(aws: Callable[[str], Any], unique_name: str) -> str:
    """Id of the hosted zone of the people who make records by hand."""
    made = aws("route53").create_hosted_zone(Name=f"{unique_name}.test", CallerReference=unique_name)
    return str(made["HostedZone"]["Id"]).rsplit("/", 1)[-1]


@pytest.fixture
def present(unique_name: str) -> dict[str, Any]:
    names = [f"{unique_name}.test", f"*.{unique_name}.test"]
    return {"name": unique_name, "source": "request", "dns": "manual", "domain_names": names, "wait_timeout": 0}


@pytest.fixture
def absent(unique_name: str) -> dict[str, Any]:
    return {"name": unique_name, "dns": "manual", "state": "absent"}


@pytest.fixture
def statuses(aws: Callable[[str], Any], unique_name: str) -> Callable[[], dict[str, str]]:
    """The test's certificates by ARN."""
    acm = aws("acm")

    def read() -> dict[str, str]:
        held = [acm.describe_certificate(CertificateArn=one["CertificateArn"])["Certificate"] for one in listed()]
        return {one["CertificateArn"]: one["Status"] for one in held if one["DomainName"] == f"{unique_name}.test"}

    def listed() -> list[dict[str, Any]]:
        return list(acm.list_certificates()["CertificateSummaryList"])

    return read


@pytest.fixture
def cnames(aws: Callable[[str], Any], zone: str) -> Callable[[], list[str]]:
    """Names of the CNAMEs in the zone."""

    def read() -> list[str]:
        found = aws("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        return [one["Name"] for one in found if one["Type"] == "CNAME"]

    return read


@pytest.fixture
def write(aws: Callable[[str], Any], zone: str) -> Callable[[dict[str, str]], None]:
    """What somebody does by hand."""

    def make(records: dict[str, str]) -> None:
        for name, value in records.items():
            record = {"Name": name, "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": value}]}
            changes = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
            aws("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch=changes)

    return make


def test_records_are_named_before_anybody_waits(
    run_module: support.RunModule, present: dict[str, Any], statuses: Callable[[], dict[str, str]]
) -> None:
    predicted = run_module(MODULE, present, check=True)
    assert predicted["changed"]
    assert predicted["certificate"]["validation_records"] == {}
    assert statuses() == {}
    asked = run_module(MODULE, {**present, "wait": False})
    assert asked["changed"]
    assert len(asked["certificate"]["validation_records"]) == 1, "a name and its wildcard share a record"
    assert asked["certificate"]["valid_until"] is None
    assert not run_module(MODULE, {**present, "wait": False})["changed"]
    assert run_module(MODULE, present, check=True)["changed"], "it would wait"


def test_a_run_that_is_not_to_wait_names_the_records_and_the_next_goes_on(
    run_module: support.RunModule,
    present: dict[str, Any],
    write: Callable[[dict[str, str]], None],
    statuses: Callable[[], dict[str, str]],
) -> None:
    with pytest.raises(support.ModuleFailedError) as failed:
        run_module(MODULE, present)
    [(arn, status)] = statuses().items()
    assert status == "PENDING_VALIDATION"
    records = run_module(MODULE, {**present, "wait": False})["certificate"]["validation_records"]
    [(name, value)] = records.items()
    said = failed.value.result["msg"]
    assert said.count(f"CNAME {name} {value}") == 1
    assert "Create these records where the DNS of the domain is kept" in said
    assert "run again" in said
    write(records)
    issued = run_module(MODULE, present)
    assert issued["certificate"]["certificate_arn"] == arn
    assert issued["certificate"]["valid_until"]
    assert issued["certificate"]["validation_records"] == records
    assert not run_module(MODULE, present)["changed"]


def test_after_the_removal_the_records_are_left_and_named(
    run_module: support.RunModule,
    present: dict[str, Any],
    absent: dict[str, Any],
    write: Callable[[dict[str, str]], None],
    cnames: Callable[[], list[str]],
) -> None:
    records = run_module(MODULE, {**present, "wait": False})["certificate"]["validation_records"]
    write(records)
    assert run_module(MODULE, absent, check=True)["orphaned_records"] == records
    assert run_module(MODULE, absent)["orphaned_records"] == records
    assert cnames() == list(records)
    again = run_module(MODULE, absent)
    assert (again["changed"], again["orphaned_records"]) == (False, {})


def test_a_record_that_another_certificate_needs_is_not_named_as_unneeded(
    run_module: support.RunModule, present: dict[str, Any], absent: dict[str, Any]
) -> None:
    run_module(MODULE, {**present, "wait": False})
    other = {**present, "name": f"{present['name']}-other", "domain_names": present["domain_names"][:1]}
    run_module(MODULE, {**other, "wait": False})
    assert run_module(MODULE, absent)["orphaned_records"] == {}
    assert run_module(MODULE, {**absent, "name": other["name"]})["orphaned_records"] != {}


def test_records_of_hopeless_requests_are_not_asked_for(
    run_module: support.RunModule,
    aws: Callable[[str], Any],
    zone: str,
    present: dict[str, Any],
    write: Callable[[dict[str, str]], None],
) -> None:
    caa = {
        "Name": present["domain_names"][0],
        "Type": "CAA",
        "TTL": 60,
        "ResourceRecords": [{"Value": '0 issue "letsencrypt.org"'}],
    }
    changes = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": caa}]}
    aws("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch=changes)
    records = run_module(MODULE, {**present, "wait": False})["certificate"]["validation_records"]
    write(records)
    with pytest.raises(support.ModuleFailedError, match=r"CAA_ERROR.*add the CAA record") as failed:
        run_module(MODULE, present)
    assert "Create these records" not in failed.value.result["msg"]


def test_without_a_zone_route53_is_refused(run_module: support.RunModule, present: dict[str, Any]) -> None:
    message = "hosted_zone_id or hosted_zone_name is required when source is request and dns is route53"
    with pytest.raises(support.ModuleFailedError, match=message):
        run_module(MODULE, {**present, "dns": "route53"})
