# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Hooks of a Celery worker: scale-in protection while it holds messages, draining, a liveness file, a word when the
disk is nearly full, a shutdown that loses no message, and tasks that may start processes.

Loaded by the main process of the worker only: `[celery] extra_celery_config` has
`{"imports": ["sm2a_runtime.worker.hooks"]}`.
"""

import logging
import multiprocessing
import multiprocessing.process
import os
import signal
import sys
import threading
import time
from typing import Any

from celery import bootsteps, signals
from celery.worker import state

from sm2a_runtime.celery import last_polls
from sm2a_runtime.worker.disk import DiskWatch
from sm2a_runtime.worker.drain import Drainer
from sm2a_runtime.worker.intake import Intake
from sm2a_runtime.worker.liveness import liveness_file
from sm2a_runtime.worker.protection import EcsAgent, ProtectionPolicy, Protector

log = logging.getLogger(__name__)

LIVENESS_FILE = liveness_file()
LIVENESS_SECONDS = 5
DISK_SECONDS = 15
INTAKE_SECONDS = 1
_wake = threading.Event()
_takes_tasks = threading.Event()
_takes_tasks.set()
_main_process = multiprocessing.current_process()
_disk = DiskWatch()


def held_messages() -> int:
    """Number of messages that were received and are not finished.

    A lost broker connection clears the reserved requests while their tasks still run, so active ones count as well.
    """
    return max(len(state.reserved_requests), len(state.active_requests))


class Liveness(bootsteps.StartStopStep):  # type: ignore[misc]  # celery has no types
    """Touches the liveness file from the event loop, so that the file grows old when the loop hangs.

    It is a step, not a timer of `worker_ready`, because a lost connection clears all timers and restarts only steps.
    """

    def register_with_event_loop(self, consumer: Any, hub: Any) -> None:
        """Called before each start of the loop."""
        touch_liveness_file()
        hub.call_repeatedly(LIVENESS_SECONDS, touch_liveness_file)


class DiskSpace(bootsteps.StartStopStep):  # type: ignore[misc]  # celery has no types
    """Looks at the disk of the worker."""

    def register_with_event_loop(self, consumer: Any, hub: Any) -> None:
        """Called before each start of the loop."""
        hub.call_repeatedly(DISK_SECONDS, _disk.look)


class TaskIntake(bootsteps.StartStopStep):  # type: ignore[misc]  # celery has no types
    """Cancels the queues while the worker drains. Runs in the event loop, which owns the consumers."""

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._intake = Intake()

    def register_with_event_loop(self, consumer: Any, hub: Any) -> None:
        """Called before each start of the loop."""
        hub.call_repeatedly(INTAKE_SECONDS, lambda: self._intake.follow(consumer, _takes_tasks.is_set()))


class LastPolls(bootsteps.StartStopStep):  # type: ignore[misc]  # celery has no types
    """Completes the long polls of a worker that shuts down, after the consumer and before the pool and event loop."""

    requires = ("celery.worker.components:Pool",)

    def stop(self, parent: Any) -> None:
        """Called in a warm shutdown. An error here must not prevent the running tasks from finishing."""
        try:
            last_polls.finish(parent.hub, lambda: state.should_terminate is not None)
        except Exception:
            log.exception("Last polls: unexpected error")

    def terminate(self, parent: Any) -> None:
        """Called in a cold shutdown, which leaves no time for this."""


def touch_liveness_file() -> None:
    """Touch the file. A full disk must not stop the worker."""
    try:
        LIVENESS_FILE.touch()
    except OSError as error:
        log.warning("Cannot touch %s: %s", LIVENESS_FILE, error)


def protect_forever(drainer: Drainer) -> None:
    """Update protection and draining each second, and at once when a message arrives."""
    while True:
        _wake.wait(1)
        _wake.clear()
        try:
            drainer.update(held_messages())
            (_takes_tasks.set if drainer.takes_tasks else _takes_tasks.clear)()
        except Exception:
            log.exception("Task protection: unexpected error")


@signals.worker_init.connect  # type: ignore[untyped-decorator]
def add_steps(sender: Any = None, **_: Any) -> None:
    """Called before the worker builds its steps."""
    sender.app.steps["consumer"].update({Liveness, DiskSpace, TaskIntake})
    sender.app.steps["worker"].add(LastPolls)


@signals.worker_ready.connect  # type: ignore[untyped-decorator]
def start_protection(**_: Any) -> None:
    """Called once, before the worker receives its first message."""
    uri = os.environ.get("ECS_AGENT_URI")
    if not uri:
        log.info("Task protection: off, because ECS_AGENT_URI is not set")
        return
    policy = ProtectionPolicy(
        expires_minutes=int(os.environ.get("SM2A_PROTECTION_MINUTES", "720")),
        idle_grace_seconds=float(os.environ.get("SM2A_IDLE_GRACE_SECONDS", "10")),
    )
    agent = EcsAgent(uri)
    drainer = Drainer(agent, Protector(agent, policy, time.monotonic), time.monotonic)
    threading.Thread(target=protect_forever, args=(drainer,), name="task-protection", daemon=True).start()


def end_when_told() -> None:
    """Called in each fork. Airflow lets a task's own processes ignore SIGTERM, by which `multiprocessing` ends them."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


@signals.worker_process_init.connect  # type: ignore[untyped-decorator]
def allow_processes(**_: Any) -> None:
    """Called in each new process of the pool, from which Airflow forks its tasks.

    Celery's own process library, billiard, has put its daemonic process in the place of the current one of
    `multiprocessing`, which then refuses to start any. To `multiprocessing` a task is a program of its own.

    Its new interpreters would run the program of the worker again, which needs the database that no task may read.
    """
    vars(sys.modules["__main__"]).pop("__file__", None)
    os.register_at_fork(after_in_child=end_when_told)
    _main_process.name = multiprocessing.current_process().name
    vars(multiprocessing.process)["_current_process"] = _main_process


@signals.task_received.connect  # type: ignore[untyped-decorator]
def message_received(**_: Any) -> None:
    """Called in the main process, before the message goes to a pool process. Must not block the event loop."""
    _wake.set()
