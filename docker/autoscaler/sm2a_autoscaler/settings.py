# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Settings from the environment, all validated at start; an error names every variable that is wrong."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sm2a_autoscaler.policy import PolicySettings, WorkerGroup

PREFIX = "SM2A_AUTOSCALER_"
HEALTH_FILE_NAME = "sm2a_autoscaler.alive"
# Shape of one entry of SM2A_AUTOSCALER_WORKER_GROUPS: key, type, least value of a number.
GROUP_TEXTS = ("name", "queue", "queue_url", "service")
GROUP_NUMBERS = {"concurrency": 1, "min": 0, "max": 0}


class SettingsError(Exception):
    """The environment is not usable; ``problems`` has one sentence a fault, each starting with the variable."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Settings:
    """Everything that the autoscaler is told. Durations are seconds."""

    cluster: str
    region: str
    database_secret: str
    groups: tuple[WorkerGroup, ...]
    tick_seconds: float
    hold_seconds: float
    stale_seconds: float
    health_file: Path

    @property
    def policy(self) -> PolicySettings:
        """The part that the decision needs."""
        return PolicySettings(self.groups, self.hold_seconds, self.stale_seconds)


def load(environment: Mapping[str, str]) -> Settings:
    """Read the settings; raises SettingsError that names every faulty variable at once."""
    reader = _Reader(environment)
    settings = Settings(
        cluster=reader.text(f"{PREFIX}CLUSTER"),
        region=reader.text("AWS_REGION"),
        database_secret=reader.text(f"{PREFIX}DATABASE_SECRET"),
        groups=reader.groups(f"{PREFIX}WORKER_GROUPS"),
        tick_seconds=reader.tick_seconds(),
        hold_seconds=reader.number(f"{PREFIX}HOLD_SECONDS", default=60, least=0, most=3600),
        stale_seconds=reader.number(f"{PREFIX}STALE_SECONDS", default=30, least=1, most=600),
        health_file=health_file(environment),
    )
    if 0 < settings.hold_seconds < 2 * settings.tick_seconds:
        # With one look in a hold there would be no recent past to compare with, and no group would ever shrink.
        reader.problems.append(f"{PREFIX}HOLD_SECONDS must be 0 or at least twice {PREFIX}TICK_SECONDS")
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
    """The file touched each tick; the image points it at memory, since its root file system may be read-only."""
    given = environment.get(f"{PREFIX}HEALTH_FILE", "").strip()
    return Path(given) if given else Path(tempfile.gettempdir()) / HEALTH_FILE_NAME


def parse_groups(text: str) -> tuple[WorkerGroup, ...]:
    """The worker groups of a JSON list; raises ValueError with the first fault."""
    try:
        entries = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error.msg} at character {error.pos}") from error
    if not isinstance(entries, list) or not entries:
        raise ValueError("must be a JSON list with at least one worker group")
    groups = tuple(_parse_group(index, entry) for index, entry in enumerate(entries))
    for attribute in ("name", "queue", "service"):
        values = [getattr(group, attribute) for group in groups]
        repeated = sorted({value for value in values if values.count(value) > 1})
        if repeated:
            # Two groups on one queue would each start workers for the same tasks.
            raise ValueError(f"has more than one group with {attribute} {', '.join(repeated)}")
    return groups


def _parse_group(index: int, entry: Any) -> WorkerGroup:
    """One entry of the list; raises ValueError that names entry and key."""
    if not isinstance(entry, dict):
        raise ValueError(f"entry {index} is not an object")
    for key in GROUP_TEXTS:
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            raise ValueError(f"entry {index} needs a non-empty text {key!r}")
    for key, least in GROUP_NUMBERS.items():
        value = entry.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(f"entry {index} ({entry['name']}) needs a whole number {key!r} of at least {least}")
    if entry["min"] > entry["max"]:
        raise ValueError(f"entry {index} ({entry['name']}) has min {entry['min']} above max {entry['max']}")
    texts = {key: entry[key].strip() for key in GROUP_TEXTS}
    return WorkerGroup(**texts, concurrency=entry["concurrency"], minimum=entry["min"], maximum=entry["max"])


class _Reader:
    """Reads variables and collects what is wrong with them."""

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

    def groups(self, name: str) -> tuple[WorkerGroup, ...]:
        text = self.text(name)
        if not text:
            return ()
        try:
            return parse_groups(text)
        except ValueError as error:
            self.problems.append(f"{name} {error}")
            return ()
