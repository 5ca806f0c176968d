# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ACM validation, repeated ELBv2 creations, authentication of listeners, log buckets and web ACLs of the local AWS."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.unit.local_aws.test_control_plane import _error_code
from botocore.exceptions import ClientError

OIDC = {
    "Issuer": "https://login.test",
    "AuthorizationEndpoint": "https://login.test/authorize",
    "TokenEndpoint": "https://login.test/token",
    "UserInfoEndpoint": "https://login.test/userinfo",
    "ClientId": "airflow",
}
ANSWER = {"Type": "fixed-response", "Order": 2, "FixedResponseConfig": {"StatusCode": "200"}}
OTHER = {"CertificateArn": "arn:aws:acm:eu-west-1:000000000000:certificate/other"}


@pytest.fixture
def name() -> str:
    return f"edge-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def zone(control_plane: Any, name: str) -> str:
    """Id of a hosted zone <name>.test."""
    made = control_plane.client("route53").create_hosted_zone(Name=f"{name}.test", CallerReference=name)
    return str(made["HostedZone"]["Id"])


@pytest.fixture
def balancer(control_plane: Any, name: str) -> str:
    made = control_plane.client("elbv2").create_load_balancer(Name=name, Subnets=["subnet-1", "subnet-2"])
    return str(made["LoadBalancers"][0]["LoadBalancerArn"])


def put(control_plane: Any, zone: str, name: str, kind: str, *values: str) -> None:
    records = {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value} for value in values]}
    changes = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": records}]}
    control_plane.client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch=changes)


def described(control_plane: Any, arn: str) -> dict[str, Any]:
    answer: dict[str, Any] = control_plane.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]
    return answer


def requested(control_plane: Any, name: str, **options: Any) -> str:
    names = {"DomainName": f"{name}.test", "SubjectAlternativeNames": [f"*.{name}.test", f"www.{name}.test"]}
    request = {**names, "ValidationMethod": "DNS", **options}
    return str(control_plane.client("acm").request_certificate(**request)["CertificateArn"])


def validate(control_plane: Any, zone: str, arn: str) -> None:
    for option in described(control_plane, arn)["DomainValidationOptions"]:
        record = option["ResourceRecord"]
        put(control_plane, zone, record["Name"], record["Type"], record["Value"])


def test_a_certificate_is_issued_when_every_cname_is_there(control_plane: Any, zone: str, name: str) -> None:
    arn = requested(control_plane, name)
    first = described(control_plane, arn)
    assert first["Status"] == "PENDING_VALIDATION"
    assert not any("ResourceRecord" in option for option in first["DomainValidationOptions"])
    with pytest.raises(ClientError) as raised:
        control_plane.client("acm").get_certificate(CertificateArn=arn)
    assert _error_code(raised) == "RequestInProgressException"
    options = described(control_plane, arn)["DomainValidationOptions"]
    apex, wildcard, www = (option["ResourceRecord"] for option in options)
    assert apex == wildcard != www
    put(control_plane, zone, apex["Name"], "CNAME", apex["Value"])
    put(control_plane, zone, www["Name"], "CNAME", "wrong.test.")
    half = described(control_plane, arn)
    assert half["Status"] == "PENDING_VALIDATION"
    assert [one["ValidationStatus"] for one in half["DomainValidationOptions"]] == [
        *("SUCCESS", "SUCCESS", "PENDING_VALIDATION")
    ]
    put(control_plane, zone, www["Name"], "CNAME", www["Value"])
    assert described(control_plane, arn)["Status"] == "ISSUED"
    assert "BEGIN CERTIFICATE" in control_plane.client("acm").get_certificate(CertificateArn=arn)["Certificate"]


@pytest.mark.parametrize(("issuer", "status"), [("letsencrypt.org", "FAILED"), ("amazon.com", "ISSUED")])
def test_caa_records_decide(control_plane: Any, zone: str, name: str, issuer: str, status: str) -> None:
    put(control_plane, zone, f"{name}.test", "CAA", f'0 issue "{issuer}"')
    arn = requested(control_plane, name)
    described(control_plane, arn)
    validate(control_plane, zone, arn)
    found = described(control_plane, arn)
    assert found["Status"] == status
    assert found.get("FailureReason") == ("CAA_ERROR" if status == "FAILED" else None)


def test_a_token_makes_one_certificate(control_plane: Any, name: str) -> None:
    first, again = (requested(control_plane, name, IdempotencyToken=name.replace("-", "")) for _attempt in range(2))
    assert first == again
    assert requested(control_plane, name) != first


def test_a_certificate_in_use_stays(control_plane: Any, balancer: str, name: str) -> None:
    acm, elb = control_plane.client("acm"), control_plane.client("elbv2")
    arn = acm.request_certificate(DomainName=f"{name}.test")["CertificateArn"]
    listener = elb.create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": arn}],
        DefaultActions=[ANSWER],
    )["Listeners"][0]["ListenerArn"]
    assert described(control_plane, arn)["InUseBy"] == [balancer]
    with pytest.raises(ClientError) as raised:
        acm.delete_certificate(CertificateArn=arn)
    assert _error_code(raised) == "ResourceInUseException"
    elb.delete_listener(ListenerArn=listener)
    acm.delete_certificate(CertificateArn=arn)


def test_a_repeated_creation_makes_nothing_new(control_plane: Any, balancer: str, name: str) -> None:
    elb = control_plane.client("elbv2")
    same = elb.create_load_balancer(Name=name, Subnets=["subnet-2", "subnet-1"])["LoadBalancers"][0]
    assert same["LoadBalancerArn"] == balancer
    group: dict[str, Any] = {"Name": name, "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-1", "TargetType": "ip"}
    arns = [elb.create_target_group(**group)["TargetGroups"][0]["TargetGroupArn"] for _attempt in range(2)]
    assert arns[0] == arns[1]
    listener: dict[str, Any] = {"LoadBalancerArn": balancer, "Protocol": "HTTP", "Port": 80, "DefaultActions": [ANSWER]}
    arns = [elb.create_listener(**listener)["Listeners"][0]["ListenerArn"] for _attempt in range(2)]
    assert arns[0] == arns[1]
    rule: dict[str, Any] = {
        "ListenerArn": arns[0],
        "Priority": 1,
        "Conditions": [{"Field": "path-pattern", "Values": ["/a"]}],
        "Actions": [ANSWER],
    }
    elb.create_rule(**rule)
    different: list[tuple[str, dict[str, Any], str]] = [
        ("create_load_balancer", {"Name": name, "Subnets": ["subnet-1", "subnet-3"]}, "DuplicateLoadBalancerName"),
        ("create_target_group", {**group, "Port": 81}, "DuplicateTargetGroupName"),
        ("create_listener", {**listener, "Protocol": "HTTPS", "Certificates": [OTHER]}, "DuplicateListener"),
        ("create_rule", rule, "PriorityInUse"),
    ]
    for operation, request, code in different:
        with pytest.raises(ClientError) as raised:
            getattr(elb, operation)(**request)
        assert _error_code(raised) == code, operation


def test_authentication_needs_tls_and_keeps_its_secret(control_plane: Any, balancer: str, name: str) -> None:
    elb, acm = control_plane.client("elbv2"), control_plane.client("acm")
    arn = acm.request_certificate(DomainName=f"{name}.test")["CertificateArn"]

    def actions(**config: Any) -> list[dict[str, Any]]:
        return [{"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": {**OIDC, **config}}, ANSWER]

    https = {"LoadBalancerArn": balancer, "Protocol": "HTTPS", "Port": 443, "Certificates": [{"CertificateArn": arn}]}
    http = {"LoadBalancerArn": balancer, "Protocol": "HTTP", "Port": 80}
    refused = [
        ({**http, "DefaultActions": actions(ClientSecret="s")}, "InvalidConfigurationRequest"),
        ({**https, "DefaultActions": actions()}, "ValidationError"),
        ({**https, "DefaultActions": actions(UseExistingClientSecret=True)}, "ValidationError"),
    ]
    for request, code in refused:
        with pytest.raises(ClientError) as raised:
            elb.create_listener(**request)
        assert _error_code(raised) == code
    made = elb.create_listener(**https, DefaultActions=actions(ClientSecret="s"))["Listeners"][0]
    listener = made["ListenerArn"]
    elb.modify_listener(ListenerArn=listener, DefaultActions=actions(UseExistingClientSecret=True, ClientId="other"))
    # Twice: the secret was kept by the first.
    elb.modify_listener(ListenerArn=listener, DefaultActions=actions(UseExistingClientSecret=True))
    [found] = elb.describe_listeners(ListenerArns=[listener])["Listeners"]
    assert found["DefaultActions"][0]["AuthenticateOidcConfig"]["ClientId"] == "airflow"
    assert "ClientSecret" not in found["DefaultActions"][0]["AuthenticateOidcConfig"]


@pytest.fixture
def listener(control_plane: Any, balancer: str) -> str:
    """ARN of an HTTP listener."""
    request = {"LoadBalancerArn": balancer, "Protocol": "HTTP", "Port": 80, "DefaultActions": [ANSWER]}
    return str(control_plane.client("elbv2").create_listener(**request)["Listeners"][0]["ListenerArn"])


def host(*names: str) -> dict[str, Any]:
    return {"Field": "host-header", "HostHeaderConfig": {"Values": list(names)}}


def path(*patterns: str) -> dict[str, Any]:
    return {"Field": "path-pattern", "PathPatternConfig": {"Values": list(patterns)}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Priority": 50001}, "less than or equal to 50000"),
        ({"Conditions": [host("localhost")]}, "'localhost' is not valid"),
        ({"Conditions": [host("127.0.0.1")]}, "not valid"),
        ({"Conditions": [path("/" + "a" * 128)]}, "not valid"),
        ({"Conditions": [path("/a b")]}, "not valid"),
        ({"Conditions": [path("/a"), path("/b")]}, "only have one 'path-pattern' condition"),
        ({"Conditions": [path("/1", "/2", "/3"), host("a.b", "b.c", "c.d")]}, "more than 5 condition values"),
        (
            {"Actions": [{**ANSWER, "FixedResponseConfig": {"StatusCode": "302"}}]},
            "fixedResponseConfig.statusCode' failed",
        ),
    ],
)
def test_rules_are_refused_as_aws_does(control_plane: Any, listener: str, change: dict[str, Any], message: str) -> None:
    elb = control_plane.client("elbv2")
    rule = {"ListenerArn": listener, "Priority": 1, "Conditions": [path("/a"), host("a.b")], "Actions": [ANSWER]}
    with pytest.raises(ClientError, match=message):
        elb.create_rule(**{**rule, **change})
    made = elb.create_rule(**rule)["Rules"][0]["RuleArn"]
    if "Priority" not in change:
        with pytest.raises(ClientError, match=message):
            elb.modify_rule(RuleArn=made, **change)


def test_attributes_of_listeners_are_those_of_aws(control_plane: Any, listener: str) -> None:
    elb = control_plane.client("elbv2")

    def held() -> dict[str, str]:
        found = elb.describe_listener_attributes(ListenerArn=listener)["Attributes"]
        return {one["Key"]: one["Value"] for one in found}

    frame = "routing.http.response.x_frame_options.header_value"
    assert held()["routing.http.response.server.enabled"] == "true"
    assert held()[frame] == ""
    elb.modify_listener_attributes(ListenerArn=listener, Attributes=[{"Key": frame, "Value": "DENY"}])
    assert held()[frame] == "DENY"
    with pytest.raises(ClientError, match="x_xss_protection"):
        wrong = {"Key": "routing.http.response.x_xss_protection.header_value", "Value": "1"}
        elb.modify_listener_attributes(ListenerArn=listener, Attributes=[wrong])


def test_a_rule_associates_its_target_group(control_plane: Any, listener: str, balancer: str, name: str) -> None:
    elb = control_plane.client("elbv2")
    group = elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId="vpc-1", TargetType="ip")
    arn = group["TargetGroups"][0]["TargetGroupArn"]
    forward = [{"Type": "forward", "TargetGroupArn": arn}]
    elb.create_rule(ListenerArn=listener, Priority=1, Conditions=[path("/a")], Actions=forward)
    assert elb.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0]["LoadBalancerArns"] == [balancer]


def test_logs_need_a_bucket_that_takes_them(control_plane: Any, balancer: str, name: str) -> None:
    elb, s3 = control_plane.client("elbv2"), control_plane.client("s3")
    pairs = {"enabled": "true", "bucket": name, "prefix": "edge"}
    request = [{"Key": f"access_logs.s3.{key}", "Value": value} for key, value in pairs.items()]

    def enable() -> None:
        elb.modify_load_balancer_attributes(LoadBalancerArn=balancer, Attributes=request)

    with pytest.raises(ClientError, match="bucket not found"):
        enable()
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    with pytest.raises(ClientError, match=f"Access Denied for bucket: {name}") as raised:
        enable()
    assert _error_code(raised) == "InvalidConfigurationRequest"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{name}/edge/AWSLogs/000000000000/*",
    }
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    enable()
    found = elb.describe_load_balancer_attributes(LoadBalancerArn=balancer)["Attributes"]
    assert {"Key": "access_logs.s3.enabled", "Value": "true"} in found


def test_a_web_acl_stays_while_it_protects_something(control_plane: Any, balancer: str, name: str) -> None:
    waf, elb = control_plane.client("wafv2"), control_plane.client("elbv2")
    visibility = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": name}
    acl = waf.create_web_acl(Name=name, Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=visibility)
    summary = acl["Summary"]
    delete = {key: summary[key] for key in ("Name", "Id", "LockToken")}
    assert "WebACL" not in waf.get_web_acl_for_resource(ResourceArn=balancer)
    with pytest.raises(ClientError) as raised:
        waf.associate_web_acl(WebACLArn=summary["ARN"], ResourceArn=f"{balancer}0")
    assert _error_code(raised) == "WAFNonexistentItemException"
    waf.associate_web_acl(WebACLArn=summary["ARN"], ResourceArn=balancer)
    with pytest.raises(ClientError) as raised:
        waf.delete_web_acl(Scope="REGIONAL", **delete)
    assert _error_code(raised) == "WAFAssociatedItemException"
    elb.delete_load_balancer(LoadBalancerArn=balancer)
    waf.delete_web_acl(Scope="REGIONAL", **delete)
