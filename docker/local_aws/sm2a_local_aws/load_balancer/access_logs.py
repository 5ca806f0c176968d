# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Access logs of load balancers: one line a request as an ALB writes it, in compressed objects in the S3 bucket."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import alb, s3

from sm2a_local_aws.patching.points import relies_on

logger = logging.getLogger("sm2a.load_balancer_access_logs")

# AWS does so every five minutes.
FLUSH_SECONDS = 15
UNKNOWN = "-"

relies_on("ministack.services.s3", {"_put_object": "cf5861e4d999"})
relies_on("ministack.services.alb", {"_lb_attr": "5d02a480e491"})

# Account, Region and ARN of a load balancer -> its lines that are not written yet.
Place = tuple[str, str, str]
_lines: dict[Place, list[str]] = {}


@dataclass
class Request:
    """One request on its way through a load balancer; times in seconds of the monotonic clock."""

    scheme: str
    client: tuple[str, int]
    method: str
    url: str
    http_version: str
    host: str
    headers: dict[str, str]
    received: int = 0
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    started: float = field(default_factory=time.monotonic)
    certificate: str = ""
    target: str = UNKNOWN
    target_group: str = UNKNOWN
    forwarded: float | None = None
    answered: float | None = None
    target_status: int | None = None
    status: int = 0
    sent: int = 0
    location: str = ""


# The request that the running task serves.
current: ContextVar[Request | None] = ContextVar("current", default=None)


def forwarding(target: dict[str, Any], group: dict[str, Any]) -> None:
    """Note where the request goes, just before it goes there."""
    request = current.get()
    if request is not None:
        request.target = f"{target['Id']}:{target.get('Port') or group['Port']}"
        request.target_group = group["TargetGroupArn"]
        request.forwarded = time.monotonic()


def answered(status: int) -> None:
    """Note what the target answered."""
    request = current.get()
    if request is not None:
        request.answered, request.target_status = time.monotonic(), status


def counting(send: Callable[[dict[str, Any]], Awaitable[None]], request: Request) -> Callable[..., Awaitable[None]]:
    """The ASGI ``send`` that also notes status, redirect and size of the response."""

    async def counted(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            request.status = message["status"]
            headers = {name.lower(): value for name, value in message.get("headers", [])}
            request.location = headers.get(b"location", b"").decode("latin-1")
        request.sent += len(message.get("body", b""))
        await send(message)

    return counted


def keep(account_id: str, region: str, arn: str, request: Request) -> None:
    """Add the request's line when the load balancer has access logs."""
    if alb._lb_attr(arn, "access_logs.s3.enabled", "false") == "true":
        _lines.setdefault((account_id, region, arn), []).append(line(arn, request))


def line(arn: str, request: Request) -> str:
    """The fields that AWS documents, up to conn_trace_id; `-` for values that are unknown here."""
    end = time.monotonic()
    waited, thought, replied = _durations(request, end)
    secure = request.scheme == "https"
    kind = "h2" if request.http_version == "2" else request.scheme
    default_port = "443" if secure else "80"
    url = f"{request.scheme}://{_with_port(request.host, default_port)}{request.url}"
    fields = [
        kind,
        datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        arn.split(":loadbalancer/")[1],
        f"{request.client[0]}:{request.client[1]}",
        request.target,
        waited,
        thought,
        replied,
        str(request.status or UNKNOWN),
        str(request.target_status or UNKNOWN),
        str(request.received),
        str(request.sent),
        _quoted(f"{request.method} {url} HTTP/{request.http_version}"),
        _quoted(request.headers.get("user-agent", UNKNOWN)),
        UNKNOWN,
        UNKNOWN,
        request.target_group,
        _quoted(request.headers.get("x-amzn-trace-id", UNKNOWN)),
        _quoted(request.host.partition(":")[0] if secure else UNKNOWN),
        _quoted(request.certificate or UNKNOWN),
        UNKNOWN,
        request.created.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        _quoted(_action(request)),
        _quoted(request.location or UNKNOWN),
        _quoted(UNKNOWN),
        _quoted(request.target),
        _quoted(str(request.target_status or UNKNOWN)),
        _quoted(UNKNOWN),
        _quoted(UNKNOWN),
        UNKNOWN,
    ]
    return " ".join(fields)


def _durations(request: Request, end: float) -> tuple[str, str, str]:
    """Until it was forwarded, until the target answered, until the response was sent; -1 for what did not happen."""
    if request.forwarded is None or request.answered is None:
        return "-1", "-1", "-1"
    spans = (request.forwarded - request.started, request.answered - request.forwarded, end - request.answered)
    first, second, third = (f"{span:.3f}" for span in spans)
    return first, second, third


def _action(request: Request) -> str:
    if request.target != UNKNOWN:
        return "forward"
    if request.location:
        return "authenticate" if "response_type=code" in request.location else "redirect"
    return UNKNOWN


def _with_port(host: str, port: str) -> str:
    return host if ":" in host else f"{host}:{port}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\x5C").replace('"', "\\x22").replace("\n", "\\x0A") + '"'


def key(prefix: str, place: Place, end: datetime) -> str:
    """The name of an object, as AWS documents it."""
    account_id, region, arn = place
    balancer = arn.split(":loadbalancer/")[1].replace("/", ".")
    name = f"{account_id}_elasticloadbalancing_{region}_{balancer}_{end:%Y%m%dT%H%MZ}_127.0.0.1_{secrets.token_hex(4)}"
    folder = f"AWSLogs/{account_id}/elasticloadbalancing/{region}/{end:%Y/%m/%d}"
    return "/".join(part for part in (prefix, folder, f"{name}.log.gz") if part)


async def run(stop: asyncio.Event) -> None:
    """Write buffered entries periodically until stopped, and a last time after that."""
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), FLUSH_SECONDS)
        flush()


def flush() -> None:
    """Write an object for each load balancer with new lines; lines without a bucket any more are dropped."""
    for place in list(_lines):
        account_id, region, arn = place
        text = "\n".join(_lines.pop(place)) + "\n"
        with request_scope(account_id, region):
            bucket = alb._lb_attr(arn, "access_logs.s3.bucket", "")
            name = key(alb._lb_attr(arn, "access_logs.s3.prefix", ""), place, datetime.now(UTC))
            response = s3._put_object(bucket, name, gzip.compress(text.encode()), {})
        if response[0] != 200:
            logger.warning("cannot write access logs of %s to bucket %s: %s", arn, bucket, response[2])
