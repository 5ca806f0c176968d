# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A request that says two things is not judged as one of them and done as the other."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from ansible_collections.sm2a.airflow.tests.unit.local_aws.conftest import CLUSTER, LocalAws
from ansible_collections.sm2a.airflow.tests.unit.local_aws.iam.conftest import ACCOUNT, TRUST, Client, allow
from ansible_collections.sm2a.airflow.tests.unit.local_aws.iam.forged import send, sign

VICTIM = f"arn:aws:iam::{ACCOUNT}:role/victim"
ASSUME = {"RoleArn": VICTIM, "RoleSessionName": "attack"}
ATTACK = urlencode({"Action": "AssumeRole", **ASSUME})
FORM = "application/x-www-form-urlencoded"
CONTENT_TYPES = (FORM, FORM.upper(), "text/plain", "application/json", "application/x-amz-json-1.1", "application/cbor")
HIDDEN = "a-value-that-is-not-the-attackers"


@dataclass(frozen=True)
class Service:
    """`free` is what the attacker may do, `attack` what it may not; whose answer, if it were done, has the mark."""

    target: str
    free: str
    attack: str
    parameters: dict[str, str]
    mark: str


SERVICES = {
    "sts": Service("AWSSecurityTokenServiceV20110615", "GetCallerIdentity", "AssumeRole", ASSUME, "SecretAccessKey"),
    "sqs": Service("AmazonSQS", "ListQueues", "ReceiveMessage", {"QueueUrl": f"{ACCOUNT}/victim"}, HIDDEN),
    "iam": Service("IAMService", "ListRoles", "ListUsers", {}, "ListUsersRes"),
    "ec2": Service("AmazonEC2", "DescribeVpcs", "DescribeSubnets", {}, "SubnetsResponse"),
    "sns": Service("AmazonSNS", "ListTopics", "ListSubscriptions", {}, "ListSubscriptionsRes"),
    "secretsmanager": Service("secretsmanager", "ListSecrets", "GetSecretValue", {"SecretId": "victim"}, HIDDEN),
    "monitoring": Service("GraniteServiceVersion20100801", "ListMetrics", "DescribeAlarms", {}, "MetricAlarms"),
    "ecs": Service(
        "AmazonEC2ContainerServiceV20141113", "ListClusters", "ListServices", {"cluster": CLUSTER}, "serviceArns"
    ),
    "rds": Service("AmazonRDSv19", "DescribeDBInstances", "DescribeDBParameterGroups", {}, "ParameterGroupsRes"),
}
FREE = [f"{'cloudwatch' if name == 'monitoring' else name}:{one.free}" for name, one in SERVICES.items()]


@pytest.fixture(scope="module")
def victims(control_plane: LocalAws) -> Iterator[LocalAws]:
    """A local AWS with what an attacker wants."""
    iam = control_plane.client("iam")
    iam.create_role(RoleName="victim", AssumeRolePolicyDocument=json.dumps(TRUST))
    url = control_plane.client("sqs").create_queue(QueueName="victim")["QueueUrl"]
    control_plane.client("sqs").send_message(QueueUrl=url, MessageBody=HIDDEN)
    control_plane.client("secretsmanager").create_secret(Name="victim", SecretString=HIDDEN)
    s3 = control_plane.client("s3")
    for bucket in ("victim", "attacker"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_object(Bucket=bucket, Key="key", Body=HIDDEN.encode() if bucket == "victim" else b"own")
    yield control_plane
    iam.delete_role(RoleName="victim")


def credentials(session: Client) -> Any:
    return session("sts")._request_signer._credentials


def address(aws: LocalAws, path: str = "/", **query: str) -> str:
    return f"http://127.0.0.1:{aws.port}{path}" + (f"?{urlencode(query)}" if query else "")


def said(operation: str, service: Service) -> dict[str, str]:
    return {"Action": operation, "Version": "x", **(service.parameters if operation == service.attack else {})}


@pytest.mark.parametrize("name", SERVICES)
def test_no_place_of_a_request_hides_a_call(victims: LocalAws, role: Any, name: str) -> None:
    """The attacker's own call and the other one in all places at which MiniStack or IAM could look."""
    service = SERVICES[name]
    key = credentials(role(allow(FREE)))
    places = itertools.product((None, service.free, service.attack), repeat=4)
    for (target, rpc, asked, told), content_type in itertools.product(places, CONTENT_TYPES):
        given = {target, rpc, asked, told} - {None}
        if len(given) < 2 and service.attack not in given:
            continue
        path = f"/service/{service.target}/operation/{rpc}" if rpc else "/"
        headers = {"Content-Type": content_type} | ({"X-Amz-Target": f"{service.target}.{target}"} if target else {})
        body = said(told, service) if told else {}
        text = json.dumps(body or service.parameters) if "json" in content_type else urlencode(body)
        sent = address(victims, path, **(said(asked, service) if asked else {}))
        answer = send(key, "POST", name, sent, headers, body=text)
        what = (target, rpc, asked, told, content_type, answer.text)
        assert service.mark not in answer.text, what
        assert 400 <= answer.status_code < 500 or service.free in given, what


@pytest.mark.parametrize("content_type", [*CONTENT_TYPES[1:], "multipart/form-data", ""])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
@pytest.mark.parametrize(
    ("path", "query", "target", "body"),
    [
        ("/", {"Action": "GetCallerIdentity", "Version": "2011-06-15"}, "", {"Action": "AssumeRole", **ASSUME}),
        ("/", {"Action": "AssumeRole", **ASSUME}, "x.GetCallerIdentity", {}),
        ("/service/x/operation/GetCallerIdentity", {"Action": "AssumeRole", **ASSUME}, "", {}),
        ("/", {"action": "GetCallerIdentity"}, "", {"Action": "AssumeRole", **ASSUME}),
        ("/", {"Action": "GetCallerIdentity", "RoleArn": VICTIM}, "", {"Action": "AssumeRole", **ASSUME}),
    ],
)
def test_a_task_does_not_become_any_role(
    victims: LocalAws,
    role: Any,
    *,
    path: str,
    query: dict[str, str],
    target: str,
    body: dict[str, str],
    method: str,
    content_type: str,
) -> None:
    headers = {"Content-Type": content_type} | ({"X-Amz-Target": target} if target else {})
    key = credentials(role(allow("none:None")))
    answer = send(key, method, "sts", address(victims, path, **query), headers, body=urlencode(body))
    assert "SecretAccessKey" not in answer.text
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (f"Action=GetCallerIdentity&{ATTACK}", {}),
        # Read as a form it is one call, without the frames of its chunks another one.
        (
            f"{len(ATTACK):x};&Action=GetCallerIdentity&x=\r\n{ATTACK}\r\n0\r\n\r\n",
            {"X-Amz-Decoded-Content-Length": str(len(ATTACK))},
        ),
        ("Action=GetCallerIdentity", {"Content-Encoding": "gzip"}),
        ("Action=GetCallerIdentity", {"Content-Encoding": "br"}),
    ],
)
def test_a_body_is_one_form(victims: LocalAws, role: Any, body: str, headers: dict[str, str]) -> None:
    key = credentials(role(allow("none:None")))
    answer = send(key, "POST", "sts", address(victims), {"Content-Type": FORM, **headers}, body=body)
    assert "SecretAccessKey" not in answer.text
    assert answer.status_code == 400


def test_who_signed_is_read_once(victims: LocalAws, role: Any) -> None:
    own, other = credentials(role(allow("none:None"))), credentials(role(allow("none:None")))
    url = address(victims, Action="GetCallerIdentity")
    headers = sign(own, "GET", "sts", url, {})
    scope = headers["Authorization"].partition("Credential=")[2].partition(",")[0]
    first = scope.replace(own.access_key, other.access_key)
    headers["Authorization"] = headers["Authorization"].replace("Credential=", f"Credential={first}, Credential=", 1)
    assert "role-0/session" in requests.get(url, headers=headers, timeout=10).text


def test_a_body_that_is_no_cbor_is_refused_in_words(victims: LocalAws, role: Any) -> None:
    key = credentials(role(allow("*")))
    url = address(victims, "/service/x/operation/GetSecretValue")
    answer = send(key, "POST", "secretsmanager", url, {"Smithy-Protocol": "rpc-v2-cbor"}, body=b"\xff\x00x")
    assert (answer.status_code, answer.json()["__type"]) == (400, "UnknownOperationException")


@pytest.mark.parametrize(
    ("protocol", "service", "headers", "path", "code"),
    [
        ("json", "sqs", {"X-Amz-Target": "x.ListQueues"}, "/", "UnknownOperationException"),
        ("query", "iam", {"X-Amz-Target": "x.ListRoles"}, "/", "InvalidAction"),
        ("ec2", "ec2", {"X-Amz-Target": "x.DescribeVpcs"}, "/", "InvalidAction"),
        ("rest-xml", "s3", {"X-Amz-Target": "x.ListBuckets"}, "/", "InvalidRequest"),
        ("rest-xml", "route53", {"X-Amz-Target": "x.List"}, "/2013-04-01/hostedzone", "InvalidRequest"),
    ],
)
def test_the_refusal_is_of_the_services_protocol(
    victims: LocalAws, role: Any, *, protocol: str, service: str, headers: dict[str, str], path: str, code: str
) -> None:
    answer = send(credentials(role(allow("*"))), "POST", service, address(victims, path), headers, body="{}")
    assert answer.status_code == 400, protocol
    assert code in answer.text


OWN = allow(
    [
        "s3:PutObject",
        "s3:GetObject",
        "s3:PutMetricsConfiguration",
        "s3:GetInventoryConfiguration",
        "s3:PutBucketTagging",
    ],
    ["arn:aws:s3:::attacker", "arn:aws:s3:::attacker/*"],
)
ELSEWHERE = json.dumps({"Bucket": "attacker", "Key": "key"})
COPY = {"x-amz-copy-source": "/victim/key"}
CHUNKED = {"Content-Encoding": "aws-chunked", "X-Amz-Decoded-Content-Length": "1"}


@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "body"),
    [
        *((one, "/victim/key", {}, {"X-Amz-Target": "x.PutObject"}, ELSEWHERE) for one in ("GET", "PUT", "DELETE")),
        ("GET", "/victim", {}, {"X-Amz-Target": "x.PutObject"}, ELSEWHERE),
        ("PUT", "/attacker/copy", COPY, {}, ""),
        ("PUT", "/attacker/copy", {"X-Amz-Copy-Source": "/victim/key"}, {}, ""),
        ("PUT", "/attacker/copy", {}, {"x-amz-copy-source": "/victim/%6bey"}, ""),
        ("PUT", "/attacker/copy", {}, CHUNKED, "1\r\nx\r\n0\r\nx-amz-copy-source:/victim/key\r\n\r\n"),
        ("DELETE", "/attacker", {"metrics": "", "id": "1"}, {}, ""),
        ("GET", "/attacker", {"inventory": "", "id": "1"}, {}, ""),
        ("DELETE", "/attacker", {"tagging": "", "policy": ""}, {}, ""),
        ("POST", "/attacker", {}, {"Content-Type": "multipart/form-data; boundary=x"}, "--x--"),
        ("PUT", "/attacker/key", {"Action": "GetObject"}, {}, "x"),
    ],
)
def test_an_object_is_not_reached_by_the_side(
    victims: LocalAws,
    role: Any,
    *,
    method: str,
    path: str,
    query: dict[str, str],
    headers: dict[str, str],
    body: str,
) -> None:
    key = credentials(role(OWN))
    answer = send(key, method, "s3", address(victims, path, **query), headers, body=body)
    assert answer.status_code in (400, 403, 501), answer.text
    assert HIDDEN not in answer.text
    s3 = victims.client("s3")
    assert {one["Key"] for one in s3.list_objects_v2(Bucket="attacker")["Contents"]} == {"key"}
    assert s3.get_object(Bucket="attacker", Key="key")["Body"].read() == b"own"
    assert s3.get_object(Bucket="victim", Key="key")["Body"].read().decode() == HIDDEN


def test_a_copy_is_denied_by_the_objects_name_however_it_is_written(victims: LocalAws, role: Any) -> None:
    deny = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::victim/key"}
    key = credentials(role(allow("s3:*"), deny))
    answer = send(key, "PUT", "s3", address(victims, "/attacker/copy"), {"x-amz-copy-source": "/victim/%6bey"})
    assert answer.status_code == 403


def test_headers_in_a_presigned_address_count_as_such(victims: LocalAws, role: Any) -> None:
    """Other SDKs presign so. What it copies must be allowed, what it says of the object is kept."""
    s3 = role(OWN)("s3")
    client = victims.client("s3")

    def presigned(extra: dict[str, str]) -> str:
        def add(request: Any, **_more: Any) -> None:
            request.params = {**(request.params or {}), **extra}

        s3.meta.events.register("before-sign.s3.PutObject", add, unique_id="extra")
        try:
            return str(s3.generate_presigned_url("put_object", Params={"Bucket": "attacker", "Key": "folded"}))
        finally:
            s3.meta.events.unregister("before-sign.s3.PutObject", unique_id="extra")

    assert requests.put(presigned(COPY), timeout=10).status_code == 403
    assert requests.put(presigned({"x-amz-meta-a": "b"}), data=b"x", timeout=10).status_code == 200
    assert client.head_object(Bucket="attacker", Key="folded")["Metadata"] == {"a": "b"}
    client.delete_object(Bucket="attacker", Key="folded")


def test_a_write_under_a_condition_that_s3_does_not_know(victims: LocalAws, role: Any) -> None:
    for key in (credentials(role(OWN)), credentials(victims.client)):
        answer = send(key, "PUT", "s3", address(victims, "/attacker/key"), {"If-None-Match": "abc"}, body="x")
        assert answer.status_code == 501
        assert "<Code>NotImplemented</Code>" in answer.text
    assert victims.client("s3").get_object(Bucket="attacker", Key="key")["Body"].read() == b"own"
