# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""How a container's health check is read."""

from __future__ import annotations

import pytest
from sm2a_local_aws.fargate import health_checks


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["CMD", "python", "-m", "x"], ["python", "-m", "x"]),
        (["CMD-SHELL", "test -f /x || exit 1"], ["/bin/sh", "-c", "test -f /x || exit 1"]),
        (["test", "-f", "/x"], ["test", "-f", "/x"]),
    ],
)
def test_health_check_commands(command: list[str], expected: list[str]) -> None:
    check = health_checks.HealthCheck.of({"healthCheck": {"command": command}})
    assert check is not None
    assert check.command == expected
    assert (check.interval, check.timeout, check.retries, check.start_period) == (30, 5, 3, 0)


def test_health_check_none_is_no_check() -> None:
    assert health_checks.HealthCheck.of({"healthCheck": {"command": ["NONE"]}}) is None
