# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The proxy before a server of a few lines: boto3's calls are recognized, and boto3 meets the fault that is set."""

from __future__ import annotations

import http.server
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from ansible_collections.sm2a.airflow.tests.support.fault_proxy.calls import Call
from ansible_collections.sm2a.airflow.tests.support.fault_proxy.proxy import FaultProxy, fault_proxy
from ansible_collections.sm2a.airflow.tests.support.fault_proxy.rules import Book, Kind, Rule
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

Clients = Callable[[str], Any]


class Upstream(http.server.ThreadingHTTPServer):
    """Answers every call with an empty success and counts them."""

    daemon_threads = True
    calls = 0


class Nothing(http.server.BaseHTTPRequestHandler):
    server: Upstream
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.calls += 1
        action = re.search(rb"Action=(\w+)", asked)
        body = b"{}" if self.headers.get("X-Amz-Target") else b"<R><%bResult/></R>" % (action[1] if action else b"")
        if self.path.startswith("/service/"):
            body = b"\xa0"
        self.send_response(200)
        self.send_header("smithy-protocol", "rpc-v2-cbor")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST  # noqa: N815

    def log_message(self, *_arguments: Any) -> None:
        """Silent."""


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream(("127.0.0.1", 0), Nothing) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def running(upstream: Upstream) -> Iterator[FaultProxy]:
    with fault_proxy(f"http://127.0.0.1:{upstream.server_port}") as proxy:
        yield proxy


@pytest.fixture(scope="module")
def clients(running: FaultProxy) -> Clients:
    made: dict[str, Any] = {}

    def client(service: str) -> Any:
        """A client that does not retry."""
        made[service] = made.get(service) or boto3.client(
            service,
            region_name="eu-west-1",
            endpoint_url=running.endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}),
        )
        return made[service]

    return client


@pytest.fixture
def proxy(running: FaultProxy) -> FaultProxy:
    running.book.set([])
    running.trap(None)
    return running


CALLS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "ec2 query": ("ec2", "CreateVpc", {"CidrBlock": "10.0.0.0/16"}),
    "query": ("iam", "CreateRole", {"RoleName": "a", "AssumeRolePolicyDocument": "{}"}),
    "query, signed under another name": ("elbv2", "CreateTargetGroup", {"Name": "a"}),
    "json 1.0": ("sqs", "CreateQueue", {"QueueName": "a"}),
    "json 1.1, ECS": ("ecs", "RunTask", {"taskDefinition": "a"}),
    "json 1.1, Secrets Manager": ("secretsmanager", "CreateSecret", {"Name": "a"}),
    "json, Cloud Map": ("servicediscovery", "CreateHttpNamespace", {"Name": "a"}),
    "cbor": ("cloudwatch", "PutDashboard", {"DashboardName": "a", "DashboardBody": "{}"}),
    "S3 bucket": ("s3", "CreateBucket", {"Bucket": "some-bucket"}),
    "S3 subresource": (
        "s3",
        "PutBucketVersioning",
        {"Bucket": "b-1", "VersioningConfiguration": {"Status": "Enabled"}},
    ),
    "S3 head": ("s3", "HeadBucket", {"Bucket": "some-bucket"}),
    "S3 object": ("s3", "PutObject", {"Bucket": "some-bucket", "Key": "a/b c", "Body": b"x", "IfNoneMatch": "*"}),
    "S3 read": ("s3", "GetObject", {"Bucket": "some-bucket", "Key": "a/b"}),
    "S3 list": ("s3", "ListObjectsV2", {"Bucket": "some-bucket"}),
    "Route 53": ("route53", "CreateHostedZone", {"Name": "example.com", "CallerReference": "1"}),
    "Route 53, id in the path": ("route53", "GetHostedZone", {"Id": "Z1"}),
}


def invoke(client: Any, action: str, arguments: dict[str, Any]) -> Any:
    """Call an action by its API name."""
    methods = {api: method for method, api in client.meta.method_to_api_mapping.items()}
    return getattr(client, methods[action])(**arguments)


@pytest.mark.parametrize("case", CALLS)
def test_a_call_of_each_protocol_is_recognized(proxy: FaultProxy, clients: Clients, case: str) -> None:
    service, action, arguments = CALLS[case]
    invoke(clients(service), action, arguments)
    assert proxy.book.actions() == {(service, action): 1}


ERRORS: dict[str, tuple[Kind, str, str]] = {
    "throttled EC2": ("throttle", "ec2 query", "RequestLimitExceeded"),
    "throttled query": ("throttle", "query", "Throttling"),
    "throttled json": ("throttle", "json 1.1, ECS", "ThrottlingException"),
    "throttled cbor": ("throttle", "cbor", "ThrottlingException"),
    "throttled S3": ("throttle", "S3 object", "SlowDown"),
    "5xx of S3": ("server_error", "S3 bucket", "InternalError"),
    "5xx of Route 53": ("server_error", "Route 53", "InternalFailure"),
    "expired EC2": ("expired", "ec2 query", "RequestExpired"),
    "expired json": ("expired", "json 1.1, Secrets Manager", "ExpiredTokenException"),
    "quota of EC2": ("quota", "ec2 query", "VpcLimitExceeded"),
    "quota of json": ("quota", "json 1.1, ECS", "LimitExceededException"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_an_error_reaches_boto3_with_its_code(
    proxy: FaultProxy, clients: Clients, upstream: Upstream, case: str
) -> None:
    kind, call, code = ERRORS[case]
    service, action, arguments = CALLS[call]
    proxy.book.set([Rule(kind)])
    before = upstream.calls
    with pytest.raises(ClientError) as caught:
        invoke(clients(service), action, arguments)
    assert caught.value.response["Error"]["Code"] == code
    assert upstream.calls == before
    assert proxy.book.struck(kind) == [(service, action)]


def test_a_lost_reply_is_done_and_a_reset_call_is_not(proxy: FaultProxy, clients: Clients, upstream: Upstream) -> None:
    before = upstream.calls
    for kind, done in (("lost", 1), ("reset", 1)):
        proxy.book.set([Rule(kind, calls=1)])  # type: ignore[arg-type]
        with pytest.raises(ConnectionClosedError):
            clients("ec2").create_vpc(CidrBlock="10.0.0.0/16")
        assert upstream.calls == before + done
    clients("ec2").create_vpc(CidrBlock="10.0.0.0/16")
    assert upstream.calls == before + 2


def test_delays(proxy: FaultProxy, clients: Clients) -> None:
    proxy.book.set([Rule("latency", seconds=0.2)])
    started = time.monotonic()
    clients("sqs").create_queue(QueueName="a")
    assert time.monotonic() - started >= 0.2
    proxy.book.set([Rule("hang", seconds=0.2)])
    with pytest.raises(ConnectionClosedError):
        clients("sqs").create_queue(QueueName="a")
    assert time.monotonic() - started >= 0.4


def test_an_error_of_ones_own(proxy: FaultProxy, clients: Clients) -> None:
    proxy.book.set([Rule("error", service="ecs", code="ClusterNotFoundException", status=400)])
    with pytest.raises(ClientError, match="ClusterNotFoundException"):
        clients("ecs").run_task(taskDefinition="a")
    clients("sqs").create_queue(QueueName="a")


def test_the_trap_keeps_the_reply_of_the_last_change(proxy: FaultProxy, clients: Clients, upstream: Upstream) -> None:
    proxy.trap(2)
    before = upstream.calls
    clients("ec2").describe_vpcs()
    clients("ec2").create_vpc(CidrBlock="10.0.0.0/16")
    assert not proxy.trapped.is_set()
    with pytest.raises(ConnectionClosedError):
        clients("sqs").create_queue(QueueName="a")
    assert proxy.trapped.is_set()
    with pytest.raises(ConnectionClosedError):
        clients("ec2").describe_vpcs()
    assert upstream.calls == before + 3


def strikes(rule: Rule, count: int, seed: int = 1) -> list[bool]:
    """Which of so many equal calls the rule strikes."""
    book = Book(seed)
    book.set([rule])
    return [book.decide(Call("ec2", "CreateVpc", "query")) is not None for _ in range(count)]


def test_probability_is_seeded() -> None:
    rule = Rule("throttle", probability=0.3)
    first = strikes(rule, 400)
    assert first == strikes(rule, 400)
    assert first != strikes(rule, 400, seed=2)
    assert 80 < sum(first) < 160


def test_rules_strike_independently() -> None:
    book = Book()
    book.set([Rule("throttle", probability=0.2), Rule("server_error", probability=0.2)])
    for _call in range(400):
        book.decide(Call("ec2", "CreateVpc", "query"))
    assert 60 < len(book.struck("throttle")) < 100
    assert 45 < len(book.struck("server_error")) < 85


def test_a_limit_counts_for_each_action() -> None:
    book = Book()
    book.set([Rule("lost", action="Create.*", calls=1, each_action=True)])
    for action in ("CreateVpc", "CreateVpc", "CreateSubnet", "DescribeVpcs"):
        book.decide(Call("ec2", action, "query"))
    assert book.struck("lost") == [("ec2", "CreateVpc"), ("ec2", "CreateSubnet")]
