# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The adapter between Celery and the protection, with a Celery of paper: the tools environment has no real one."""

import importlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from sm2a_runtime.worker.disk import DiskWatch
from sm2a_runtime.worker.protection import EcsAgent, ProtectionError


class Signal:
    """`connect` registers, `send` calls."""

    def __init__(self) -> None:
        self.receivers: list[Callable[..., Any]] = []

    def connect(self, receiver: Callable[..., Any]) -> Callable[..., Any]:
        self.receivers.append(receiver)
        return receiver

    def send(self, **arguments: Any) -> None:
        for receiver in self.receivers:
            receiver(**arguments)


@pytest.fixture
def celery(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """Installs the fake; yields its signals and state."""
    fake = SimpleNamespace(
        signals=SimpleNamespace(
            worker_init=Signal(), worker_ready=Signal(), worker_process_init=Signal(), task_received=Signal()
        ),
        state=SimpleNamespace(reserved_requests=set(), active_requests=set()),
        bootsteps=SimpleNamespace(StartStopStep=type("StartStopStep", (), {})),
    )
    for name, attributes in {
        "celery": {"signals": fake.signals, "bootsteps": fake.bootsteps},
        "celery.worker": {"state": fake.state},
    }.items():
        module = ModuleType(name)
        vars(module).update(attributes)
        monkeypatch.setitem(sys.modules, name, module)
    yield fake
    sys.modules.pop("sm2a_runtime.worker.hooks", None)


@pytest.fixture
def hooks(celery: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The module under test, newly loaded; after the test its thread sleeps for ever."""
    monkeypatch.setenv("SM2A_LIVENESS_FILE", str(tmp_path / "alive"))
    sys.modules.pop("sm2a_runtime.worker.hooks", None)
    module = importlib.import_module("sm2a_runtime.worker.hooks")
    yield module
    never = threading.Event()
    vars(module)["_wake"] = SimpleNamespace(wait=lambda _seconds: never.wait(), clear=never.wait)


def test_the_steps_are_added_before_the_worker_builds_its_steps(celery: SimpleNamespace, hooks: ModuleType) -> None:
    steps: dict[str, set[type]] = {"consumer": set(), "worker": set()}
    celery.signals.worker_init.send(sender=SimpleNamespace(app=SimpleNamespace(steps=steps)))
    assert steps == {"consumer": {hooks.Liveness, hooks.DiskSpace, hooks.TaskIntake}, "worker": {hooks.LastPolls}}


def test_each_start_of_the_loop_touches_the_file_and_again_every_few_seconds(hooks: ModuleType, tmp_path: Path) -> None:
    scheduled: list[tuple[float, Callable[[], None]]] = []
    hub = SimpleNamespace(call_repeatedly=lambda delay, callback: scheduled.append((delay, callback)))
    hooks.Liveness().register_with_event_loop(None, hub)
    assert (tmp_path / "alive").exists()
    (tmp_path / "alive").unlink()
    [(delay, callback)] = scheduled
    callback()
    assert delay == 5
    assert (tmp_path / "alive").exists()


def test_the_disk_is_looked_at_from_time_to_time(hooks: ModuleType, caplog: pytest.LogCaptureFixture) -> None:
    scheduled: list[Callable[[], None]] = []
    hub = SimpleNamespace(call_repeatedly=lambda _delay, callback: scheduled.append(callback))
    vars(hooks)["_disk"] = DiskWatch(usage=lambda _folder: (100, 100, 0))
    hooks.DiskSpace().register_with_event_loop(None, hub)
    [look] = scheduled
    look()
    assert "The disk of this worker is nearly full" in caplog.text


def test_a_file_that_cannot_be_touched_does_not_stop_the_worker(
    hooks: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(hooks, "LIVENESS_FILE", tmp_path / "missing" / "alive")
    hooks.touch_liveness_file()
    assert "Cannot touch" in caplog.text


def test_a_lost_connection_empties_the_reserved_requests_but_not_the_running_ones(
    celery: SimpleNamespace, hooks: ModuleType
) -> None:
    celery.state.reserved_requests.update({"a", "b"})
    celery.state.active_requests.add("a")
    assert hooks.held_messages() == 2
    celery.state.reserved_requests.clear()
    assert hooks.held_messages() == 1


def test_a_message_protects_the_task_at_once_and_an_error_does_not_end_it(
    celery: SimpleNamespace, hooks: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, second = threading.Event(), threading.Event()
    calls: list[tuple[str, bool, int]] = []

    def set_protection(self: EcsAgent, enabled: bool, expires_minutes: int) -> None:
        calls.append((self.uri, enabled, expires_minutes))
        asked.set()
        if len(calls) == 1:
            raise ZeroDivisionError("something that nobody foresaw")
        second.set()
        raise ProtectionError("no more calls for a while")

    monkeypatch.setattr(EcsAgent, "set_protection", set_protection)
    monkeypatch.setenv("AIRFLOW__CELERY__WORKER_CONCURRENCY", "4")
    monkeypatch.setenv("ECS_AGENT_URI", "http://agent")
    monkeypatch.setenv("SM2A_PROTECTION_MINUTES", "42")
    celery.signals.worker_ready.send(sender=None)
    assert not asked.wait(0.1)
    celery.state.reserved_requests.add("message")
    started = time.monotonic()
    celery.signals.task_received.send(request=None)
    assert asked.wait(1)
    assert time.monotonic() - started < 0.5
    assert calls[0] == ("http://agent", True, 42)
    assert second.wait(3)


def test_a_worker_that_is_told_to_drain_lets_go_of_its_queues(
    celery: SimpleNamespace, hooks: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []

    def protected_seconds(self: EcsAgent) -> float:
        looks.append(self.uri)
        return 48 * 3600.0

    calls: list[str] = []
    consumer = SimpleNamespace(
        app=SimpleNamespace(amqp=SimpleNamespace(queues=SimpleNamespace(consume_from={"default": None}))),
        task_consumer=object(),
        cancel_task_queue=calls.append,
    )
    scheduled: list[Callable[[], None]] = []
    hub = SimpleNamespace(call_repeatedly=lambda delay, callback: scheduled.append(callback))
    monkeypatch.setattr(hooks.bootsteps.StartStopStep, "__init__", lambda *_: None, raising=False)
    monkeypatch.setattr(EcsAgent, "protected_seconds", protected_seconds)
    monkeypatch.setenv("AIRFLOW__CELERY__WORKER_CONCURRENCY", "16")
    monkeypatch.setenv("ECS_AGENT_URI", "http://agent")
    hooks.TaskIntake(None).register_with_event_loop(consumer, hub)
    celery.state.active_requests.add("message")
    celery.signals.worker_ready.send(sender=None)
    deadline = time.monotonic() + 5
    while not calls:
        assert time.monotonic() < deadline, "the queue was not let go"
        scheduled[0]()
        time.sleep(0.05)
    assert (calls, looks) == (["default"], ["http://agent"])


def test_outside_ecs_nothing_is_protected(
    celery: SimpleNamespace, hooks: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ECS_AGENT_URI", raising=False)
    before = threading.active_count()
    celery.signals.worker_ready.send(sender=None)
    assert threading.active_count() == before
