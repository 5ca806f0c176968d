# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Settings from the environment, validated at start; the error names every invalid variable."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sm2a_autoscaler.decision.model import PolicySettings, WorkerGroup
from sm2a_autoscaler.group_settings import parse_groups

PREFIX = "SM2A_AUTOSCALER_"
HEALTH_FILE_NAME = "sm2a_autoscaler.alive"


class SettingsError(Exception):
    """The settings are invalid; ``problems`` has one message per error, each starting with the variable."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Settings:
    """All settings of the autoscaler. Durations are seconds."""

    cluster: str
    region: str
    database_secret: str
    groups: tuple[WorkerGroup, ...]
    tick_seconds: float
    stale_seconds: float
    health_file: Path

    @property
    def policy(self) -> PolicySettings:
        """The part that the decision needs."""
        return PolicySettings(self.groups, self.stale_seconds)


def load(environment: Mapping[str, str]) -> Settings:
    """Read the settings; raises SettingsError that names every invalid variable."""
    reader = _Reader(environment)
    hold_seconds = reader.number(f"{PREFIX}HOLD_SECONDS", default=60, least=0, most=3600)
    settings = Settings(
        cluster=reader.text(f"{PREFIX}CLUSTER"),
        region=reader.text("AWS_REGION"),
        database_secret=reader.text(f"{PREFIX}DATABASE_SECRET"),
        groups=reader.groups(f"{PREFIX}WORKER_GROUPS", hold_seconds),
        tick_seconds=reader.tick_seconds(),
        stale_seconds=reader.number(f"{PREFIX}STALE_SECONDS", default=30, least=1, most=600),
        health_file=health_file(environment),
    )
    # With fewer than two ticks in a hold there is no earlier need to compare with, and no group would ever scale in.
    if 0 < hold_seconds < 2 * settings.tick_seconds:
        reader.problems.append(f"{PREFIX}HOLD_SECONDS must be 0 or at least twice {PREFIX}TICK_SECONDS")
    reader.problems += [
        f"{PREFIX}WORKER_GROUPS: hold_seconds of {group.name} must be 0 or at least twice {PREFIX}TICK_SECONDS"
        for group in settings.groups
        if group.hold_seconds != hold_seconds and 0 < group.hold_seconds < 2 * settings.tick_seconds
    ]
    if reader.problems:
        raise SettingsError(reader.problems)
    return settings


def load_health(environment: Mapping[str, str]) -> tuple[Path, float]:
    """The file and the tick length, which are all that the health check needs."""
    reader = _Reader(environment)
    seconds = reader.tick_seconds()
    if reader.problems:
        raise SettingsError(reader.problems)
    return health_file(environment), seconds


def health_file(environment: Mapping[str, str]) -> Path:
    """The file touched each tick; the image keeps it in memory because its root file system may be read-only."""
    given = environment.get(f"{PREFIX}HEALTH_FILE", "").strip()
    return Path(given) if given else Path(tempfile.gettempdir()) / HEALTH_FILE_NAME


class _Reader:
    """Reads variables and collects the problems with them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []

    def text(self, name: str) -> str:
        value = self._environment.get(name, "").strip()
        if not value:
            self.problems.append(f"{name} is not set")
        return value

    def number(self, name: str, default: float, least: float, most: float) -> float:
        value = self._environment.get(name, "").strip()
        if not value:
            return default
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        if not least <= number <= most:
            self.problems.append(f"{name} must be a number from {least:g} to {most:g}, not {value!r}")
            return default
        return number

    def tick_seconds(self) -> float:
        return self.number(f"{PREFIX}TICK_SECONDS", default=10, least=1, most=300)

    def groups(self, name: str, hold_seconds: float) -> tuple[WorkerGroup, ...]:
        text = self.text(name)
        if not text:
            return ()
        try:
            return parse_groups(text, hold_seconds)
        except ValueError as error:
            self.problems.append(f"{name} {error}")
            return ()
