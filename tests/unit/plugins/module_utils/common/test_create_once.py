# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""create_once against an EC2 of a few lines that does the call and loses the reply, or answers what it is told."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

import boto3
import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils.common import create_once as creates
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError

Create = Callable[[], str]
# What the server does with one CreateVpc: the HTTP status, the AWS code, and whether the VPC is made all the same.
LOST = (0, "", True)
RESET = (0, "", False)
INTERNAL_ERROR_DONE = (500, "InternalError", True)
INTERNAL_ERROR = (500, "InternalError", False)
THROTTLED = (503, "RequestLimitExceeded", False)
DUPLICATE = (400, "VpcAlreadyExists", False)
DENIED = (403, "UnauthorizedOperation", False)


class Ec2(http.server.ThreadingHTTPServer):
    """VPCs made so far, the faults still to come and the actions that were called."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.vpcs: list[str] = []
        self.faults: list[tuple[int, str, bool]] = []
        self.blind_reads = 0
        self.actions: list[str] = []

    def answer(self, action: str) -> tuple[int, str]:
        """Status (0: drop the connection) and body of one call."""
        self.actions.append(action)
        if action == "DescribeVpcs":
            shown = [] if self.blind_reads else self.vpcs
            self.blind_reads = max(0, self.blind_reads - 1)
            items = "".join(f"<item><vpcId>{vpc}</vpcId></item>" for vpc in shown)
            return 200, f"<DescribeVpcsResponse><vpcSet>{items}</vpcSet></DescribeVpcsResponse>"
        status, code, done = self.faults.pop(0) if self.faults else (200, "", True)
        if done:
            self.vpcs.append(f"vpc-{len(self.vpcs)}")
        if status == 200:
            return 200, f"<CreateVpcResponse><vpc><vpcId>{self.vpcs[-1]}</vpcId></vpc></CreateVpcResponse>"
        return status, f"<Response><Errors><Error><Code>{code}</Code><Message>no</Message></Error></Errors></Response>"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Ec2

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        status, text = self.server.answer(parse_qs(body)["Action"][0])
        if status == 0:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_arguments: Any) -> None:
        """Silent."""


@pytest.fixture
def server() -> Iterator[Ec2]:
    with Ec2() as ec2:
        threading.Thread(target=ec2.serve_forever, args=(0.01,), daemon=True).start()
        yield ec2
        ec2.shutdown()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses between looks, which take no time here; botocore's own backoff neither."""
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    return slept


def make_client(port: int) -> Any:
    return boto3.client(
        "ec2",
        region_name="eu-west-1",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"mode": "standard", "max_attempts": 10}),
    )


@pytest.fixture
def client(server: Ec2, pauses: list[float]) -> Any:
    return make_client(server.server_port)


def create(client: Any, exists: tuple[str, ...] = ()) -> str:
    """Create a VPC once; returns its id."""

    def find() -> str | None:
        found = client.describe_vpcs()["Vpcs"]
        return str(found[0]["VpcId"]) if found else None

    return creates.create_once(
        client, lambda: str(client.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]), find, exists
    )


def test_botocore_alone_makes_twins(server: Ec2, client: Any) -> None:
    """The fault that create_once is for: without it, this server holds two VPCs."""
    server.faults = [LOST]
    client.create_vpc(CidrBlock="10.0.0.0/16")
    assert len(server.vpcs) == 2


def test_an_answered_create_looks_for_nothing(server: Ec2, client: Any) -> None:
    assert create(client) == "vpc-0"
    assert server.actions == ["CreateVpc"]


@pytest.mark.parametrize("fault", [LOST, INTERNAL_ERROR_DONE])
def test_what_an_unanswered_create_made_is_adopted(server: Ec2, client: Any, fault: tuple[int, str, bool]) -> None:
    server.faults = [fault]
    assert create(client) == "vpc-0"
    assert server.actions == ["CreateVpc", "DescribeVpcs"]


def test_a_resource_that_shows_late_is_adopted(server: Ec2, client: Any, pauses: list[float]) -> None:
    server.faults, server.blind_reads = [LOST], 3
    assert create(client) == "vpc-0"
    assert server.vpcs == ["vpc-0"]
    assert pauses == list(creates.LOOKS_BY_TAG)


@pytest.mark.parametrize("fault", [RESET, INTERNAL_ERROR])
def test_what_was_not_made_is_created_again(server: Ec2, client: Any, fault: tuple[int, str, bool]) -> None:
    server.faults = [fault, fault]
    assert create(client) == "vpc-0"
    assert server.actions.count("CreateVpc") == 3


def test_throttling_is_repeated_without_a_look(server: Ec2, client: Any) -> None:
    server.faults = [THROTTLED, THROTTLED]
    assert create(client) == "vpc-0"
    assert server.actions == ["CreateVpc"] * 3


def test_a_unique_name_is_adopted_when_the_repeated_create_is_refused(server: Ec2, client: Any) -> None:
    server.faults, server.blind_reads = [LOST, DUPLICATE], len(creates.LOOKS_BY_NAME)
    assert create(client, exists=("VpcAlreadyExists",)) == "vpc-0"
    assert server.actions == ["CreateVpc", "DescribeVpcs", "DescribeVpcs", "CreateVpc", "DescribeVpcs"]


def test_a_name_taken_by_somebody_else_is_an_error(server: Ec2, client: Any) -> None:
    """Without a lost reply the resource is not ours."""
    server.faults = [DUPLICATE]
    with pytest.raises(ClientError, match="VpcAlreadyExists"):
        create(client, exists=("VpcAlreadyExists",))
    assert server.actions == ["CreateVpc"]


def test_a_refusal_is_not_repeated(server: Ec2, client: Any) -> None:
    server.faults = [LOST, DENIED]
    server.blind_reads = len(creates.LOOKS_BY_TAG)
    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        create(client)


def test_a_service_that_never_answers_ends_with_its_error(server: Ec2, client: Any) -> None:
    server.faults = [RESET] * (creates.ATTEMPTS + 1)
    with pytest.raises(ConnectionClosedError):
        create(client)
    assert server.actions.count("CreateVpc") == creates.ATTEMPTS
    server.faults = [INTERNAL_ERROR] * (creates.ATTEMPTS + 1)
    with pytest.raises(ClientError, match="InternalError"):
        create(client)


def test_a_lost_reply_passes_through_call(server: Ec2, client: Any) -> None:
    """``call`` may be around the API call, or around create_once."""
    server.faults = [LOST]
    server.blind_reads = len(creates.LOOKS_BY_NAME)

    @call("create the VPC")
    def make() -> dict[str, str]:
        return dict(client.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"])

    def find() -> dict[str, str] | None:
        found = client.describe_vpcs()["Vpcs"]
        return dict(found[0]) if found else None

    server.faults = [LOST, DUPLICATE]
    assert creates.create_once(client, make, find, ("VpcAlreadyExists",))["VpcId"] == "vpc-0"
    server.faults = [DENIED]
    with pytest.raises(AnsibleAWSError, match="create the VPC"):
        creates.create_once(client, make, find)


def test_a_connection_that_never_was_is_repeated_by_botocore(pauses: list[float]) -> None:
    with pytest.raises(EndpointConnectionError):
        create(make_client(1))
    assert len(pauses) == 10


def test_reads_inside_create_and_later_calls_are_repeated_as_ever(server: Ec2, client: Any) -> None:
    create(client)
    server.vpcs.clear()
    server.faults = [LOST]
    client.create_vpc(CidrBlock="10.0.0.0/16")
    assert len(server.vpcs) == 2, "create_once left its handler behind"
