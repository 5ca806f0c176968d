# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Every call of the load balancer's modules that changes something is done, and its first reply is lost: no twins."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support import modules as support
from ansible_collections.sm2a.airflow.tests.support.fault_proxy.proxy import FaultProxy
from ansible_collections.sm2a.airflow.tests.support.fault_proxy.rules import Rule

LOST = Rule("lost", action="(?!Describe|Get|Head|List).*", calls=1, each_action=True)
CERTIFICATE = "arn:aws:acm:eu-west-1:000000000000:certificate/01234567-89ab-cdef-0123-456789abcdef"


@pytest.fixture(scope="session")
def proxy(local_aws_endpoint: str) -> Iterator[FaultProxy]:
    with FaultProxy(local_aws_endpoint) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="session")
def aws_endpoint(proxy: FaultProxy) -> str:
    return proxy.endpoint


@pytest.fixture
def run_losing(run_module: support.RunModule, proxy: FaultProxy) -> Callable[..., tuple[support.Result, set[str]]]:
    """Run a module whose calls lose their first reply; its result, and the actions that lost one."""

    def run(name: str, options: dict[str, Any]) -> tuple[support.Result, set[str]]:
        proxy.book.set([LOST])
        try:
            result = run_module(name, options)
            return result, {action for _service, action in proxy.book.struck("lost")}
        finally:
            proxy.book.set([])

    return run


@pytest.fixture
def zone(aws: Callable[[str], Any], unique_name: str) -> str:
    made = aws("route53").create_hosted_zone(Name=f"{unique_name}.test", CallerReference=unique_name)
    return str(made["HostedZone"]["Id"]).rsplit("/", 1)[-1]


def options_of(module: str, name: str, zone: str, target_group_arn: str) -> dict[str, Any]:
    """Options of a resource of that module."""
    https = {
        "port": 443,
        "protocol": "HTTPS",
        "certificate_arn": CERTIFICATE,
        "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
        "target_group_arn": target_group_arn,
        "rules": [{"priority": 1, "path_patterns": ["/a"]}, {"priority": 2, "path_patterns": ["/b"]}],
    }
    balancer: dict[str, Any] = {
        "subnet_ids": ["subnet-1", "subnet-2"],
        "security_group_ids": ["sg-1"],
        "listeners": [https],
    }
    options: dict[str, dict[str, Any]] = {
        "self_signed": {"domain_names": [f"{name}.test"]},
        "requested": {"source": "request", "domain_names": [f"{name}.test"], "hosted_zone_id": zone},
        "elbv2_target_group": {"vpc_id": "vpc-1", "port": 8080, "deregistration_delay_seconds": 30},
        "elbv2_load_balancer": {**balancer, "attributes": {"idle_timeout.timeout_seconds": 90}},
        "wafv2_web_acl": {"rate_limit": 100},
    }
    return {"name": name, "tags": {"team": "data"}, **options[module]}


@pytest.mark.parametrize(
    "case",
    [
        ("self_signed", {"ImportCertificate"}),
        ("requested", {"RequestCertificate", "ChangeResourceRecordSets"}),
        ("elbv2_target_group", {"CreateTargetGroup", "ModifyTargetGroupAttributes"}),
        ("elbv2_load_balancer", {"CreateLoadBalancer", "CreateListener", "CreateRule", "ModifyLoadBalancerAttributes"}),
        ("wafv2_web_acl", {"CreateWebACL"}),
    ],
)
def test_creation_and_removal(
    run_losing: Callable[..., tuple[support.Result, set[str]]],
    run_module: support.RunModule,
    aws: Callable[[str], Any],
    zone: str,
    case: tuple[str, set[str]],
) -> None:
    (module, creates), elbv2 = case, aws("elbv2")
    unique_name = aws("route53").get_hosted_zone(Id=zone)["HostedZone"]["Name"].partition(".")[0]
    group = {"Name": f"{unique_name}-other", "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-1", "TargetType": "ip"}
    arn = elbv2.create_target_group(**group)["TargetGroups"][0]["TargetGroupArn"]
    options = options_of(module, unique_name, zone, arn)
    name = "acm_certificate" if module in ("self_signed", "requested") else module
    before = inventory(aws)
    result, lost = run_losing(name, options)
    assert result["changed"]
    assert creates <= lost
    (made,) = set(inventory(aws)) - set(before)
    assert len(inventory(aws)) == len(before) + 1, "one was made"
    assert module != "elbv2_load_balancer" or made.endswith(" 1 listeners, 3 rules"), "a twin"
    assert not run_module(name, options)["changed"]
    absent = {"name": unique_name, "state": "absent"}
    removed, lost = run_losing(name, {**absent, **({"hosted_zone_id": zone} if module == "requested" else {})})
    assert removed["changed"]
    assert any(action.startswith("Delete") for action in lost)
    assert inventory(aws) == before
    records = aws("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert {record["Type"] for record in records} == {"NS", "SOA"}


def inventory(aws: Callable[[str], Any]) -> list[str]:
    """ARNs of everything that these modules make; a load balancer with the number of its listeners and their rules."""
    elbv2 = aws("elbv2")
    found = [one["CertificateArn"] for one in aws("acm").list_certificates()["CertificateSummaryList"]]
    found += [one["TargetGroupArn"] for one in elbv2.describe_target_groups()["TargetGroups"]]
    found += [one["ARN"] for one in aws("wafv2").list_web_acls(Scope="REGIONAL")["WebACLs"]]
    for balancer in elbv2.describe_load_balancers()["LoadBalancers"]:
        listeners = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
        rules = [elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"] for listener in listeners]
        found.append(f"{balancer['LoadBalancerArn']} {len(listeners)} listeners, {sum(map(len, rules))} rules")
    return sorted(found)


def test_alias_and_association(
    run_losing: Callable[..., tuple[support.Result, set[str]]],
    run_module: support.RunModule,
    aws: Callable[[str], Any],
    zone: str,
    unique_name: str,
) -> None:
    aws("elbv2").create_load_balancer(Name=unique_name, Subnets=["subnet-1", "subnet-2"])
    acl = run_module("wafv2_web_acl", {"name": unique_name})["web_acl"]["web_acl_arn"]
    balancer = {"load_balancer_name": unique_name}
    wanted = [
        ("wafv2_web_acl_association", {**balancer, "web_acl_arn": acl}, {"AssociateWebACL"}, {"DisassociateWebACL"}),
        (
            "route53_load_balancer_alias",
            {**balancer, "record_name": f"a.{unique_name}.test", "hosted_zone_id": zone, "ipv6": True},
            {"ChangeResourceRecordSets"},
            {"ChangeResourceRecordSets"},
        ),
    ]
    for module, options, made, removed in wanted:
        assert run_losing(module, options)[1] == made
        assert not run_module(module, options)["changed"]
        assert run_losing(module, {**options, "state": "absent"})[1] == removed
        assert not run_module(module, {**options, "state": "absent"})["changed"]


def test_changes_in_place(
    run_losing: Callable[..., tuple[support.Result, set[str]]], run_module: support.RunModule, unique_name: str
) -> None:
    options = {"name": unique_name, "rate_limit": 100, "tags": {"team": "data"}}
    run_module("wafv2_web_acl", options)
    changed, lost = run_losing("wafv2_web_acl", {**options, "rate_limit": 200, "tags": {"team": "web"}})
    assert "UpdateWebACL" in lost
    assert json.dumps(changed["diff"]["after"]).count('"Limit": 200') == 1
    assert not run_module("wafv2_web_acl", {**options, "rate_limit": 200, "tags": {"team": "web"}})["changed"]
