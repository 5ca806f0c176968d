# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""``python -m sm2a_autoscaler.health``: exits 0 while ticks continue, 1 when they stopped, 2 on invalid settings.

Ticks with failed reads and ticks of a standby count too, because a restart would help in neither case.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from sm2a_autoscaler.settings import SettingsError, load_health

# A tick in which all calls time out takes over a minute.
SHORTEST_LIMIT_SECONDS = 90.0


def beat(file: Path) -> None:
    """Record a tick."""
    file.touch()


def limit_seconds(tick_seconds: float) -> float:
    """The age of the last tick from which the instance counts as unhealthy."""
    return max(SHORTEST_LIMIT_SECONDS, 3 * tick_seconds)


def problem(file: Path, limit: float, now: float) -> str | None:
    """The problem, or None. ``now`` is wall-clock time in seconds, like the file's modification time."""
    try:
        age = now - file.stat().st_mtime
    except FileNotFoundError:
        return f"{file} does not exist: there was no tick yet"
    return f"the last tick was {age:.0f} s ago, more than {limit:.0f} s" if age > limit else None


def main() -> int:
    """Check, and write the problem to stderr."""
    try:
        file, tick_seconds = load_health(os.environ)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    found = problem(file, limit_seconds(tick_seconds), time.time())
    if found:
        sys.stderr.write(f"{found}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
