# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A worker group as a discrete-event simulation: one first-come-first-served queue, workers with slots, and a policy.

``simulate`` plays a workload against any object with ``order`` (see ``model.Policy``). The same seed gives the same
result; start-ups, the choice of a worker for a task and of those that stop draw from streams of their own.
"""

from __future__ import annotations

import random
from collections import deque

from .events import Events
from .fleet import Fleet
from .instances import Instance, RunState, begin
from .model import Cloud, Order, Platform, Policy, Result, Run, Sample, Workload
from .records import Arrivals, Durations, Schedule
from .view import Snapshot
from .workers import Worker


class Simulation:
    """One play. ``record`` asks for what happened over time."""

    def __init__(
        self,
        workload: Workload,
        policy: Policy,
        platform: Platform,
        cloud: Cloud,
        seed: int,
        *,
        duration_error: float = 1.0,
        hide_schedule: bool = False,
        record: bool = False,
    ) -> None:
        self.cloud = cloud
        self.events = Events()
        self.result = Result()
        self.queue: deque[Instance] = deque()
        self.running: dict[int, Instance] = {}
        self.open_runs: dict[int, RunState] = {}
        self.durations = Durations(duration_error)
        self.schedule = Schedule(() if hide_schedule else workload.runs)
        self.arrivals = Arrivals()
        self.fleet = Fleet(
            self.events, cloud, platform, self.result, seed=seed, room=self._dispatch, lost=self._lose_tasks
        )
        self._workload = workload
        self._policy = policy
        self._platform = platform
        self._hide_schedule = hide_schedule
        self._record = record
        self._choices = random.Random(f"{seed} choices")  # noqa: S311 (repeatable, not secret)
        self._tasks_made = 0
        self._open_tasks = workload.tasks

    def play(self) -> Result:
        """Run until the workload's time is over and every task is done."""
        for run in self._workload.runs:
            self.events.at(run.at, lambda run=run: self._begin(run))  # type: ignore[misc]
        self.events.at(self._choices.uniform(0, self._platform.tick_seconds), self._tick)
        while (self._open_tasks or self.events.now < self._workload.seconds) and self.events.next():
            pass
        self.fleet.close()
        return self.result

    def _begin(self, run: Run) -> None:
        state = begin(run, self._tasks_made)
        self._tasks_made += len(state.instances)
        if len(state.instances) > 1:
            self.open_runs[state.instances[0].key] = state
        roots = [instance for instance in state.instances if not instance.waiting_for]
        if self._hide_schedule or not run.announced:
            self.arrivals.add(self.events.now, len(roots))
        for instance in roots:
            self._enqueue(instance)
        self._dispatch()

    def _enqueue(self, instance: Instance) -> None:
        instance.queued_at = self.events.now
        self.queue.append(instance)

    def _dispatch(self) -> None:
        """Messages go to workers with a free slot, each as likely as another."""
        slots = self.cloud.concurrency
        now = self.events.now
        takers = [worker for worker in self.fleet.workers if worker.takes_tasks(slots, now)] if self.queue else []
        while self.queue and takers:
            position = int(self._choices.random() * len(takers))
            worker = takers[position]
            self._start(self.queue.popleft(), worker)
            if len(worker.tasks) >= slots:
                takers[position] = takers[-1]
                takers.pop()

    def _start(self, instance: Instance, worker: Worker) -> None:
        instance.started_at = self.events.now
        instance.waited += self.events.now - instance.queued_at
        instance.worker = worker
        instance.attempt += 1
        worker.tasks.add(instance.key)
        self.running[instance.key] = instance
        attempt = instance.attempt
        self.events.after(instance.task.seconds, lambda: self._end(instance, attempt))

    def _end(self, instance: Instance, attempt: int) -> None:
        worker = instance.worker
        if worker is None or instance.attempt != attempt or instance.key not in self.running:
            return  # That attempt was killed.
        now = self.events.now
        del self.running[instance.key]
        worker.tasks.discard(instance.key)
        instance.done = True
        self.fleet.task_left(worker)
        self.durations.add(instance.task.kind, instance.task.seconds)
        self.result.waits.append(instance.waited)
        if self._record:
            self.result.busy.append((instance.started_at, now))
        self._open_tasks -= 1
        self._go_on(instance)
        self._dispatch()

    def _go_on(self, ended: Instance) -> None:
        """What the end of a task means for its run."""
        for child in ended.children:
            child.waiting_for -= 1
            if not child.waiting_for:
                self._enqueue(child)
        state = ended.run
        state.open_tasks -= 1
        if not state.open_tasks:
            self.result.spans.append(self.events.now - state.run.at)
            self.open_runs.pop(state.instances[0].key, None)

    def _lose_tasks(self, worker: Worker) -> None:
        """They are queued again."""
        for key in sorted(worker.tasks):
            self.result.killed += 1
            self._enqueue(self.running.pop(key))

    def _tick(self) -> None:
        """The policy looks; what it orders takes its time to arrive."""
        self.events.after(self._platform.tick_seconds, self._tick)
        view = Snapshot(self)
        order = self._policy.order(view)
        idle = self.fleet.idle()
        self.events.after(self.cloud.order_seconds, lambda: self.fleet.resize(order.workers, idle))
        self._tell_to_drain(order)
        if self._record:
            self.result.samples.append(Sample(view.now, view.queued, view.running, len(self.fleet.workers)))

    def _tell_to_drain(self, order: Order) -> None:
        if order.drain or any(worker.draining for worker in self.fleet.workers):
            self.events.after(self.cloud.drain_seconds, lambda: self.fleet.drain(order.drain))


def simulate(
    workload: Workload,
    policy: Policy,
    platform: Platform,
    cloud: Cloud,
    seed: int,
    *,
    duration_error: float = 1.0,
    hide_schedule: bool = False,
    record: bool = False,
) -> Result:
    """Play the workload to its end. ``duration_error`` multiplies the durations that the policy is told."""
    return Simulation(
        workload,
        policy,
        platform,
        cloud,
        seed,
        duration_error=duration_error,
        hide_schedule=hide_schedule,
        record=record,
    ).play()
