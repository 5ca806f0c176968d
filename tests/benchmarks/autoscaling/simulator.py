"""A worker group as a discrete-event simulation: one first-come-first-served queue, workers with slots, and a policy.

``simulate`` plays a workload against any object with ``order`` (see ``model.Policy``). The same seed gives the same
result; tasks, start-ups and the choice of a worker for a task draw from streams of their own.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from .model import Cloud, Order, Platform, Policy, Result, Run, Sample, Task, Victims, Workload
from .records import Arrivals, Durations, Schedule, StartUps
from .scale_in import choose
from .view import Snapshot
from .workers import IDLE_GRACE_SECONDS, Phase, Worker

NAMED_STOP_SECONDS = 1.0
# A moment after the protection of an idle worker has ended.
RELEASED_SECONDS = IDLE_GRACE_SECONDS + 0.001


@dataclass(eq=False, slots=True)
class Instance:
    """One task of one run: how many parents it waits for, which tasks wait for it, since when it is where it is."""

    key: int
    task: Task
    run: RunState
    waiting_for: int
    children: list[Instance] = field(default_factory=list)
    parents: list[Instance] = field(default_factory=list)
    queued_at: float = 0.0
    started_at: float = 0.0
    waited: float = 0.0
    attempt: int = 0
    done: bool = False
    worker: Worker | None = None


@dataclass(eq=False, slots=True)
class RunState:
    """A run that began: its tasks not yet done."""

    run: Run
    open_tasks: int


@dataclass
class Simulation:
    """The state; ``now`` moves with the events. ``record`` asks for what happened over time."""

    workload: Workload
    policy: Policy
    platform: Platform
    cloud: Cloud
    seed: int
    duration_error: float = 1.0
    hide_schedule: bool = False
    record: bool = False
    now: float = 0.0

    def __post_init__(self) -> None:
        self._start_ups = random.Random(f"{self.seed} start-ups")  # noqa: S311 (repeatable, not secret)
        self._choices = random.Random(f"{self.seed} choices")  # noqa: S311
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._events_made = 0
        self._tasks_made = 0
        self._workers_made = 0
        self._open_tasks = self.workload.tasks
        self.result = Result()
        self.queue: deque[Instance] = deque()
        self.running: dict[int, Instance] = {}
        self.open_runs: dict[int, list[Instance]] = {}
        self.workers: list[Worker] = []
        self.desired = self.cloud.minimum
        self.durations = Durations(self.duration_error)
        self.schedule = Schedule(() if self.hide_schedule else self.workload.runs)
        self.arrivals = Arrivals()
        self.start_ups = StartUps()

    def play(self) -> Result:
        """Run until the workload's time is over and every task is done."""
        for _ in range(self.desired):
            self._ready(self._launch(draw=False))
        for run in self.workload.runs:
            self._at(run.at, lambda run=run: self._begin(run))  # type: ignore[misc]
        self._at(self._choices.uniform(0, self.platform.tick_seconds), self._tick)
        while self._events and (self._open_tasks or self.now < self.workload.seconds):
            self.now, _, event = heapq.heappop(self._events)
            event()
        for worker in self.workers:
            self.result.worker_seconds += worker.bill(self.cloud, self.now)
        return self.result

    def _at(self, time: float, event: Callable[[], None]) -> None:
        self._events_made += 1
        heapq.heappush(self._events, (time, self._events_made, event))

    # Tasks

    def _begin(self, run: Run) -> None:
        state = RunState(run, len(run.tasks))
        instances: list[Instance] = []
        for task in run.tasks:
            self._tasks_made += 1
            instances.append(Instance(self._tasks_made, task, state, len(task.parents)))
        for instance in instances:
            instance.parents = [instances[parent] for parent in instance.task.parents]
            for parent in instance.parents:
                parent.children.append(instance)
        if len(instances) > 1:
            self.open_runs[id(state)] = instances
        roots = [instance for instance in instances if not instance.waiting_for]
        if self.hide_schedule or not run.announced:
            self.arrivals.add(self.now, len(roots))
        for instance in roots:
            self._enqueue(instance)
        self._dispatch()

    def _enqueue(self, instance: Instance) -> None:
        instance.queued_at = self.now
        self.queue.append(instance)

    def _dispatch(self) -> None:
        """Messages go to workers with a free slot, each as likely as another."""
        slots = self.cloud.concurrency
        takers = [worker for worker in self.workers if worker.takes_tasks(slots)] if self.queue else []
        while self.queue and takers:
            position = int(self._choices.random() * len(takers))
            worker = takers[position]
            self._start(self.queue.popleft(), worker)
            if len(worker.tasks) >= slots:
                takers[position] = takers[-1]
                takers.pop()

    def _start(self, instance: Instance, worker: Worker) -> None:
        instance.started_at = self.now
        instance.waited += self.now - instance.queued_at
        instance.worker = worker
        instance.attempt += 1
        worker.tasks.add(instance.key)
        self.running[instance.key] = instance
        attempt = instance.attempt
        self._at(self.now + instance.task.seconds, lambda: self._end(instance, attempt))

    def _end(self, instance: Instance, attempt: int) -> None:
        if instance.attempt != attempt or instance.key not in self.running:
            return  # That attempt was killed.
        self._leave(instance)
        self.durations.add(instance.task.kind, instance.task.seconds)
        self.result.waits.append(instance.waited)
        if self.record:
            self.result.busy.append((instance.started_at, self.now))
        self._open_tasks -= 1
        instance.done = True
        for child in instance.children:
            child.waiting_for -= 1
            if not child.waiting_for:
                self._enqueue(child)
        instance.run.open_tasks -= 1
        if not instance.run.open_tasks:
            self.result.spans.append(self.now - instance.run.run.at)
            self.open_runs.pop(id(instance.run), None)
        self._dispatch()

    def _leave(self, instance: Instance) -> None:
        """The task's slot is free again."""
        worker = instance.worker
        del self.running[instance.key]
        if worker is None:
            return
        worker.tasks.discard(instance.key)
        if worker.tasks:
            return
        worker.idle_since = self.now
        if worker.phase is Phase.STOPPING:
            self._stopped(worker)
        elif worker.draining:
            self._reconcile()
        elif self._surplus() > 0:
            self._at(self.now + RELEASED_SECONDS, self._reconcile)

    # Workers

    def _launch(self, draw: bool = True) -> Worker:
        self._workers_made += 1
        worker = Worker(self._workers_made, self.now)
        self.workers.append(worker)
        self.result.launched += 1
        if draw:
            factor = self._start_ups.lognormvariate(0, self.cloud.start_up_sigma)
            self._at(self.now + self.cloud.start_up_median * factor, lambda: self._ready(worker))
        return worker

    def _ready(self, worker: Worker) -> None:
        if worker.phase is not Phase.STARTING:
            return
        if self.now > worker.launched_at:
            self.start_ups.add(self.now - worker.launched_at)
        worker.phase = Phase.READY
        worker.idle_since = self.now
        self._dispatch()

    def _stop(self, worker: Worker) -> None:
        if worker.phase is Phase.STOPPED:
            return
        worker.phase = Phase.STOPPING
        if not worker.tasks:
            self._stopped(worker)
        else:
            self._at(self.now + self.platform.grace_seconds, lambda: self._kill(worker))

    def _kill(self, worker: Worker) -> None:
        """The grace is over: what still runs is lost and queued again."""
        if worker.phase is Phase.STOPPED:
            return
        for key in sorted(worker.tasks):
            instance = self.running[key]
            del self.running[key]
            self.result.killed += 1
            self._enqueue(instance)
        worker.tasks.clear()
        self._stopped(worker)
        self._dispatch()

    def _stopped(self, worker: Worker) -> None:
        worker.phase = Phase.STOPPED
        self.workers.remove(worker)
        self.result.worker_seconds += worker.bill(self.cloud, self.now)

    # The policy and its orders

    def counted(self) -> list[Worker]:
        """The workers that ECS compares with the desired count."""
        return [worker for worker in self.workers if worker.phase in (Phase.STARTING, Phase.READY)]

    def _surplus(self) -> int:
        return len(self.counted()) - self.desired

    def _tick(self) -> None:
        self._at(self.now + self.platform.tick_seconds, self._tick)
        view = Snapshot(self)
        order = self.policy.order(view)
        idle = [worker for worker in self.counted() if worker.phase is Phase.READY and not worker.tasks]
        self._at(self.now + self.cloud.order_seconds, lambda: self._carry_out(order, idle))
        if order.drain or any(worker.draining for worker in self.workers):
            self._at(self.now + self.cloud.drain_seconds, lambda: self._drain(order.drain))
        if self.record:
            self.result.samples.append(Sample(self.now, view.queued, view.running, len(self.workers)))

    def _carry_out(self, order: Order, idle_at_tick: list[Worker]) -> None:
        self.desired = min(max(order.workers, self.cloud.minimum), self.cloud.maximum)
        self._reconcile(idle_at_tick)

    def _drain(self, wanted: int) -> None:
        """So many workers take no new task: those already told first, then those soonest to be empty."""
        busy = [worker for worker in self.counted() if worker.tasks]
        busy.sort(key=lambda worker: (not worker.draining, self._empty_in(worker), worker.number))
        for position, worker in enumerate(busy):
            worker.draining = position < wanted
        for worker in self.counted():
            worker.draining = worker.draining and bool(worker.tasks)
        self._dispatch()

    def _empty_in(self, worker: Worker) -> float:
        """Expected seconds until its last task ends; a task without history counts an hour."""
        tasks = [self.running[key] for key in worker.tasks]
        expected = [self.durations.remaining(item.task.kind, self.now - item.started_at) for item in tasks]
        return max(3600.0 if seconds is None else seconds for seconds in expected)

    def _reconcile(self, idle_at_tick: list[Worker] | None = None) -> None:
        """What ECS or Kubernetes does to reach the desired count."""
        surplus = self._surplus()
        for _ in range(-surplus):
            self._launch()
        if surplus <= 0:
            return
        rule = self.platform.victims
        victims = choose(
            self.counted(), surplus, rule, idle_at_tick=idle_at_tick or (), now=self.now, choices=self._choices
        )
        for position, worker in enumerate(victims):
            if rule is Victims.NAMED and position:
                self._at(self.now + position * NAMED_STOP_SECONDS, lambda worker=worker: self._stop(worker))  # type: ignore[misc]
            else:
                self._stop(worker)
        if len(victims) < surplus:
            self._await_release()

    def _await_release(self) -> None:
        """Look again when the next idle worker's protection ends; busy ones announce themselves."""
        ends = [
            worker.idle_since + RELEASED_SECONDS
            for worker in self.counted()
            if worker.phase is Phase.READY and not worker.tasks
        ]
        if ends:
            self._at(max(min(ends), self.now), self._reconcile)


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
    return Simulation(workload, policy, platform, cloud, seed, duration_error, hide_schedule, record).play()
