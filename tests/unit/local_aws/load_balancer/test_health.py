# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""When a target counts as healthy."""

from __future__ import annotations

import time

import pytest
from sm2a_local_aws.elbv2.target_health import HEALTHY, UNHEALTHY, TargetState
from sm2a_local_aws.load_balancer import health

GROUP = {
    "TargetGroupArn": "group",
    "Port": 80,
    "HealthCheckIntervalSeconds": 10,
    "HealthyThresholdCount": 2,
    "UnhealthyThresholdCount": 3,
}


def test_new_target_is_healthy_after_one_success() -> None:
    state = TargetState()
    health.judge(state, GROUP, passed=True)
    assert state.status == HEALTHY


def test_healthy_target_fails_at_the_threshold_and_recovers_at_its_own() -> None:
    state = TargetState(status=HEALTHY)
    statuses = []
    for passed in (False, False, False, True, True):
        health.judge(state, GROUP, passed=passed)
        statuses.append(state.status)
    assert statuses == [HEALTHY, HEALTHY, UNHEALTHY, UNHEALTHY, HEALTHY]


def test_starting_target_is_asked_often_but_judged_at_the_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    state = TargetState()
    failed_at = None
    for _second in range(60):
        health.judge(state, GROUP, passed=False)
        if state.status == UNHEALTHY:
            failed_at = now
            break
        assert state.due == now + 1
        now += 1
    assert failed_at == 1000 + 3 * 10


@pytest.mark.parametrize(
    ("matcher", "codes"), [("200", {200}), ("200,302", {200, 302}), ("200-202,404", {200, 201, 202, 404})]
)
def test_matched_codes(matcher: str, codes: set[int]) -> None:
    assert health.matched_codes(matcher) == codes
