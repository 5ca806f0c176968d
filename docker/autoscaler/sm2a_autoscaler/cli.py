# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The command line: reads settings and arguments, builds the autoscaler and runs it."""

from __future__ import annotations

import argparse
import functools
import os
import sys
import time
from collections.abc import Sequence

from sm2a_autoscaler import __version__, health
from sm2a_autoscaler.fleet.actuator import Actuator
from sm2a_autoscaler.fleet.aws import client
from sm2a_autoscaler.fleet.maintenance import Maintenance
from sm2a_autoscaler.fleet.start_ups import StartUps
from sm2a_autoscaler.journal import Journal, open_journal
from sm2a_autoscaler.look_ahead.reader import ForecastReader
from sm2a_autoscaler.loop import Autoscaler, Outcome
from sm2a_autoscaler.metadata.credentials import DatabaseSecret
from sm2a_autoscaler.metadata.database import MetadataDatabase
from sm2a_autoscaler.settings import Settings, SettingsError, load
from sm2a_autoscaler.shutdown import Shutdown
from sm2a_autoscaler.signals import NO_FORECAST, SignalReader

EXIT_CODES = {Outcome.DONE: 0, Outcome.IMPAIRED: 1, Outcome.WAITING: 3}
SETTINGS_EXIT_CODE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM, or once; returns the exit code."""
    options = parser().parse_args(arguments)
    try:
        settings = load(os.environ)
    except SettingsError as error:
        for problem in error.problems:
            sys.stderr.write(f"{problem}\n")
        return SETTINGS_EXIT_CODE
    shutdown = Shutdown()
    shutdown.listen()
    journal = open_journal(settings.cluster, time.time)
    database = MetadataDatabase(
        DatabaseSecret(client("secretsmanager", settings.region), settings.database_secret),
        settings.cluster,
        tick_seconds=settings.tick_seconds,
    )
    autoscaler = build(settings, database, journal, options)
    groups = {group.name: f"{group.minimum}..{group.maximum} x {group.concurrency}" for group in settings.groups}
    journal.event("start", version=__version__, cluster=settings.cluster, dry_run=options.dry_run, groups=groups)
    if options.once:
        outcome = autoscaler.tick()
        database.close()
        return EXIT_CODES[outcome]
    autoscaler.run(shutdown, settings.tick_seconds)
    journal.event("stop", reason="received a stop signal")
    return 0


def parser() -> argparse.ArgumentParser:
    """The options; all settings come from the environment (see the README)."""
    result = argparse.ArgumentParser(
        prog="sm2a_autoscaler",
        description="Scales every Airflow worker group to the size its queue needs. The environment has the settings.",
        epilog="Exit codes of --once: 0 done, 1 a size held or not set, 2 invalid settings, 3 another instance active.",
    )
    result.add_argument("--once", action="store_true", help="make one tick and exit")
    result.add_argument(
        "--dry-run", action="store_true", help="decide and report without changing anything; needs no lock"
    )
    result.add_argument("--version", action="version", version=__version__)
    return result


def build(settings: Settings, database: MetadataDatabase, journal: Journal, options: argparse.Namespace) -> Autoscaler:
    """Connect the parts to AWS, the clocks and the health file."""
    ecs = client("ecs", settings.region)
    # SQS is mostly a cross-check and must not delay the decision.
    sqs = client("sqs", settings.region, attempts=1)
    # The queue of the first group is the default queue.
    forecaster = ForecastReader(database, settings.groups[0].queue, time.monotonic)
    start_ups = StartUps()
    maintenance = Maintenance(
        ecs=ecs,
        cluster=settings.cluster,
        groups=settings.groups,
        busy=database.busy_addresses,
        monotonic=time.monotonic,
        wall=time.time,
        start_ups=start_ups,
        dry_run=options.dry_run,
    )
    looks_ahead = any(group.look_ahead for group in settings.groups)
    return Autoscaler(
        policy=settings.policy,
        database=database,
        reader=SignalReader(settings.cluster, settings.groups, ecs, sqs, time.monotonic, start_ups=start_ups),
        actuator=Actuator(ecs, settings.cluster, options.dry_run),
        maintenance=maintenance,
        journal=journal,
        monotonic=time.monotonic,
        # A single manual tick must not count as a tick of the instance that runs in the same container.
        beat=(lambda: None) if options.once else functools.partial(health.beat, settings.health_file),
        forecast=forecaster.read if looks_ahead else lambda: NO_FORECAST,
        dry_run=options.dry_run,
    )
