# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What a container may send: calls that are signed with its own credentials, and questions to the ECS agent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from ministack.core.responses import request_scope
from ministack.services import ec2, ecs, iam, sts
from sm2a_local_aws import settings
from sm2a_local_aws.iam import credentials, enforcement, task_calls
from sm2a_local_aws.iam.request.calls import Call
from sm2a_local_aws.settings import Settings

CONTAINER = "10.50.0.7"
MACHINE = "10.50.0.1"
URL = "http://10.50.0.1:4566/"
ROLE = "arn:aws:iam::000000000000:role/worker"
TASK = "arn:aws:ecs:eu-west-1:000000000000:task/staging/0123456789abcdef"
TOKEN = "a" * 43
QUEUES = {"X-Amz-Target": "AmazonSQS.ListQueues", "Content-Type": "application/x-amz-json-1.0"}
ADMINISTRATOR = Credentials("test", "test")


@pytest.fixture(autouse=True)
def account() -> Iterator[None]:
    """A running task whose role may list queues."""
    before = settings._current[:]
    settings.activate(Settings(engine_socket="unix:///x", subnet="10.50.0.0/24"))
    document = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "*"}}
    with request_scope("000000000000", "eu-west-1"):
        iam._roles["worker"] = {"Arn": ROLE, "RoleId": "AROA1", "InlinePolicies": {"own": json.dumps(document)}}
        ecs._tasks[TASK] = {"taskArn": TASK, "lastStatus": "RUNNING"}
        yield
        iam._roles.pop("worker")
        ecs._tasks.pop(TASK, None)
    sts._sessions.clear()
    settings._current[:] = before


def own_credentials() -> Credentials:
    """The credentials of the task."""
    found = credentials.environment({"taskArn": TASK}, {"taskRoleArn": ROLE})
    return Credentials(found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"], found["AWS_SESSION_TOKEN"])


def status(
    client: str,
    signer: Credentials | None = None,
    headers: dict[str, str] | None = None,
    *,
    method: str = "POST",
    path: str = "",
    service: str = "sqs",
) -> int:
    """The status of the answer to a request from an address; 200 when it got to MiniStack."""
    body = b"{}" if method == "POST" else b""
    request = AWSRequest(method, URL + path, data=body, headers={"Host": "10.50.0.1:4566", **(headers or {})})
    if signer:
        SigV4Auth(signer, service, "eu-west-1").add_auth(request)
    address = urlsplit(request.url)
    scope = {
        "type": "http",
        "method": method,
        "path": address.path,
        "query_string": address.query.encode(),
        "headers": [(name.lower().encode(), str(value).encode()) for name, value in request.headers.items()],
        "client": (client, 40000),
    }
    sent: list[dict[str, Any]] = []

    async def application(_scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["body"] == body
        await send({"type": "http.response.start", "status": 200})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def run() -> None:
        await enforcement.middleware(application)(scope, receive, send)

    asyncio.run(run())
    return int(sent[0]["status"])


def test_a_task_uses_its_own_credentials() -> None:
    assert status(CONTAINER, own_credentials(), QUEUES) == 200
    assert status(CONTAINER, own_credentials(), {**QUEUES, "X-Amz-Target": "AmazonSQS.DeleteQueue"}) == 403


def test_all_containers_of_a_task_have_the_same_credentials() -> None:
    assert own_credentials().access_key == own_credentials().access_key
    assert credentials.environment({"taskArn": TASK}, {}) == {}


def test_they_are_those_of_the_role_that_the_task_was_started_with() -> None:
    task = {"taskArn": TASK, "overrides": {"taskRoleArn": ROLE}}
    found = credentials.environment(task, {"taskRoleArn": "arn:aws:iam::000000000000:role/other"})
    assert sts._sessions[found["AWS_ACCESS_KEY_ID"]]["Arn"].endswith(":assumed-role/worker/0123456789abcdef")


@pytest.mark.parametrize(
    "signer", [ADMINISTRATOR, Credentials("local-aws", "x"), Credentials("000000000000", "x"), None]
)
def test_the_administrators_key_is_nothing_in_a_container(signer: Credentials | None) -> None:
    assert status(MACHINE, signer, QUEUES) == 200
    assert status("127.0.0.1", signer, QUEUES) == 200
    assert status(CONTAINER, signer, QUEUES) in (400, 403)


def test_the_policy_of_a_vpc_endpoint_counts() -> None:
    queues = status(CONTAINER, own_credentials(), QUEUES)
    with request_scope("000000000000", "eu-west-1"):
        ecs._tasks[TASK]["_subnet"] = "subnet-tests"
        ec2._subnets["subnet-tests"] = {"VpcId": "vpc-tests"}
        endpoint = {"VpcId": "vpc-tests", "ServiceName": "com.amazonaws.eu-west-1.sqs", "VpcEndpointId": "vpce-1"}
        ec2._vpc_endpoints["vpce-1"] = endpoint
        found = []
        for account in ("000000000000", "111122223333"):
            same = {"StringEquals": {"aws:PrincipalAccount": account, "aws:SourceVpce": "vpce-1"}}
            statement = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": same}
            endpoint["PolicyDocument"] = json.dumps({"Version": "2012-10-17", "Statement": statement})
            found.append(status(CONTAINER, own_credentials(), QUEUES))
        ec2._subnets.pop("subnet-tests")
        ec2._vpc_endpoints.pop("vpce-1")
    assert [queues, *found] == [200, 200, 403]


def told(method: str = "GET") -> Any:
    """What the list of the calls of tasks is answered with."""
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def no_application(_scope: Any, _receive: Any, _send: Any) -> None:
        raise AssertionError("it came through")

    async def run() -> None:
        scope = {"type": "http", "method": method, "path": task_calls.PATH}
        await task_calls.middleware(no_application)(scope, None, send)

    asyncio.run(run())
    return json.loads(sent[1]["body"])


def test_calls_of_tasks_are_told_with_the_endpoint_that_they_went_through() -> None:
    told("DELETE")
    status(MACHINE, ADMINISTRATOR, QUEUES)
    assert told() == []
    over_the_internet = {"role": "worker", "service": "sqs", "endpoint": ""}
    for _ in range(2):
        status(CONTAINER, own_credentials(), QUEUES)
    # Also what is refused needs a way.
    status(CONTAINER, own_credentials(), {**QUEUES, "X-Amz-Target": "AmazonSQS.DeleteQueue"})
    assert told() == [over_the_internet]
    with request_scope("000000000000", "eu-west-1"):
        ecs._tasks[TASK]["_subnet"] = "subnet-tests"
        ec2._subnets["subnet-tests"] = {"VpcId": "vpc-tests"}
        endpoint = {"VpcId": "vpc-tests", "ServiceName": "com.amazonaws.eu-west-1.sqs", "VpcEndpointId": "vpce-1"}
        ec2._vpc_endpoints["vpce-1"] = endpoint
        status(CONTAINER, own_credentials(), QUEUES)
        ec2._subnets.pop("subnet-tests")
        ec2._vpc_endpoints.pop("vpce-1")
    assert told() == [over_the_internet, {**over_the_internet, "endpoint": "vpce-1"}]
    assert told("DELETE") == []


def test_credentials_die_with_the_task() -> None:
    mine = own_credentials()
    with request_scope("000000000000", "eu-west-1"):
        ecs._tasks[TASK]["lastStatus"] = "STOPPED"
    assert status(CONTAINER, mine, QUEUES) in (400, 403)
    assert status(MACHINE, mine, QUEUES) in (400, 403)


@pytest.mark.parametrize(
    "path", ["v2/", "v2/_catalog", "_ministack/reset", "_sm2a/outages", "_sm2a/task_calls", "", "health"]
)
def test_nothing_else_is_open_to_a_container(path: str) -> None:
    assert status(CONTAINER, method="GET", path=path) in (400, 403)
    assert status(CONTAINER, own_credentials(), method="GET", path=path, service="s3") in (400, 403)


def test_the_agent_is_asked_without_a_signature() -> None:
    for path in (f"v4/{TOKEN}", f"v4/{TOKEN}/task", f"api/{TOKEN}/task-protection/v1/state"):
        assert status(CONTAINER, method="GET", path=path) == 200
    assert status(CONTAINER, method="PUT", path=f"api/{TOKEN}/task-protection/v1/state") == 200


@pytest.mark.parametrize("headers", [QUEUES, {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/eu/sqs/x"}])
def test_the_address_of_the_agent_is_no_way_to_a_service(headers: dict[str, str]) -> None:
    """MiniStack chooses the service by headers before it looks at the path."""
    assert status(CONTAINER, method="GET", path=f"v4/{TOKEN}", headers=headers) in (400, 403)
    assert status(CONTAINER, method="POST", path=f"v4/{TOKEN}", headers=headers) in (400, 403)
    assert status(CONTAINER, method="GET", path=f"v4/{TOKEN}?Action=ListRoles") in (400, 403)
    assert status(CONTAINER, None, {"Host": "s3.10.50.0.1:4566"}, method="GET", path=f"v4/{TOKEN}") in (400, 403)


def test_a_bucket_in_the_host_is_no_way_around() -> None:
    with request_scope("000000000000", "eu-west-1"):
        everything = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
        iam._roles["worker"]["InlinePolicies"]["own"] = json.dumps(everything)
    virtual = {"Host": "bucket-1.10.50.0.1:4566"}
    assert status(CONTAINER, own_credentials(), method="GET", path="other/key", service="s3") == 200
    assert status(CONTAINER, own_credentials(), virtual, method="GET", path="other/key", service="s3") == 403


def test_the_agent_acts_with_the_rights_of_the_task() -> None:
    asked = {"cluster": "staging", "tasks": [TASK]}
    call = Call("ecs", "UpdateTaskProtection", asked)
    refused = enforcement.refusal_of_task(ROLE, TASK, call)
    assert refused is not None
    assert f"perform: ecs:UpdateTaskProtection on resource: {TASK} because no identity-based policy" in refused
