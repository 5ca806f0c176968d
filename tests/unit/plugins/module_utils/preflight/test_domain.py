# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The hosted zone of a domain, whether the world finds it, and who has the name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import boto3
import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight import domain
from ansible_collections.sm2a.airflow.plugins.module_utils.route53 import Zone
from ansible_collections.sm2a.airflow.tests.support import modules as support
from botocore.stub import Stubber

SERVERS = ["ns-1.awsdns-01.org", "ns-2.awsdns-02.com"]
PUBLIC = Zone("Z1", "example.com", False, SERVERS)
PRIVATE = Zone("Z2", "example.com", True)
OPTIONS: dict[str, Any] = {
    "name": "airflow.example.com",
    "hosted_zone_id": None,
    "hosted_zone_name": "example.com",
    "validated": True,
    "load_balancer": "staging",
}
BALANCER = "staging-123456789.eu-west-1.elb.amazonaws.com"


def answering(*servers: str) -> domain.NameServers:
    def ask(zone: str) -> Sequence[str] | None:
        assert zone == "example.com"
        return list(servers) or None

    return ask


def test_a_zone_that_fits_is_fine() -> None:
    assert domain.judge_zone(PUBLIC, OPTIONS) == []
    assert domain.judge_zone(PRIVATE, {**OPTIONS, "validated": False}) == []


@pytest.mark.parametrize(
    ("zone", "options", "said"),
    [
        (None, {}, "no hosted zone example.com in this account"),
        (None, {"hosted_zone_id": "Z9"}, "no hosted zone Z9 in this account"),
        (PUBLIC, {"name": "airflow.example.org"}, "airflow.example.org (load_balancer_domain_name) is not in"),
        (PUBLIC, {"name": "airflow.myexample.com"}, "is not in the hosted zone example.com"),
        (PRIVATE, {}, "is private, and ACM validates"),
    ],
)
def test_a_zone_that_does_not_fit_is_told(zone: Zone | None, options: dict[str, Any], said: str) -> None:
    [finding] = domain.judge_zone(zone, {**OPTIONS, **options})
    assert (finding.check, finding.certain) == ("hosted_zone", True)
    assert said in finding.message


def test_a_zone_that_the_world_finds_is_fine() -> None:
    assert domain.judge_delegation(PUBLIC, True, answering("NS-1.awsdns-01.org.", "ns.other.example.")) == []
    # Nobody asks about a private one.
    assert domain.judge_delegation(PRIVATE, True, answering("ns.other.example.")) == []


@pytest.mark.parametrize("validated", [True, False])
def test_a_zone_that_the_world_does_not_find_stops_a_certificate_only(validated: bool) -> None:
    [finding] = domain.judge_delegation(PUBLIC, validated, answering("ns.other.example."))
    assert (finding.check, finding.certain) == ("zone_delegation", validated)
    assert "leads to ns.other.example: put the name servers ns-1.awsdns-01.org, ns-2.awsdns-02.com" in finding.message
    [finding] = domain.judge_delegation(PUBLIC, validated, answering())
    assert "does not know it" in finding.message


def test_a_resolver_that_does_not_answer_is_not_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = pytest.importorskip("dns.resolver")

    def silent(*_arguments: Any, **_options: Any) -> None:
        raise resolver.LifetimeTimeout(timeout=3.0, errors=[])

    monkeypatch.setattr(resolver, "resolve", silent)
    with pytest.raises(AnsibleAWSError, match="DNS of this machine does not answer about example"):
        domain.name_servers("example.com")


def records(*found: dict[str, Any]) -> dict[str, Any]:
    return {"ResourceRecordSets": list(found), "IsTruncated": False, "MaxItems": "1"}


def alias(target: str) -> dict[str, Any]:
    return {"DNSName": target, "HostedZoneId": "Z9", "EvaluateTargetHealth": True}


@pytest.mark.parametrize(
    ("record", "leads_to"),
    [
        (None, None),
        ({"Type": "A", "AliasTarget": alias(f"{BALANCER}.")}, None),
        ({"Type": "A", "AliasTarget": alias("dualstack.staging-9.eu-west-1.elb.amazonaws.com.")}, None),
        ({"Type": "A", "AliasTarget": alias("old.cloudfront.net.")}, "old.cloudfront.net"),
        ({"Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}, "192.0.2.1"),
    ],
)
def test_a_record_that_leads_elsewhere_is_told(
    aws_environment: None, record: dict[str, Any] | None, leads_to: str | None
) -> None:
    route53, elbv2 = (boto3.client(service, region_name=support.REGION) for service in ("route53", "elbv2"))
    with Stubber(route53) as dns, Stubber(elbv2) as balancers:
        balancers.add_response("describe_load_balancers", {"LoadBalancers": [{"DNSName": BALANCER}]})
        first = [{"Name": "airflow.example.com.", **record}] if record else []
        for answer in (first, [], []) if not leads_to else (first,):
            dns.add_response("list_resource_record_sets", records(*answer))
        findings = domain.domain_record(route53, elbv2, PUBLIC, OPTIONS)
        dns.assert_no_pending_responses()
    assert [finding.check for finding in findings] == (["domain_record"] if leads_to else [])
    assert not leads_to or f"has a record A already, which leads to {leads_to}:" in findings[0].message
