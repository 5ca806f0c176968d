# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A real Celery worker on the emulator's SQS: what becomes of messages while it ends or drains, and of an attacker's.

It may do there what its task role allows, so that no task can put a message of its own making into a queue.
"""

import base64
import contextlib
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import boto3
import celery
import pytest
import yaml
from ansible_collections.sm2a.airflow.tests.support.emulators import aws_endpoint
from ansible_collections.sm2a.airflow.tests.support.fault_proxy.proxy import FaultProxy, fault_proxy
from ansible_collections.sm2a.airflow.tests.support.fault_proxy.rules import Rule
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from botocore.exceptions import ClientError

__all__ = ["aws_endpoint"]

RUNTIME = PROJECT / "docker/airflow"
POLL_SECONDS = 5
TASK_SECONDS = 3
# On a busy machine a worker takes a while to start.
TIMEOUT_SECONDS = 120
DRAIN_MARKED_SECONDS = 48 * 3600
APPLICATION = """
import sys
import time
import types
import celery
import sqlalchemy
from celery import signals
from sm2a_runtime.celery import sqs_transport
from sm2a_runtime.worker import drain

# Everything as in production, only sooner.
drain.POLL_INTERVAL_SECONDS, drain.PAUSE_SECONDS, drain.STAY_SECONDS = 1, 1, 8
sqs_transport.AGAIN_SECONDS = 1
# A worker that was full takes no message but for the one that has ended.
sqs_transport.SLOT_CHECK_SECONDS = 3600

# As Airflow makes its Celery application, without Airflow.
airflows = types.ModuleType("default_celery")
airflows.DEFAULT_CELERY_CONFIG = {{
    "broker_url": "sqs://",
    "broker_transport_options": {{
        "region": "eu-west-1",
        "predefined_queues": {{"default": {{"url": "{url}"}}}},
        "wait_time_seconds": {wait},
        "polling_interval": 1,
    }},
    "result_backend": "db+sqlite:///results.db",
    "task_default_queue": "default",
    "task_acks_late": True,
    "worker_prefetch_multiplier": 1,
    "worker_enable_remote_control": False,
    "broker_connection_retry_on_startup": True,
    "imports": ["sm2a_runtime.worker.hooks"],
    "accept_content": ["json", "pickle"],
}}
sys.modules["airflow.providers.celery.executors.default_celery"] = airflows

from sm2a_runtime.celery.configuration import CELERY_CONFIG
from sm2a_runtime.celery.result_tables import Base

Base.metadata.create_all(sqlalchemy.create_engine("sqlite:///results.db"))
app = celery.Celery("worker", config_source=CELERY_CONFIG, task_cls=celery.Task)


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


class Agent(HTTPServer):
    """The ECS agent of the worker's task; its protection lasts until ``ends``, seconds since the epoch."""

    ends = 0.0

    def left(self) -> float:
        """Seconds of protection."""
        return max(0.0, self.ends - time.time())

    def protect(self, seconds: float) -> None:
        """As worker and autoscaler do."""
        self.ends = time.time() + seconds


class Handler(BaseHTTPRequestHandler):
    server: Agent

    def do_PUT(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.protect(60 * asked["ExpiresInMinutes"] if asked["ProtectionEnabled"] else 0)
        self.do_GET()

    def do_GET(self) -> None:
        ends = datetime.fromtimestamp(self.server.ends, UTC).isoformat()
        protection = {"ProtectionEnabled": self.server.left() > 0, "ExpirationDate": ends}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"protection": protection}).encode())

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture
def agent() -> Iterator[Agent]:
    with Agent(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@dataclass
class Worker:
    """A running worker and its queue."""

    process: subprocess.Popen[bytes]
    log: Path
    sqs: Any
    url: str
    send: Callable[[float], None]

    def wait_for(self, text: str, times: int = 1) -> None:
        """Until the worker has said so that often."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while (said := self.log.read_text()).count(text) < times:
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
def limited(aws_endpoint: str) -> Iterator[FaultProxy]:
    """The emulator as a worker's role sees it: what the statement of its queue does not allow is refused."""
    policies = yaml.safe_load((PROJECT / "roles/cluster/vars/policies.yml").read_text(encoding="utf-8"))
    actions = [action.removeprefix("sqs:") for action in policies["__cluster_statements"]["receive"]["Action"]]
    with fault_proxy(aws_endpoint) as proxy:
        proxy.book.set([Rule("error", action=f"(?!({'|'.join(actions)})$).*", code="AccessDenied", status=403)])
        yield proxy
        assert proxy.book.struck("error") == [], "the worker needs more than its role allows"
        assert {action for _service, action in proxy.book.actions()} <= set(actions)


@pytest.fixture
def worker(
    aws_endpoint: str, limited: FaultProxy, agent: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Worker]:
    """A worker with two slots that has nothing to do."""
    settings = {
        "AWS_ENDPOINT_URL": aws_endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "ECS_AGENT_URI": f"http://127.0.0.1:{agent.server_port}",
        "NO_PROXY": "127.0.0.1",
        "SM2A_LIVENESS_FILE": str(tmp_path / "alive"),
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{RUNTIME}",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName=f"celery-worker-{uuid.uuid4().hex[:8]}", Attributes={"VisibilityTimeout": "3600"})[
        "QueueUrl"
    ]
    (tmp_path / "application.py").write_text(APPLICATION.format(url=url, wait=POLL_SECONDS), encoding="utf-8")
    log = tmp_path / "log"
    options = ["--concurrency", "2", "--without-gossip", "--without-mingle", "--loglevel", "INFO"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "--app", "application", "worker", *options],
            cwd=tmp_path,
            env={**os.environ, "AWS_ENDPOINT_URL": limited.endpoint},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    client = celery.Celery("client", broker="sqs://")
    client.conf.update(
        broker_transport="sm2a_runtime.celery.sqs_transport:Transport",
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


def test_a_full_worker_takes_the_next_message_when_a_task_has_ended(worker: Worker) -> None:
    for _ in range(6):
        worker.send(0.2)
    worker.wait_for("nap ends", times=6)


def test_a_task_cannot_send_a_message_to_the_queue_of_its_own_worker(worker: Worker, limited: FaultProxy) -> None:
    attacker = boto3.client("sqs", endpoint_url=limited.endpoint)
    with pytest.raises(ClientError, match="AccessDenied"):
        attacker.send_message(QueueUrl=worker.url, MessageBody="a task of its own making")
    assert limited.book.struck("error") == [("sqs", "SendMessage")]
    limited.book.entries.clear()


def test_a_cold_shutdown_gives_back_what_the_worker_had_begun(worker: Worker) -> None:
    worker.send(30)
    worker.wait_for("nap begins")
    worker.process.send_signal(signal.SIGQUIT)
    worker.process.wait(POLL_SECONDS + 10)
    # It comes back after the wait time of a poll.
    time.sleep(POLL_SECONDS + 1)
    assert worker.visible() == 1


def test_a_cold_shutdown_does_not_wait(worker: Worker) -> None:
    worker.process.send_signal(signal.SIGQUIT)
    started = time.monotonic()
    worker.process.wait(POLL_SECONDS + 10)
    assert time.monotonic() - started < POLL_SECONDS - 1


def test_a_worker_that_drains_leaves_messages_to_others_until_nobody_stops_it(worker: Worker, agent: Agent) -> None:
    worker.send(TASK_SECONDS)
    worker.wait_for("nap begins")
    worker.wait_for("Task protection: protect")
    agent.protect(DRAIN_MARKED_SECONDS)
    worker.wait_for("Drain: started")
    worker.wait_for("nap ends")
    assert agent.left() > DRAIN_MARKED_SECONDS / 2, "the drain marker was cleared"
    worker.wait_for("Drain: finished")
    assert agent.left() == 0
    # The poll that was under way may bring it once more to this worker, which gives it back.
    worker.send(0)
    time.sleep(3)
    assert worker.log.read_text().count("nap begins") == 1
    worker.wait_for("nap ends", times=2)
    assert worker.process.poll() is None


class Attack:
    """What its pickle does when it is loaded: it makes a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return Path.touch, (self.file,)


def message(body: bytes = b"[[], {}, {}]", **changes: Any) -> str:
    """A message as Celery sends it to SQS, with changes."""
    properties = {"delivery_tag": "tag", "body_encoding": "base64", "delivery_info": {"routing_key": "default"}}
    return json.dumps(
        {
            "body": base64.b64encode(body).decode(),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {"id": "attack", "task": "nap", "lang": "py"},
            "properties": properties | changes.pop("properties", {}),
        }
        | changes
    )


# What a worker whose role may send to this queue might send: nothing of it stops the worker.
MESSAGES: dict[str, Callable[[Path], str]] = {
    "pickle": lambda file: message(
        pickle.dumps(([Attack(file)], {}, {})), **{"content-type": "application/x-python-serialize"}
    ),
    "bare": lambda file: base64.b64encode(pickle.dumps(Attack(file))).decode(),
    "text": lambda file: "no JSON",
    "type": lambda file: '{"__type__": "os.system", "__value__": "touch"}',
    "deep": lambda file: "[" * 100_000,
    "deep body": lambda file: message(b"[" * 100_000),
    "properties": lambda file: json.dumps({"properties": 5}),
    "encoding": lambda file: message(properties={"body_encoding": "unknown"}),
    "compression": lambda file: message(headers={"id": "attack", "task": "nap", "compression": "unknown"}),
    "headers": lambda file: message(headers=7),
    "unhashable": lambda file: message(headers={"id": "attack", "task": ["nap"]}),
    "unknown": lambda file: message(headers={"id": "attack", "task": "os.system"}),
    "arguments": lambda file: message(b"7"),
    "time": lambda file: message(headers={"id": "attack", "task": "nap", "eta": "never", "lang": "py"}),
    "nothing": lambda file: "{}",
}


def test_messages_of_an_attacker_are_refused_and_the_others_run(worker: Worker, tmp_path: Path) -> None:
    file = tmp_path / "ran"
    for make in MESSAGES.values():
        worker.sqs.send_message(QueueUrl=worker.url, MessageBody=make(file))
        worker.send(0)
    worker.wait_for("nap ends", times=len(MESSAGES))
    assert worker.process.poll() is None
    assert not file.exists()


def test_a_refused_message_takes_no_slot_and_ends_in_the_dead_letter_queue(worker: Worker, tmp_path: Path) -> None:
    dead = worker.sqs.create_queue(QueueName=f"dead-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    arn = worker.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})
    worker.sqs.set_queue_attributes(QueueUrl=worker.url, Attributes={"RedrivePolicy": policy})
    bodies = {MESSAGES[kind](tmp_path) for kind in ("pickle", "deep", "text", "unknown", "arguments", "nothing")}
    for body in bodies:
        worker.sqs.send_message(QueueUrl=worker.url, MessageBody=body)
    found: set[str] = set()
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while found != bodies:
        assert time.monotonic() < deadline, (found, worker.log.read_text())
        answer = worker.sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        found |= {message["Body"] for message in answer.get("Messages", [])}
    # Both slots are free.
    worker.send(TASK_SECONDS)
    worker.send(TASK_SECONDS)
    worker.wait_for("nap begins", times=2)
    assert "nap ends" not in worker.log.read_text()
