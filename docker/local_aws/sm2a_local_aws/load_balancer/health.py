# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Health checks of load balancer targets: real HTTP requests, at the target group's interval and thresholds."""

from __future__ import annotations

import concurrent.futures
import http.client
import logging
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import alb

from sm2a_local_aws.elbv2 import target_health
from sm2a_local_aws.elbv2.target_health import HEALTHY, INITIAL, UNHEALTHY, TargetState
from sm2a_local_aws.load_balancer import ecs_tasks
from sm2a_local_aws.patching.points import relies_on, replaces

logger = logging.getLogger("sm2a.load_balancer_health")

Group = dict[str, Any]
Target = dict[str, Any]

POLL_INTERVAL_SECONDS = 0.5
# A starting target is asked this often, so that it serves soon; its failures count at the group's interval.
INITIAL_INTERVAL_SECONDS = 1.0
PROBES_AT_ONCE = 8

relies_on(
    "ministack.services.alb",
    {"_p": "4073e17ee146", "_xml": "451c5e276087", "_error": "7bbb9cb965a1", "_parse_targets_param": "b4d614094f2c"},
)


def start() -> None:
    """Probe in the background for the life of the process."""
    threading.Thread(target=_probe_forever, name="sm2a-target-health", daemon=True).start()


@replaces("ministack.services.alb:_describe_target_health", "d848e8a26fcb")
def describe_target_health(_original: Callable[..., Any], parameters: dict[str, Any]) -> Any:
    """The state that the probes saw, with the reason codes of an ALB."""
    group = alb._tgs.get(alb._p(parameters, "TargetGroupArn"))
    if group is None:
        return alb._error("TargetGroupNotFound", "One or more target groups not found")
    wanted = {target["Id"] for target in alb._parse_targets_param(parameters)}
    members = "".join(
        _health_xml(group, target)
        for target in alb._targets.get(group["TargetGroupArn"], [])
        if not wanted or target["Id"] in wanted
    )
    inner = f"<TargetHealthDescriptions>{members}</TargetHealthDescriptions>"
    return alb._xml(200, "DescribeTargetHealth", inner)


def _health_xml(group: Group, target: Target) -> str:
    status = target_health.state(group, target).status
    reason = {INITIAL: "Elb.RegistrationInProgress", UNHEALTHY: "Target.FailedHealthChecks"}.get(status)
    port = target.get("Port") or group["Port"]
    return (
        f"<member><Target><Id>{target['Id']}</Id><Port>{port}</Port></Target>"
        f"<HealthCheckPort>{_check_port(group, target)}</HealthCheckPort>"
        f"<TargetHealth><State>{status}</State>{f'<Reason>{reason}</Reason>' if reason else ''}</TargetHealth></member>"
    )


def _probe_forever() -> None:
    pool = concurrent.futures.ThreadPoolExecutor(PROBES_AT_ONCE, thread_name_prefix="sm2a-target-probe")
    while True:
        threading.Event().wait(POLL_INTERVAL_SECONDS)
        try:
            _submit_due(pool)
        except Exception:
            # One bad record must not end the probes of every other group.
            logger.exception("looking for due health checks failed")


def _submit_due(pool: concurrent.futures.ThreadPoolExecutor) -> None:
    seen = set()
    now = time.monotonic()
    for (account_id, region, arn), group in list(alb._tgs.all_items()):
        with request_scope(account_id, region):
            targets = list(alb._targets.get(arn, []))
        if group["TargetType"] not in ("ip", "instance"):
            continue
        for target in targets:
            seen.add(target_health.key(group, target))
            state = target_health.state(group, target)
            if not group["HealthCheckEnabled"]:
                state.status = HEALTHY
            elif not state.probing and state.due <= now:
                state.probing = True
                pool.submit(_probe, account_id, region, group, target, state)
    target_health.forget_all_but(seen)


def _probe(account_id: str, region: str, group: Group, target: Target, state: TargetState) -> None:
    try:
        before = state.status
        judge(state, group, passed=_answers_well(group, target))
        with request_scope(account_id, region):
            if state.status == HEALTHY and before != HEALTHY:
                ecs_tasks.target_became_healthy(target["Id"])
            elif state.status == UNHEALTHY:
                ecs_tasks.target_is_unhealthy(target["Id"])
    except Exception:
        logger.exception("the health check of %s failed to run", target["Id"])
    finally:
        state.probing = False


def judge(state: TargetState, group: Group, *, passed: bool) -> None:
    """Move the target's state by one result; a new target needs one success, a failed one the threshold."""
    now = time.monotonic()
    interval = float(group["HealthCheckIntervalSeconds"])
    state.due = now + interval
    if passed:
        state.successes, state.failures = state.successes + 1, 0
        if state.status == INITIAL or state.successes >= int(group["HealthyThresholdCount"]):
            state.status = HEALTHY
        return
    state.successes = 0
    if state.status == INITIAL:
        state.due = now + min(INITIAL_INTERVAL_SECONDS, interval)
        if state.judged == 0.0:
            state.judged = now
        if now - state.judged < interval:
            return
    state.judged = now
    state.failures += 1
    if state.failures >= int(group["UnhealthyThresholdCount"]):
        state.status = UNHEALTHY


def _check_port(group: Group, target: Target) -> int:
    port = str(group["HealthCheckPort"])
    return int(target.get("Port") or group["Port"]) if port == "traffic-port" else int(port)


def _answers_well(group: Group, target: Target) -> bool:
    timeout = float(group["HealthCheckTimeoutSeconds"])
    port = _check_port(group, target)
    connection: http.client.HTTPConnection
    if group["HealthCheckProtocol"] == "HTTPS":
        # An ALB does not verify its targets' certificates.
        context = ssl._create_unverified_context()  # noqa: S323
        connection = http.client.HTTPSConnection(target["Id"], port, timeout=timeout, context=context)
    else:
        connection = http.client.HTTPConnection(target["Id"], port, timeout=timeout)
    try:
        connection.request("GET", group["HealthCheckPath"], headers={"User-Agent": "ELB-HealthChecker/2.0"})
        return connection.getresponse().status in matched_codes(group["Matcher"]["HttpCode"])
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def matched_codes(matcher: str) -> set[int]:
    """The HTTP codes of a matcher such as "200", "200,302" or "200-299"."""
    codes: set[int] = set()
    for part in matcher.split(","):
        first, _, last = part.partition("-")
        codes |= set(range(int(first), int(last or first) + 1))
    return codes
