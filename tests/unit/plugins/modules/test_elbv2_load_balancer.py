# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""elbv2_load_balancer against the local AWS: the ladder, every field changed in turn, deletion protection, logs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.elbv2 import listeners as elbv2_listeners
from ansible_collections.sm2a.airflow.plugins.module_utils.elbv2 import rules as elbv2_rules
from ansible_collections.sm2a.airflow.tests.support import modules as support

MODULE = "elbv2_load_balancer"
CERTIFICATE = "arn:aws:acm:eu-west-1:000000000000:certificate/01234567-89ab-cdef-0123-456789abcdef"
HTTPS = {
    "port": 8443,
    "protocol": "HTTPS",
    "certificate_arn": CERTIFICATE,
    "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
}
REDIRECT = {"port": 8080, "protocol": "HTTP", "redirect_to_port": 8443}


@pytest.fixture(scope="session")
def aws_endpoint(local_aws_endpoint: str) -> str:
    """Listeners, rules and log buckets behave as on AWS there."""
    return local_aws_endpoint


@pytest.fixture
def subnet_ids(aws: Callable[[str], Any]) -> list[str]:
    """Three subnets in as many zones."""
    ec2 = aws("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.5.0.0/16")["Vpc"]["VpcId"]
    return [
        ec2.create_subnet(VpcId=vpc_id, CidrBlock=f"10.5.{index}.0/24", AvailabilityZone=f"eu-west-1{zone}")["Subnet"][
            "SubnetId"
        ]
        for index, zone in enumerate("abc")
    ]


@pytest.fixture
def target_groups(aws: Callable[[str], Any], unique_name: str) -> list[str]:
    """ARNs of two target groups."""
    elbv2 = aws("elbv2")
    request = {"Protocol": "HTTP", "Port": 8080, "VpcId": "vpc-1", "TargetType": "ip"}
    made = [elbv2.create_target_group(Name=f"{unique_name}-{index}", **request) for index in range(2)]
    return [one["TargetGroups"][0]["TargetGroupArn"] for one in made]


@pytest.fixture
def present(unique_name: str, subnet_ids: list[str], target_groups: list[str]) -> dict[str, Any]:
    return {
        "name": unique_name,
        "subnet_ids": subnet_ids[:2],
        "security_group_ids": ["sg-0123456789abcdef0"],
        "listeners": [{**HTTPS, "target_group_arn": target_groups[0]}, REDIRECT],
        "deletion_protection": True,
        "attributes": {"routing.http.drop_invalid_header_fields.enabled": True, "idle_timeout.timeout_seconds": 120},
        "tags": {"team": "data"},
    }


@pytest.fixture
def absent(unique_name: str) -> dict[str, Any]:
    return {"name": unique_name, "state": "absent", "deletion_protection": False}


@pytest.fixture
def read_state(aws: Callable[[str], Any], unique_name: str) -> Callable[[], dict[str, Any]]:
    """The load balancer with attributes, listeners by port and tags; {} when absent."""
    elbv2 = aws("elbv2")

    def read() -> dict[str, Any]:
        balancers = elbv2.describe_load_balancers()["LoadBalancers"]
        found = [one for one in balancers if one["LoadBalancerName"] == unique_name]
        if not found:
            return {}
        arn = found[0]["LoadBalancerArn"]
        attributes = elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
        listeners = elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"]
        tags = elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"]
        return {
            "subnets": sorted(zone["SubnetId"] for zone in found[0]["AvailabilityZones"]),
            "groups": found[0]["SecurityGroups"],
            "scheme": found[0]["Scheme"],
            "address type": found[0]["IpAddressType"],
            "rules": [elbv2.describe_rules(ListenerArn=one["ListenerArn"])["Rules"] for one in listeners],
            "attributes": {one["Key"]: one["Value"] for one in attributes},
            "listeners": {one["Port"]: one for one in listeners},
            "tags": {one["Key"]: one["Value"] for one in tags},
        }

    return read


def test_ladder(own_ladder: Callable[..., support.Ladder], present: dict[str, Any]) -> None:
    rungs = own_ladder()
    arn = rungs.predicted["load_balancer"]["load_balancer_arn"]
    assert arn.endswith(f"loadbalancer/app/{present['name']}/{'0' * 16}")
    assert rungs.predicted["diff"]["after"] == {**rungs.applied["diff"]["after"], "load_balancer_arn": arn}


def test_creation_sets_everything(
    run_module: support.RunModule,
    present: dict[str, Any],
    read_state: Callable[[], dict[str, Any]],
    target_groups: list[str],
) -> None:
    run_module(MODULE, present)
    made = read_state()
    assert made["attributes"]["deletion_protection.enabled"] == "true"
    assert made["attributes"]["routing.http.drop_invalid_header_fields.enabled"] == "true"
    assert made["attributes"]["idle_timeout.timeout_seconds"] == "120"
    assert made["listeners"][8443]["DefaultActions"][0]["TargetGroupArn"] == target_groups[0]
    assert made["listeners"][8443]["Certificates"] == [{"CertificateArn": CERTIFICATE}]
    redirect = made["listeners"][8080]["DefaultActions"][0]["RedirectConfig"]
    assert (redirect["Protocol"], redirect["Port"], redirect["StatusCode"]) == ("HTTPS", "8443", "HTTP_301")


def test_info_reads_what_was_made(
    run_module: support.RunModule, present: dict[str, Any], target_groups: list[str]
) -> None:
    name = {"name": present["name"]}
    asked = {**name, "target_group_name": "servers"}
    [made_up] = support.placeholders(run_module, "elbv2_load_balancer_info", asked, "load_balancers")
    assert ":targetgroup/servers/" in made_up["target_group_arns"][0]
    assert made_up["load_balancer_arn"] == run_module(MODULE, present, check=True)["load_balancer"]["load_balancer_arn"]
    assert made_up["dns_name"].endswith(f".{support.REGION}.elb.amazonaws.com")
    assert made_up["certificate_arns"][0].startswith(f"arn:aws:acm:{support.REGION}:")
    arn = run_module(MODULE, present)["load_balancer"]["load_balancer_arn"]
    [read] = run_module("elbv2_load_balancer_info", name)["load_balancers"]
    assert read["load_balancer_arn"] == arn
    assert read["dns_name"].startswith(present["name"])
    assert read["target_group_arns"] == [target_groups[0]]
    assert read["certificate_arns"] == [CERTIFICATE]
    assert run_module("elbv2_load_balancer_info", {**name, "placeholders": True}, check=True)["load_balancers"] == [
        read
    ]

    # The listener of HTTPS was deleted by hand.
    run_module(MODULE, {**present, "listeners": []})
    [read] = run_module("elbv2_load_balancer_info", name)["load_balancers"]
    assert (read["target_group_arns"], read["certificate_arns"]) == ([], [])
    [completed] = run_module("elbv2_load_balancer_info", {**name, "placeholders": True}, check=True)["load_balancers"]
    assert completed["load_balancer_arn"] == arn
    assert f":targetgroup/{present['name']}/" in completed["target_group_arns"][0]


def changes(present: dict[str, Any], subnet_ids: list[str], target_groups: list[str]) -> dict[str, dict[str, Any]]:
    """One change of each managed field."""
    https = present["listeners"][0]
    return {
        "subnets": {"subnet_ids": subnet_ids[1:]},
        "security groups": {"security_group_ids": ["sg-0123456789abcdef1"]},
        "target group": {"listeners": [{**https, "target_group_arn": target_groups[1]}, REDIRECT]},
        "certificate": {"listeners": [{**https, "certificate_arn": f"{CERTIFICATE}0"}, REDIRECT]},
        "TLS policy": {"listeners": [{**https, "ssl_policy": "ELBSecurityPolicy-TLS13-1-3-2021-06"}, REDIRECT]},
        "redirect": {"listeners": [https, {**REDIRECT, "redirect_to_port": 443}]},
        "port": {"listeners": [https, {**REDIRECT, "port": 8081}]},
        "one listener less": {"listeners": [https]},
        "protection": {"deletion_protection": False},
        "attribute": {"attributes": {"idle_timeout.timeout_seconds": 60}},
        "tags": {"tags": {"team": "platform"}},
        "address type": {"ip_address_type": "dualstack"},
        "a rule": {"listeners": [{**https, "rules": [{"priority": 1, "path_patterns": ["/api/*"]}]}, REDIRECT]},
    }


def test_every_field_changes_and_settles(
    run_module: support.RunModule,
    present: dict[str, Any],
    read_state: Callable[[], dict[str, Any]],
    subnet_ids: list[str],
    target_groups: list[str],
) -> None:
    for field, change in changes(present, subnet_ids, target_groups).items():
        run_module(MODULE, present)
        before = read_state()
        options = {**present, **change}
        predicted = run_module(MODULE, options, check=True)
        applied = run_module(MODULE, options)
        assert applied["changed"], field
        assert predicted["diff"] == applied["diff"], field
        assert read_state() != before, field
        assert not run_module(MODULE, options)["changed"], field


def test_what_is_not_set_is_left_alone(
    run_module: support.RunModule, present: dict[str, Any], read_state: Callable[[], dict[str, Any]]
) -> None:
    run_module(MODULE, present)
    made = read_state()
    bare = {key: present[key] for key in ("name", "subnet_ids", "security_group_ids")}
    assert not run_module(MODULE, bare)["changed"]
    assert read_state() == made


def test_a_protected_one_keeps_its_listeners(
    run_module: support.RunModule, present: dict[str, Any], read_state: Callable[[], dict[str, Any]]
) -> None:
    run_module(MODULE, present)
    made = read_state()
    for options in ({}, {"deletion_protection": True}):
        with pytest.raises(support.ModuleFailedError, match="protected against deletion: set deletion_protection"):
            run_module(MODULE, {"name": present["name"], "state": "absent", **options})
    assert read_state() == made


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"scheme": "internal"},
            "scheme of load balancer .* cannot be changed: it is internet-facing.*Delete it first",
        ),
        ({"listeners": [{"port": 1, "protocol": "HTTPS", "redirect_to_port": 2}]}, "certificate_arn, ssl_policy"),
        ({"listeners": [{"port": 1, "protocol": "HTTP"}]}, "target_group_arn, redirect_to_port"),
    ],
)
def test_wrong_input(
    run_module: support.RunModule, present: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    run_module(MODULE, present)
    with pytest.raises(support.ModuleFailedError, match=message):
        run_module(MODULE, {**present, **change}, check=True)


FRONT = {
    "default_status": 404,
    "rules": [
        {"priority": 1, "path_patterns": ["/execution", "/execution/*"], "status": 404},
        {"priority": 2, "host_names": ["airflow.example.com", "*.example.org"]},
    ],
    "attributes": {
        "routing.http.response.server.enabled": False,
        "routing.http.response.x_frame_options.header_value": "DENY",
    },
}


@pytest.fixture
def front(present: dict[str, Any]) -> dict[str, Any]:
    """Listeners with rules and attributes: a default status, and a redirect to one host."""
    https, redirect = present["listeners"]
    refused = [{"priority": 7, "path_patterns": ["/execution*"], "status": 403}]
    return {
        **present,
        "listeners": [
            {**https, **FRONT},
            {**redirect, "redirect_to_host": "airflow.example.com", "rules": refused},
        ],
    }


def rules_of(elbv2: Any, name: str, port: int) -> dict[str, dict[str, Any]]:
    """Rules by priority of the listener on a port, and its attributes as "attributes"."""
    [balancer] = elbv2.describe_load_balancers(Names=[name])["LoadBalancers"]
    listeners = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    [arn] = [one["ListenerArn"] for one in listeners if one["Port"] == port]
    rules = {one["Priority"]: one for one in elbv2.describe_rules(ListenerArn=arn)["Rules"]}
    attributes = elbv2.describe_listener_attributes(ListenerArn=arn)["Attributes"]
    return {**rules, "attributes": {one["Key"]: one["Value"] for one in attributes}}


def test_rules_refuse_paths_and_know_hosts(
    run_module: support.RunModule, aws: Callable[[str], Any], front: dict[str, Any], target_groups: list[str]
) -> None:
    predicted = run_module(MODULE, front, check=True)
    made = run_module(MODULE, front)
    arn = predicted["load_balancer"]["load_balancer_arn"]
    assert predicted["diff"]["after"] == {**made["diff"]["after"], "load_balancer_arn": arn}
    assert not run_module(MODULE, front)["changed"]
    https = rules_of(aws("elbv2"), front["name"], 8443)
    assert https["1"]["Actions"][0]["FixedResponseConfig"]["StatusCode"] == "404"
    assert https["2"]["Conditions"][0]["HostHeaderConfig"]["Values"] == FRONT["rules"][1]["host_names"]  # type: ignore[index]
    assert https["2"]["Actions"][0]["TargetGroupArn"] == target_groups[0]
    assert https["default"]["Actions"][0]["Type"] == "fixed-response"
    assert https["attributes"]["routing.http.response.server.enabled"] == "false"
    assert https["attributes"]["routing.http.response.x_frame_options.header_value"] == "DENY"
    http = rules_of(aws("elbv2"), front["name"], 8080)
    assert http["7"]["Actions"][0]["FixedResponseConfig"]["StatusCode"] == "403"
    assert http["default"]["Actions"][0]["RedirectConfig"]["Host"] == "airflow.example.com"
    [read] = run_module("elbv2_load_balancer_info", {"name": front["name"]})["load_balancers"]
    assert read["target_group_arns"] == [target_groups[0]], "a rule forwards there, the listener itself does not"


@pytest.mark.parametrize(
    "change",
    [
        {"default_status": 421},
        {"default_status": None},
        {"rules": FRONT["rules"][:1]},  # type: ignore[index]
        {"rules": [{"priority": 1, "host_names": ["airflow.example.com"], "status": 503}]},
        {"rules": [{"priority": 1, "path_patterns": ["/execution"], "host_names": ["a.example.com"]}]},
        {"attributes": {"routing.http.response.x_frame_options.header_value": "SAMEORIGIN"}},
        {"attributes": {"routing.http.response.x_frame_options.header_value": ""}},
        {"attributes": {"routing.http.response.strict_transport_security.header_value": "max-age=1"}},
    ],
)
def test_rules_and_attributes_change_and_settle(
    run_module: support.RunModule, aws: Callable[[str], Any], front: dict[str, Any], change: dict[str, Any]
) -> None:
    run_module(MODULE, front)
    https, redirect = front["listeners"]
    other = {key: value for key, value in {**https, **change}.items() if value is not None}

    def read() -> dict[str, dict[str, Any]]:
        return rules_of(aws("elbv2"), front["name"], 8443)

    before = read()
    support.change_once(run_module, MODULE, {**front, "listeners": [other, redirect]}, read)
    assert read() != before


def test_attributes_drift(run_module: support.RunModule, aws: Callable[[str], Any], front: dict[str, Any]) -> None:
    run_module(MODULE, front)
    elbv2 = aws("elbv2")
    [balancer] = elbv2.describe_load_balancers(Names=[front["name"]])["LoadBalancers"]
    listeners = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    [arn] = [one["ListenerArn"] for one in listeners if one["Port"] == 8443]
    drift = [{"Key": "routing.http.response.x_frame_options.header_value", "Value": ""}]
    elbv2.modify_listener_attributes(ListenerArn=arn, Attributes=drift)
    assert run_module(MODULE, front)["changed"]
    found = rules_of(elbv2, front["name"], 8443)["attributes"]
    assert found["routing.http.response.x_frame_options.header_value"] == "DENY"


def test_requests_find_their_way_while_a_listener_changes(
    run_module: support.RunModule, present: dict[str, Any], front: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """New rules come before a default that refuses what they do not match, and old ones go after it."""
    run_module(MODULE, present)
    calls: list[str] = []
    for module, name in (
        (elbv2_rules, "create_rule"),
        (elbv2_rules, "delete_rule"),
        (elbv2_listeners, "modify_listener"),
    ):
        original = getattr(module, name)

        def recorded(*arguments: Any, original: Any = original, name: str = name) -> Any:
            calls.append(name)
            return original(*arguments)

        monkeypatch.setattr(module, name, recorded)
    https, _redirect = front["listeners"]
    changed = {**front, "listeners": [https, present["listeners"][1]]}
    run_module(MODULE, changed)
    assert calls == ["create_rule", "create_rule", "modify_listener"]
    calls.clear()
    run_module(MODULE, {**present, "listeners": [{**present["listeners"][0], "rules": []}, present["listeners"][1]]})
    assert calls == ["modify_listener", "delete_rule", "delete_rule"]


def test_a_rule_without_a_status_needs_somewhere_to_forward(
    run_module: support.RunModule, present: dict[str, Any]
) -> None:
    https, redirect = present["listeners"]
    wrong = {**redirect, "rules": [{"priority": 1, "path_patterns": ["/a"]}]}
    with pytest.raises(support.ModuleFailedError, match="Rule 1 needs a status"):
        run_module(MODULE, {**present, "listeners": [https, wrong]}, check=True)


def test_a_bucket_that_refuses_logs_is_named(
    run_module: support.RunModule, aws: Callable[[str], Any], present: dict[str, Any], unique_name: str
) -> None:
    logs = {"access_logs.s3.enabled": True, "access_logs.s3.bucket": unique_name, "access_logs.s3.prefix": "web"}
    options = {**present, "attributes": logs}
    request = {"Bucket": unique_name, "CreateBucketConfiguration": {"LocationConstraint": support.REGION}}
    aws("s3").create_bucket(**request)
    message = f"cannot write to the S3 bucket {unique_name}.*logdelivery.elasticloadbalancing.amazonaws.com"
    with pytest.raises(support.ModuleFailedError, match=message):
        run_module(MODULE, options)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{unique_name}/web/AWSLogs/{support.ACCOUNT}/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws("s3").put_bucket_policy(Bucket=unique_name, Policy=policy)
    assert run_module(MODULE, options)["changed"], "what the failed run left is completed"
    assert not run_module(MODULE, options)["changed"]


def test_answers_of_aws_compare_equal_to_requests() -> None:
    """AWS repeats a forward action as ForwardConfig, and adds Order and the parts of a redirect that keep the URL."""
    forward = {"Type": "forward", "TargetGroupArn": "arn:group"}
    answered = {
        **forward,
        "Order": 1,
        "ForwardConfig": {
            "TargetGroups": [{"TargetGroupArn": "arn:group", "Weight": 1}],
            "TargetGroupStickinessConfig": {"Enabled": False},
        },
    }
    view = elbv2_listeners.listener_view
    assert view({"Protocol": "HTTP", "DefaultActions": [answered]}) == view(
        {"Protocol": "HTTP", "DefaultActions": [forward]}
    )
    redirect = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
    full = {**redirect, "Host": "#{host}", "Path": "/#{path}", "Query": "#{query}"}
    assert view({"Protocol": "HTTP", "DefaultActions": [{"Type": "redirect", "RedirectConfig": full}]}) == view(
        {"Protocol": "HTTP", "DefaultActions": [{"Type": "redirect", "RedirectConfig": redirect}]}
    )
