# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""route53_load_balancer_alias: the ladder, IPv6, drift, a load balancer that is gone, and records of others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.modules import route53_load_balancer_alias
from ansible_collections.sm2a.airflow.tests.support import modules as support

MODULE = "route53_load_balancer_alias"


@pytest.fixture
def zone(aws: Callable[[str], Any], unique_name: str) -> str:
    made = aws("route53").create_hosted_zone(Name=f"{unique_name}.test", CallerReference=unique_name)
    return str(made["HostedZone"]["Id"]).rsplit("/", 1)[-1]


@pytest.fixture
def balancer(aws: Callable[[str], Any], unique_name: str) -> dict[str, Any]:
    made = aws("elbv2").create_load_balancer(Name=unique_name, Subnets=["subnet-1", "subnet-2"])
    return dict(made["LoadBalancers"][0])


@pytest.fixture
def present(unique_name: str, zone: str, balancer: dict[str, Any]) -> dict[str, Any]:
    name = balancer["LoadBalancerName"]
    return {"load_balancer_name": name, "record_name": f"Airflow.{unique_name}.test", "hosted_zone_id": zone}


@pytest.fixture
def absent(present: dict[str, Any], unique_name: str) -> dict[str, Any]:
    by_name = {key: value for key, value in present.items() if key != "hosted_zone_id"}
    return {**by_name, "hosted_zone_name": f"{unique_name}.test", "state": "absent"}


@pytest.fixture
def read_state(aws: Callable[[str], Any], zone: str) -> Callable[[], dict[str, Any]]:
    """Record sets by type, without those of the zone itself."""

    def read() -> dict[str, Any]:
        found = aws("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        return {one["Type"]: one for one in found if one["Type"] not in ("NS", "SOA")}

    return read


def write(aws: Callable[[str], Any], zone: str, record: dict[str, Any], action: str = "UPSERT") -> None:
    changes = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
    aws("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch=changes)


def test_ladder(own_ladder: Callable[..., support.Ladder], balancer: dict[str, Any]) -> None:
    rungs = own_ladder()
    assert rungs.applied["records"] == {"A": f"{balancer['DNSName']} in {balancer['CanonicalHostedZoneId']}"}
    assert rungs.predicted["diff"] == rungs.applied["diff"]


def test_the_record_is_an_alias(
    run_module: support.RunModule,
    present: dict[str, Any],
    balancer: dict[str, Any],
    read_state: Callable[[], dict[str, Any]],
) -> None:
    run_module(MODULE, present)
    assert read_state()["A"] == {
        "Name": present["record_name"].lower() + ".",
        "Type": "A",
        "AliasTarget": {
            "HostedZoneId": balancer["CanonicalHostedZoneId"],
            "DNSName": balancer["DNSName"] + ".",
            "EvaluateTargetHealth": True,
        },
    }


def test_ipv6_comes_and_goes(
    run_module: support.RunModule, present: dict[str, Any], read_state: Callable[[], dict[str, Any]]
) -> None:
    run_module(MODULE, present)
    support.change_once(run_module, MODULE, {**present, "ipv6": True}, read_state)
    assert set(read_state()) == {"A", "AAAA"}
    support.change_once(run_module, MODULE, present, read_state)
    assert set(read_state()) == {"A"}


@pytest.mark.parametrize("drift", ["elsewhere", "gone", "health"])
def test_drift_is_repaired(
    run_module: support.RunModule,
    aws: Callable[[str], Any],
    present: dict[str, Any],
    read_state: Callable[[], dict[str, Any]],
    drift: str,
) -> None:
    run_module(MODULE, present)
    made = read_state()
    zone, record = present["hosted_zone_id"], made["A"]
    if drift == "gone":
        write(aws, zone, record, "DELETE")
    elif drift == "elsewhere":
        write(aws, zone, {"Name": record["Name"], "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]})
    else:
        write(aws, zone, {**record, "AliasTarget": {**record["AliasTarget"], "EvaluateTargetHealth": False}})
    support.change_once(run_module, MODULE, present, read_state)
    assert read_state() == made


def test_a_new_load_balancer_of_the_same_name_gets_the_alias(
    run_module: support.RunModule,
    aws: Callable[[str], Any],
    present: dict[str, Any],
    absent: dict[str, Any],
    read_state: Callable[[], dict[str, Any]],
) -> None:
    name = present["load_balancer_name"]
    [first] = aws("elbv2").describe_load_balancers(Names=[name])["LoadBalancers"]
    run_module(MODULE, {**present, "ipv6": True})
    aws("elbv2").delete_load_balancer(LoadBalancerArn=first["LoadBalancerArn"])
    with pytest.raises(support.ModuleFailedError, match=r"Load balancer .* does not exist"):
        run_module(MODULE, present)
    assert run_module(MODULE, present, check=True)["changed"], "a site in check mode goes on"
    aws("elbv2").create_load_balancer(Name=name, Subnets=["subnet-1", "subnet-2"])
    support.change_once(run_module, MODULE, present, read_state)
    [made] = aws("elbv2").describe_load_balancers(Names=[name])["LoadBalancers"]
    assert read_state()["A"]["AliasTarget"]["DNSName"] == made["DNSName"] + "."
    aws("elbv2").delete_load_balancer(LoadBalancerArn=made["LoadBalancerArn"])
    assert run_module(MODULE, absent)["changed"], "the alias of a load balancer that is gone"
    assert read_state() == {}


def test_records_of_others_stay(
    run_module: support.RunModule,
    aws: Callable[[str], Any],
    present: dict[str, Any],
    absent: dict[str, Any],
    read_state: Callable[[], dict[str, Any]],
) -> None:
    name = present["record_name"].lower() + "."
    values = {"A": "192.0.2.1", "AAAA": "2001:db8::1"}
    for kind, value in values.items():
        record = {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value}]}
        write(aws, present["hosted_zone_id"], record)
    before = read_state()
    assert not run_module(MODULE, absent)["changed"]
    run_module(MODULE, present)
    assert read_state()["AAAA"] == before["AAAA"]


def test_removal_without_a_zone_is_fine(run_module: support.RunModule, absent: dict[str, Any]) -> None:
    elsewhere = {**absent, "hosted_zone_name": "unknown.test"}
    assert not run_module(MODULE, elsewhere)["changed"]
    with pytest.raises(support.ModuleFailedError, match=r"There is no hosted zone unknown\.test"):
        run_module(MODULE, {**elsewhere, "state": "present"}, check=True)


@pytest.mark.parametrize(
    ("target", "ours"),
    [
        ("web-1234567890.eu-west-1.elb.amazonaws.com.", True),
        ("dualstack.internal-web-1234567890.eu-west-1.elb.amazonaws.com.", True),
        ("web-1234567890.cn-north-1.elb.amazonaws.com.cn.", True),
        ("web-1234567890.eusc-de-east-1.elb.amazonaws.eu.", True),
        ("web-other-1234567890.eu-west-1.elb.amazonaws.com.", False),
        ("other-web-1234567890.eu-west-1.elb.amazonaws.com.", False),
        ("web.cloudfront.net.", False),
    ],
)
def test_whose_alias_it_is(target: str, ours: bool) -> None:
    assert route53_load_balancer_alias.is_alias_of({"AliasTarget": {"DNSName": target}}, "web") is ours
