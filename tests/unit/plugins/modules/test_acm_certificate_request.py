# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""acm_certificate with source request: validation in Route 53, failures, other names, and what removal leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils import route53
from ansible_collections.sm2a.airflow.tests.support import modules as support

MODULE = "acm_certificate"


@pytest.fixture(scope="session")
def aws_endpoint(local_aws_endpoint: str) -> str:
    """Only the local AWS validates."""
    return local_aws_endpoint


@pytest.fixture
def zone(aws: Callable[[str], Any], unique_name: str) -> str:
    """Id of a hosted zone <unique name>.test."""
    made = aws("route53").create_hosted_zone(Name=f"{unique_name}.test", CallerReference=unique_name)
    return str(made["HostedZone"]["Id"]).rsplit("/", 1)[-1]


@pytest.fixture
def present(unique_name: str, zone: str) -> dict[str, Any]:
    return {
        "name": unique_name,
        "source": "request",
        "domain_names": [f"{unique_name}.test", f"*.{unique_name}.test"],
        "hosted_zone_id": zone,
        "tags": {"team": "data"},
        "wait_timeout": 5,
    }


@pytest.fixture
def absent(unique_name: str) -> dict[str, Any]:
    return {"name": unique_name, "state": "absent", "hosted_zone_name": f"{unique_name}.test"}


@pytest.fixture
def read_records(aws: Callable[[str], Any], zone: str) -> Callable[[], dict[str, str]]:
    """The CNAMEs of the zone."""

    def read() -> dict[str, str]:
        records = aws("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        return {one["Name"]: one["ResourceRecords"][0]["Value"] for one in records if one["Type"] == "CNAME"}

    return read


@pytest.fixture
def read_state(
    aws: Callable[[str], Any], unique_name: str, read_records: Callable[[], dict[str, str]]
) -> Callable[[], dict[str, Any]]:
    """Names, status and tags of the test's certificates by ARN, and the CNAMEs; {} when there is nothing."""
    acm = aws("acm")

    def read() -> dict[str, Any]:
        found: dict[str, Any] = {}
        for summary in acm.list_certificates()["CertificateSummaryList"]:
            arn = summary["CertificateArn"]
            tags = {one["Key"]: one["Value"] for one in acm.list_tags_for_certificate(CertificateArn=arn)["Tags"]}
            if tags.get("Name") == unique_name:
                detail = acm.describe_certificate(CertificateArn=arn)["Certificate"]
                found[arn] = (detail["SubjectAlternativeNames"], detail["Status"], tags)
        return {"certificates": found, "records": read_records()} if found or read_records() else {}

    return read


def put(aws: Callable[[str], Any], zone: str, record: tuple[str, str, str], action: str = "UPSERT") -> None:
    """Write a record: its name, type and value."""
    name, kind, value = record
    record_set = {"Name": name, "Type": kind, "TTL": 300, "ResourceRecords": [{"Value": value}]}
    changes = {"Changes": [{"Action": action, "ResourceRecordSet": record_set}]}
    aws("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch=changes)


def test_ladder(
    own_ladder: Callable[..., support.Ladder], present: dict[str, Any], read_records: Callable[[], dict[str, str]]
) -> None:
    rungs = own_ladder()
    certificate = rungs.applied["certificate"]
    assert certificate["domain_names"] == present["domain_names"]
    assert certificate["tags"] == {"Name": present["name"], "team": "data"}
    assert len(certificate["validation_records"]) == 1, "a name and its wildcard share a record"
    assert rungs.repeated["certificate"] == certificate
    assert read_records() == {}, "removal left the CNAME"


def test_a_lost_record_is_written_again(
    run_module: support.RunModule,
    aws: Callable[[str], Any],
    present: dict[str, Any],
    read_records: Callable[[], dict[str, str]],
    read_state: Callable[[], dict[str, Any]],
) -> None:
    """Without it, ACM could not renew."""
    run_module(MODULE, present)
    before = read_records()
    [(name, value)] = before.items()
    put(aws, present["hosted_zone_id"], (name, "CNAME", value), "DELETE")
    changed = support.change_once(run_module, MODULE, present, read_state)
    assert changed["diff"]["before"]["validation_records"] == {}
    assert read_records() == before


def test_tags_change_in_place(
    run_module: support.RunModule, present: dict[str, Any], read_state: Callable[[], dict[str, Any]]
) -> None:
    arn = run_module(MODULE, present)["certificate"]["certificate_arn"]
    changed = support.change_once(run_module, MODULE, {**present, "tags": {"team": "web"}}, read_state)
    assert changed["certificate"]["certificate_arn"] == arn
    assert not run_module(MODULE, {key: value for key, value in present.items() if key != "tags"})["changed"]


def test_other_names_are_another_certificate_and_the_first_goes_later(
    run_module: support.RunModule,
    present: dict[str, Any],
    absent: dict[str, Any],
    read_state: Callable[[], dict[str, Any]],
    read_records: Callable[[], dict[str, str]],
) -> None:
    first = run_module(MODULE, present)["certificate"]["certificate_arn"]
    apex = present["domain_names"][0]
    other = {**present, "domain_names": [apex, f"www.{apex}"]}
    assert run_module(MODULE, other, check=True)["changed"]
    assert set(read_state()["certificates"]) == {first}
    second = run_module(MODULE, other)["certificate"]["certificate_arn"]
    assert set(read_state()["certificates"]) == {first, second}, "a listener may still use the first"
    assert not run_module(MODULE, other)["changed"]
    keep = {**absent, "except_arn": second}
    assert run_module(MODULE, keep, check=True)["changed"]
    records = read_records()
    assert run_module(MODULE, keep)["changed"]
    assert set(read_state()["certificates"]) == {second}
    assert read_records() == records, "the second certificate is renewed by the record of the apex, too"
    assert not run_module(MODULE, keep)["changed"]
    assert not run_module(MODULE, other)["changed"]


def test_a_caa_record_is_named_and_a_failed_request_does_not_stay(
    run_module: support.RunModule,
    aws: Callable[[str], Any],
    present: dict[str, Any],
    zone: str,
    read_state: Callable[[], dict[str, Any]],
) -> None:
    apex = present["domain_names"][0]
    put(aws, zone, (apex, "CAA", '0 issue "letsencrypt.org"'))
    for _attempt in range(2):
        with pytest.raises(support.ModuleFailedError, match=r'CAA_ERROR.*add the CAA record 0 issue "amazon.com"'):
            run_module(MODULE, present)
        assert [status for _names, status, _tags in read_state()["certificates"].values()] == ["FAILED"]
    put(aws, zone, (apex, "CAA", '0 issue "amazon.com"'))
    assert run_module(MODULE, present)["changed"]
    assert [status for _names, status, _tags in read_state()["certificates"].values()] == ["ISSUED"]


def test_a_zone_that_nobody_asks_is_named_and_the_request_goes_on(
    run_module: support.RunModule,
    present: dict[str, Any],
    read_state: Callable[[], dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    message = r"could not validate .* within 5 seconds.*name servers.*ns-"
    with monkeypatch.context() as nobody_writes, pytest.raises(support.ModuleFailedError, match=message):
        nobody_writes.setattr(route53, "upsert", lambda *_arguments: None)
        run_module(MODULE, present)
    [(arn, (_names, status, _tags))] = read_state()["certificates"].items()
    assert status == "PENDING_VALIDATION"
    assert run_module(MODULE, present, check=True)["changed"]
    assert run_module(MODULE, present)["certificate"]["certificate_arn"] == arn
    assert not run_module(MODULE, present)["changed"]


def test_from_self_signed_to_requested(
    run_module: support.RunModule,
    present: dict[str, Any],
    absent: dict[str, Any],
    read_state: Callable[[], dict[str, Any]],
) -> None:
    signed = {"name": present["name"], "domain_names": present["domain_names"][:1]}
    run_module(MODULE, signed)
    requested = run_module(MODULE, present)["certificate"]["certificate_arn"]
    assert len(read_state()["certificates"]) == 2
    run_module(MODULE, {**absent, "except_arn": requested})
    assert set(read_state()["certificates"]) == {requested}
    assert run_module(MODULE, signed)["certificate"]["certificate_arn"] != requested
    assert run_module(MODULE, absent)["changed"], "both go at once"
    assert read_state() == {}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"domain_names": ["elsewhere.example.com"]}, "elsewhere.example.com is not in hosted zone"),
        ({"hosted_zone_id": "Z0UNKNOWN"}, "There is no hosted zone Z0UNKNOWN"),
        ({"domain_names": []}, "domain_names is required"),
    ],
)
def test_wrong_input(
    run_module: support.RunModule, present: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    with pytest.raises(support.ModuleFailedError, match=message):
        run_module(MODULE, {**present, **change}, check=True)


def test_zones_by_name(run_module: support.RunModule, aws: Callable[[str], Any], present: dict[str, Any]) -> None:
    by_name = {**present, "hosted_zone_name": present["domain_names"][0]}
    by_name.pop("hosted_zone_id")
    assert run_module(MODULE, by_name)["changed"]
    name = present["name"]
    vpc = {"VPCRegion": support.REGION, "VPCId": aws("ec2").create_vpc(CidrBlock="10.6.0.0/16")["Vpc"]["VpcId"]}
    private = aws("route53").create_hosted_zone(Name=f"{name}.test", CallerReference=f"{name}-private", VPC=vpc)
    with pytest.raises(
        support.ModuleFailedError, match=r"There are 2 hosted zones .* \(Z.*, Z.*\): give the ID of one"
    ):
        run_module(MODULE, by_name)
    with pytest.raises(support.ModuleFailedError, match="is private: ACM needs a public hosted zone"):
        run_module(MODULE, {**present, "hosted_zone_id": private["HostedZone"]["Id"]})
