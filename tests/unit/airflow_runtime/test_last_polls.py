# Copyright: SM2A contributors
# Apache License 2.0
"""A real Celery worker on the emulator's SQS: a message that comes while it ends is there for the other workers."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import celery
import pytest
from ansible_collections.sm2a.airflow.tests.unit.plugins.conftest import aws_endpoint

__all__ = ["aws_endpoint"]

RUNTIME = Path(__file__).parents[3] / "docker/airflow"
POLL_SECONDS = 5
TASK_SECONDS = 3
APPLICATION = """
import time
import celery
from celery import signals

app = celery.Celery("worker", broker="sqs://", task_cls=celery.Task)
app.conf.update(
    broker_transport_options={{
        "region": "eu-west-1",
        "predefined_queues": {{"default": {{"url": "{url}"}}}},
        "wait_time_seconds": {wait},
        "polling_interval": 1,
    }},
    task_default_queue="default",
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    worker_enable_remote_control=False,
    broker_connection_retry_on_startup=True,
    imports=["sm2a_runtime.worker_hooks"],
)


@signals.worker_shutdown.connect
def end_slowly(**_):
    # Airflow's worker takes so long to end its log server.
    time.sleep(2)


@app.task(name="nap")
def nap(seconds):
    print("nap begins", flush=True)
    time.sleep(seconds)
    print("nap ends", flush=True)
"""


@dataclass
class Worker:
    """A running worker and its queue."""

    process: subprocess.Popen[bytes]
    log: Path
    sqs: Any
    url: str
    send: Callable[[float], None]

    def wait_for(self, text: str) -> None:
        """Until the worker has said so."""
        deadline = time.monotonic() + 30
        while text not in (said := self.log.read_text()):
            assert time.monotonic() < deadline, said
            assert self.process.poll() is None, said
            time.sleep(0.05)

    def end(self) -> None:
        """Ask for a warm shutdown, and wait until the event loop has noticed."""
        self.process.send_signal(signal.SIGTERM)
        self.wait_for("Warm shutdown")
        time.sleep(1.2)

    def visible(self) -> int:
        """Messages that another worker gets."""
        answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return len(answer.get("Messages", []))


@pytest.fixture
def worker(aws_endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """A worker with two slots that has nothing to do."""
    settings = {
        "AWS_ENDPOINT_URL": aws_endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "SM2A_LIVENESS_FILE": str(tmp_path / "alive"),
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{RUNTIME}",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName=f"last-polls-{uuid.uuid4().hex[:8]}", Attributes={"VisibilityTimeout": "3600"})[
        "QueueUrl"
    ]
    (tmp_path / "application.py").write_text(APPLICATION.format(url=url, wait=POLL_SECONDS), encoding="utf-8")
    log = tmp_path / "log"
    options = ["--concurrency", "2", "--without-gossip", "--without-mingle", "--loglevel", "INFO"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "--app", "application", "worker", *options],
            cwd=tmp_path,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    client = celery.Celery("client", broker="sqs://")
    client.conf.update(
        broker_transport_options={"region": "eu-west-1", "predefined_queues": {"default": {"url": url}}},
        task_default_queue="default",
    )
    running = Worker(process, log, sqs, url, lambda seconds: client.send_task("nap", [seconds]))
    try:
        running.wait_for("ready.")
        yield running
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()
        client.close()


def test_an_idle_worker_that_ends_gives_back_what_its_last_poll_brings(worker: Worker) -> None:
    worker.end()
    worker.send(0)
    assert worker.process.wait(POLL_SECONDS + 10) == 0
    assert worker.visible() == 1
    assert "nap begins" not in worker.log.read_text()


def test_a_busy_worker_that_ends_finishes_its_task_and_gives_back_what_its_last_poll_brings(worker: Worker) -> None:
    worker.send(TASK_SECONDS)
    worker.wait_for("nap begins")
    # The poll for the other slot is under way.
    time.sleep(1)
    worker.end()
    worker.send(0)
    assert worker.process.wait(POLL_SECONDS + TASK_SECONDS + 10) == 0
    assert worker.log.read_text().count("nap ends") == 1
    # The finished one is deleted.
    assert worker.visible() == 1


def test_a_cold_shutdown_does_not_wait(worker: Worker) -> None:
    worker.process.send_signal(signal.SIGQUIT)
    started = time.monotonic()
    worker.process.wait(POLL_SECONDS + 10)
    assert time.monotonic() - started < POLL_SECONDS - 1
