# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The workers of a simulation, and what ECS or Kubernetes does to have as many as ordered."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from .events import Events
from .model import Cloud, Platform, Result, Victims
from .records import StartUps
from .scale_in import choose
from .workers import IDLE_GRACE_SECONDS, Phase, Worker

NAMED_STOP_SECONDS = 1.0
# A moment after the protection of an idle worker has ended.
RELEASED_SECONDS = IDLE_GRACE_SECONDS + 0.001


class Fleet:
    """``room`` is called when a worker can take tasks, ``lost`` with one whose tasks it takes down with it."""

    def __init__(
        self,
        events: Events,
        cloud: Cloud,
        platform: Platform,
        result: Result,
        *,
        seed: int,
        room: Callable[[], None],
        lost: Callable[[Worker], None],
    ) -> None:
        self._events = events
        self._cloud = cloud
        self._platform = platform
        self._result = result
        self._room = room
        self._lost = lost
        self._start_up_times = random.Random(f"{seed} start-ups")  # noqa: S311 (repeatable, not secret)
        self._choices = random.Random(f"{seed} victims")  # noqa: S311
        self._made = 0
        self.workers: list[Worker] = []
        self.desired = cloud.minimum
        self.start_ups = StartUps()
        for _ in range(self.desired):
            self._ready(self._new())

    def counted(self) -> list[Worker]:
        """The workers that are compared with the desired count."""
        return [worker for worker in self.workers if worker.phase in (Phase.STARTING, Phase.READY)]

    def idle(self) -> list[Worker]:
        """Those that are ready and run nothing."""
        return [worker for worker in self.workers if worker.phase is Phase.READY and not worker.tasks]

    def resize(self, workers: int, idle_at_tick: Sequence[Worker]) -> None:
        """Have so many, within the limits."""
        self.desired = min(max(workers, self._cloud.minimum), self._cloud.maximum)
        self._reconcile(idle_at_tick)

    def drain(self, wanted: int) -> None:
        """So many busy workers take no new task: those already told first, then those with the fewest tasks."""
        now = self._events.now
        busy = [worker for worker in self.counted() if worker.tasks]
        busy.sort(key=lambda worker: (not worker.draining, len(worker.tasks), worker.number))
        for worker in self.workers:
            worker.tell(worker in busy[:wanted], now)
            if worker.resumes_at > now:
                self._events.at(worker.resumes_at, self._room)

    def task_left(self, worker: Worker) -> None:
        """One of its tasks ended; after the last one it may be time to go."""
        if worker.tasks:
            return
        worker.idle_since = self._events.now
        if worker.phase is Phase.STOPPING:
            self._stopped(worker)
        elif worker.draining:
            self._reconcile()
        elif len(self.counted()) > self.desired:
            self._events.after(RELEASED_SECONDS, self._reconcile)

    def close(self) -> None:
        """The end: bill those that are left."""
        for worker in list(self.workers):
            self._stopped(worker)

    def _new(self) -> Worker:
        self._made += 1
        worker = Worker(self._made, self._events.now)
        self.workers.append(worker)
        self._result.launched += 1
        return worker

    def _launch(self) -> None:
        worker = self._new()
        factor = self._start_up_times.lognormvariate(0, self._cloud.start_up_sigma)
        self._events.after(self._cloud.start_up_median * factor, lambda: self._started(worker))

    def _started(self, worker: Worker) -> None:
        if worker.phase is Phase.STARTING:
            self.start_ups.add(self._events.now - worker.launched_at)
            self._ready(worker)
            self._room()

    def _ready(self, worker: Worker) -> None:
        worker.phase = Phase.READY
        worker.idle_since = self._events.now

    def _reconcile(self, idle_at_tick: Sequence[Worker] = ()) -> None:
        """Launch what is missing; of what is too much, stop those that may be stopped now."""
        surplus = len(self.counted()) - self.desired
        for _ in range(-surplus):
            self._launch()
        if surplus <= 0:
            return
        rule, now = self._platform.victims, self._events.now
        victims = choose(self.counted(), surplus, rule, idle_at_tick=idle_at_tick, now=now, choices=self._choices)
        for position, worker in enumerate(victims):
            if rule is Victims.NAMED and position:
                self._events.after(position * NAMED_STOP_SECONDS, lambda worker=worker: self._stop(worker))  # type: ignore[misc]
            else:
                self._stop(worker)
        if len(victims) < surplus:
            self._await_release()

    def _await_release(self) -> None:
        """Look again when the next idle worker's protection ends; busy ones announce themselves."""
        ends = [worker.idle_since + RELEASED_SECONDS for worker in self.idle()]
        if ends:
            self._events.at(max(min(ends), self._events.now), self._reconcile)

    def _stop(self, worker: Worker) -> None:
        """It takes no new task and has its grace to end those that it runs."""
        if worker.phase is Phase.STOPPED:
            return
        worker.phase = Phase.STOPPING
        if worker.tasks:
            self._events.after(self._platform.grace_seconds, lambda: self._kill(worker))
        else:
            self._stopped(worker)

    def _kill(self, worker: Worker) -> None:
        """The grace is over: what still runs is lost."""
        if worker.phase is Phase.STOPPED:
            return
        self._lost(worker)
        worker.tasks.clear()
        self._stopped(worker)
        self._room()

    def _stopped(self, worker: Worker) -> None:
        worker.phase = Phase.STOPPED
        self.workers.remove(worker)
        self._result.worker_seconds += worker.bill(self._cloud, self._events.now)
