# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Access logs of the local load balancers: the lines, the names of the objects, and what becomes of them."""

from __future__ import annotations

import asyncio
import gzip
import shlex
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from ministack.core.responses import request_scope
from ministack.services import alb, s3
from sm2a_local_aws.load_balancer import access_logs

ACCOUNT, REGION = "000000000000", "eu-west-1"
BALANCER = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/app/web/0123456789abcdef"
GROUP = {"TargetGroupArn": "arn:group", "Port": 8080}
NAMES = (
    *("type", "time", "elb", "client", "target", "request_time", "target_time", "response_time", "status"),
    *("target_status", "received", "sent", "request", "user_agent", "cipher", "protocol", "group", "trace", "domain"),
    *("certificate", "rule", "created", "actions", "redirect", "error", "targets", "target_statuses"),
    *("classification", "classification_reason", "connection"),
)


def request(**fields: Any) -> access_logs.Request:
    given = {
        "scheme": "https",
        "client": ("192.0.2.1", 50000),
        "method": "GET",
        "url": "/home?q=1",
        "http_version": "2",
        "host": "airflow.test",
        "headers": {"user-agent": 'curl "8"'},
    }
    return access_logs.Request(**{**given, **fields})


def fields_of(made: access_logs.Request) -> dict[str, str]:
    return dict(zip(NAMES, shlex.split(access_logs.line(BALANCER, made)), strict=True))


def test_a_request_that_was_forwarded() -> None:
    made = request(received=3)
    access_logs.current.set(made)
    access_logs.forwarding({"Id": "10.0.0.9"}, GROUP)
    access_logs.answered(201)
    made.status = 201
    found = fields_of(made)
    expected = {
        "type": "h2",
        "elb": "app/web/0123456789abcdef",
        "client": "192.0.2.1:50000",
        "target": "10.0.0.9:8080",
        "status": "201",
        "target_status": "201",
        "received": "3",
        "request": "GET https://airflow.test:443/home?q=1 HTTP/2",
        "user_agent": "curl \\x228\\x22",
        "group": "arn:group",
        "domain": "airflow.test",
        "actions": "forward",
        "targets": "10.0.0.9:8080",
        "target_statuses": "201",
    }
    assert {name: found[name] for name in expected} == expected
    assert 0 <= float(found["target_time"]) < 5


@pytest.mark.parametrize(
    ("location", "action"),
    [
        ("https://airflow.test:443/", "redirect"),
        ("https://login.test/authorize?client_id=a&response_type=code", "authenticate"),
        ("", "-"),
    ],
)
def test_a_request_that_the_load_balancer_answers_itself(location: str, action: str) -> None:
    found = fields_of(request(scheme="http", http_version="1.1", location=location, status=302))
    assert (found["actions"], found["redirect"]) == (action, location or "-")
    assert (found["type"], found["target"], found["target_status"]) == ("http", "-", "-")
    assert {found[name] for name in ("request_time", "target_time", "response_time")} == {"-1"}


def test_status_size_and_redirect_are_counted() -> None:
    made, messages = request(), []

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    async def respond() -> None:
        counted = access_logs.counting(send, made)
        await counted({"type": "http.response.start", "status": 301, "headers": [(b"Location", b"/there")]})
        await counted({"type": "http.response.body", "body": b"abc", "more_body": True})
        await counted({"type": "http.response.body", "body": b"de"})

    asyncio.run(respond())
    assert (made.status, made.sent, made.location, len(messages)) == (301, 5, "/there", 3)


def test_the_name_of_an_object() -> None:
    end = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
    name = access_logs.key("logs", (ACCOUNT, REGION, BALANCER), end)
    folder, _slash, file = name.rpartition("/")
    assert folder == f"logs/AWSLogs/{ACCOUNT}/elasticloadbalancing/{REGION}/2026/03/04"
    expected = f"{ACCOUNT}_elasticloadbalancing_{REGION}_app.web.0123456789abcdef_20260304T0506Z_127.0.0.1_"
    assert file.startswith(expected)
    assert file.endswith(".log.gz")
    assert access_logs.key("", (ACCOUNT, REGION, BALANCER), end).startswith("AWSLogs/")


@pytest.fixture
def bucket() -> Iterator[dict[str, Any]]:
    """The objects of a bucket that a load balancer logs to."""
    with request_scope(ACCOUNT, REGION):
        s3._create_bucket("edge-logs", b"", {})
        values = {"enabled": "true", "bucket": "edge-logs", "prefix": "web"}
        alb._lb_attrs[BALANCER] = [{"Key": f"access_logs.s3.{key}", "Value": value} for key, value in values.items()]
        yield s3._buckets["edge-logs"]["objects"]
        del s3._buckets["edge-logs"], alb._lb_attrs[BALANCER]


def test_lines_become_an_object(bucket: dict[str, Any]) -> None:
    for _request in range(2):
        access_logs.keep(ACCOUNT, REGION, BALANCER, request())
    access_logs.flush()
    access_logs.flush()
    [(name, made)] = bucket.items()
    assert name.startswith("web/AWSLogs/")
    assert len(gzip.decompress(made["body"]).decode().splitlines()) == 2


def test_what_is_kept_is_written_at_the_end(bucket: dict[str, Any]) -> None:
    async def serve() -> None:
        stop = asyncio.Event()
        running = asyncio.create_task(access_logs.run(stop))
        await asyncio.sleep(0)
        access_logs.keep(ACCOUNT, REGION, BALANCER, request())
        stop.set()
        await running

    before = time.monotonic()
    asyncio.run(serve())
    assert len(bucket) == 1
    assert time.monotonic() - before < access_logs.FLUSH_SECONDS


def test_nothing_is_kept_without_access_logs(bucket: dict[str, Any]) -> None:
    alb._lb_attrs[BALANCER][0]["Value"] = "false"
    access_logs.keep(ACCOUNT, REGION, BALANCER, request())
    access_logs.flush()
    assert bucket == {}
