# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which target gets a request: healthy ones in turn, or the one that the AWSALB cookie names."""

from __future__ import annotations

import base64
import binascii
import itertools
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from ministack.services import alb

from sm2a_local_aws.elbv2 import target_health
from sm2a_local_aws.load_balancer import access_logs
from sm2a_local_aws.patching.points import relies_on, replaces

Target = dict[str, Any]

COOKIE = re.compile(r"(?:^|;\s*)AWSALB=(?P<value>[A-Za-z0-9_=-]+)")
UNAVAILABLE = b"<html><head><title>503 Service Temporarily Unavailable</title></head></html>"

relies_on("ministack.services.alb", {"_proxy_http_target": "c05100c8b201"})

# target group ARN -> whose turn it is
_turns: defaultdict[str, Iterator[int]] = defaultdict(itertools.count)


@replaces("ministack.services.alb:_forward_to_tg", "9a88384605d7")
async def forward_to_target_group(
    original: Callable[..., Awaitable[Any]], arn: str, method: str, path: str, *request: Any
) -> Any:
    """Forward to a healthy target, 503 when there is none; set the AWSALB cookie of a sticky group."""
    group = alb._tgs.get(arn)
    registered = list(alb._targets.get(arn, []))
    if group is None or group["TargetType"] not in ("ip", "instance"):
        return await original(arn, method, path, *request)
    headers, body, query, raw_query, raw_path = request
    candidates = target_health.routable(group, registered)
    if not candidates:
        return 503, {"Content-Type": "text/html"}, UNAVAILABLE
    attributes = {item["Key"]: item["Value"] for item in alb._tg_attrs.get(arn, [])}
    sticky = attributes.get("stickiness.enabled") == "true"
    target = _cookie_target(headers, candidates) if sticky else None
    if target is None:
        target = candidates[next(_turns[arn]) % len(candidates)]
    access_logs.forwarding(target, group)
    response = await alb._proxy_http_target(target, group, method, raw_path or path, headers, body, query, raw_query)
    access_logs.answered(response[0])
    if not sticky:
        return response
    return _with_cookie(response, target, attributes["stickiness.lb_cookie.duration_seconds"])


def cookie_value(target: Target) -> str:
    """What the cookie says of a target."""
    return base64.urlsafe_b64encode(f"{target['Id']}:{target.get('Port')}".encode()).decode()


def _cookie_target(headers: dict[str, str], candidates: list[Target]) -> Target | None:
    match = COOKIE.search(headers.get("cookie") or "")
    if match is None:
        return None
    try:
        wanted = base64.urlsafe_b64decode(match["value"]).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return next((target for target in candidates if f"{target['Id']}:{target.get('Port')}" == wanted), None)


def _with_cookie(response: Any, target: Target, seconds: str) -> Any:
    status, headers, body = response
    cookies = headers.get("set-cookie", [])
    cookies = [cookies] if isinstance(cookies, str) else list(cookies)
    cookies.append(f"AWSALB={cookie_value(target)}; Max-Age={seconds}; Path=/")
    return status, {**headers, "set-cookie": cookies}, body
