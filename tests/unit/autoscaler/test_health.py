# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The health check passes while ticks go on and fails when they stop."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sm2a_autoscaler import health


@pytest.mark.parametrize(("tick", "limit"), [(10, 90), (30, 90), (60, 180)])
def test_the_limit_leaves_room_for_a_slow_tick(tick: float, limit: float) -> None:
    assert health.limit_seconds(tick) == limit


def test_no_file_means_no_tick(tmp_path: Path) -> None:
    assert (
        health.problem(tmp_path / "alive", 90, time.time())
        == f"{tmp_path / 'alive'} does not exist: there was no tick yet"
    )


def test_age_decides(tmp_path: Path) -> None:
    file = tmp_path / "alive"
    health.beat(file)
    os.utime(file, (1000, 1000))
    assert health.problem(file, 90, 1090) is None
    assert health.problem(file, 90, 1100) == "the last tick was 100 s ago, more than 90 s"
    health.beat(file)
    assert health.problem(file, 90, time.time()) is None


def check(file: Path, tick_seconds: str = "10") -> subprocess.CompletedProcess[str]:
    """The command of the container's health check."""
    environment = os.environ | {
        "SM2A_AUTOSCALER_HEALTH_FILE": str(file),
        "SM2A_AUTOSCALER_TICK_SECONDS": tick_seconds,
    }
    command = [sys.executable, "-m", "sm2a_autoscaler.health"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_command_speaks_by_its_exit_code(tmp_path: Path) -> None:
    file = tmp_path / "alive"
    assert check(file).returncode == 1
    health.beat(file)
    assert check(file).returncode == 0
    os.utime(file, (time.time() - 95, time.time() - 95))
    late = check(file)
    assert late.returncode == 1
    assert re.fullmatch(r"the last tick was \d+ s ago, more than 90 s\n", late.stderr)
    faulty = check(file, "x")
    assert faulty.returncode == 2
    assert faulty.stderr.startswith("SM2A_AUTOSCALER_TICK_SECONDS")


def test_the_check_does_not_load_the_aws_libraries() -> None:
    # It runs every 30 s on a quarter of a CPU.
    program = "import sys, sm2a_autoscaler.health; print(sorted({'boto3', 'botocore', 'psycopg2'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
