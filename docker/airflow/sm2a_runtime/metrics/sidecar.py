# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The metrics sidecar: `python -m sm2a_runtime.metrics.sidecar serve|check`.

It takes Airflow's StatsD datagrams on loopback and writes, once a minute, lines that CloudWatch turns into metrics. It
needs no AWS permission and imports nothing beyond the standard library, so that it fits into 64 MiB.
"""

import argparse
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TextIO

from sm2a_runtime.metrics.series import Collector
from sm2a_runtime.metrics.statsd import MalformedError, parse

LOOPBACK = "127.0.0.1"
DATAGRAM_BYTES = 65_535
# How long a stop may go unnoticed, and how often the sidecar shows that it lives.
POLL_INTERVAL_SECONDS = 1.0
SILENT_SECONDS = 30.0


@dataclass(frozen=True)
class Settings:
    """What the task definition says, in the environment."""

    environment: str
    component: str
    dimensions: tuple[str, ...]
    limit: int
    port: int
    seconds: float
    alive: Path


def load(environment: Mapping[str, str]) -> Settings:
    """Read SM2A_METRICS_*; KeyError or ValueError when one is missing or no number."""
    dimensions = environment.get("SM2A_METRICS_DIMENSIONS", "dag_id,pool_name,queue,state")
    return Settings(
        environment=environment["SM2A_METRICS_ENVIRONMENT"],
        component=environment["SM2A_METRICS_COMPONENT"],
        dimensions=tuple(name.strip() for name in dimensions.split(",") if name.strip()),
        limit=int(environment.get("SM2A_METRICS_LIMIT", "200")),
        port=int(environment.get("SM2A_METRICS_PORT", "8125")),
        seconds=float(environment.get("SM2A_METRICS_SECONDS", "60")),
        alive=alive_file(environment),
    )


def alive_file(environment: Mapping[str, str]) -> Path:
    """Touched while it serves; in memory, since the root file system is read-only."""
    return Path(environment.get("SM2A_METRICS_ALIVE_FILE", "/dev/shm/sm2a-metrics-alive"))  # noqa: S108 (its own container)


class Sidecar:
    """Receives until it is stopped; `wall` and `monotonic` are clocks in seconds."""

    def __init__(
        self,
        settings: Settings,
        output: TextIO,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._output = output
        self._wall = wall
        self._monotonic = monotonic
        self._collector = Collector(settings.environment, settings.component, settings.dimensions, settings.limit)
        self._malformed: list[MalformedError] = []
        self._stopped = False

    def stop(self, _number: int = 0, _frame: FrameType | None = None) -> None:
        """End soon, after what was received has been written. Fit to be a signal handler."""
        self._stopped = True

    def run(self) -> None:
        """Serve until `stop`."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.bind((LOOPBACK, self._settings.port))
            server.settimeout(POLL_INTERVAL_SECONDS)
            due = self._monotonic() + self._settings.seconds
            looked = 0.0
            while not self._stopped:
                self._receive(server)
                now = self._monotonic()
                if now - looked >= POLL_INTERVAL_SECONDS:
                    looked = now
                    self._settings.alive.touch()
                if now >= due:
                    self._write()
                    due = now + self._settings.seconds
            # What Airflow said last is still in the socket.
            server.setblocking(False)
            while self._receive(server):
                pass
        self._write()

    def _receive(self, server: socket.socket) -> bool:
        """Take one datagram; False when none came in time."""
        try:
            datagram = server.recv(DATAGRAM_BYTES)
        except (TimeoutError, BlockingIOError):
            return False
        for found in parse(datagram):
            if isinstance(found, MalformedError):
                self._malformed.append(found)
            else:
                self._collector.add(found)
        return True

    def _write(self) -> None:
        for line in self._collector.flush(self._wall()):
            self._output.write(line + "\n")
        if self._malformed:
            self._output.write(
                f"{len(self._malformed)} lines were not understood, the first one: {self._malformed[0]}\n"
            )
            self._malformed = []
        if self._collector.ignored:
            self._output.write(f"{self._collector.ignored} samples of too many different metrics were ignored\n")
            self._collector.ignored = 0
        self._output.flush()


def check(environment: Mapping[str, str]) -> int:
    """Exit status of the container's health check: 0 while the sidecar serves."""
    file = alive_file(environment)
    try:
        age = time.time() - file.stat().st_mtime
    except FileNotFoundError:
        print(f"{file} does not exist: the sidecar does not serve yet", file=sys.stderr)
        return 1
    if age > SILENT_SECONDS:
        print(f"the sidecar has been silent for {age:.0f} s", file=sys.stderr)
        return 1
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Serve or check; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m sm2a_runtime.metrics.sidecar", description="Airflow's metrics to CloudWatch"
    )
    parser.add_argument("command", choices=["serve", "check"])
    if parser.parse_args(arguments).command == "check":
        return check(os.environ)
    try:
        settings = load(os.environ)
    except (KeyError, ValueError) as error:
        print(f"metrics: the environment is not usable: {error!r}", file=sys.stderr)
        return 2
    sidecar = Sidecar(settings, sys.stdout)
    signal.signal(signal.SIGTERM, sidecar.stop)
    signal.signal(signal.SIGINT, sidecar.stop)
    sidecar.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
