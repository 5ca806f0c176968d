# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which targets get requests."""

from __future__ import annotations

import pytest
from sm2a_local_aws.elbv2 import target_health
from sm2a_local_aws.elbv2.target_health import HEALTHY, INITIAL, UNHEALTHY, TargetState

GROUP = {"TargetGroupArn": "group", "Port": 80}


def test_requests_go_to_healthy_targets_else_to_unhealthy_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    targets = [{"Id": name, "Port": 1} for name in "abc"]
    states = {("group", name, 1): TargetState() for name in "abc"}
    monkeypatch.setattr(target_health, "_states", states)
    assert target_health.routable(GROUP, targets) == []
    states["group", "a", 1].status = UNHEALTHY
    assert target_health.routable(GROUP, targets) == targets[:1]
    states["group", "b", 1].status = HEALTHY
    assert target_health.routable(GROUP, targets) == targets[1:2]
    assert states["group", "c", 1].status == INITIAL
