# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A scheduler without a heartbeat: alarm, topic, queue, ansible-rulebook, remedy.yml, a new deployment. Once only."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs
from ansible_collections.sm2a.airflow.tests.support.alarms import report, state
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tests.support.stack.poll import poll

SCHEDULER, OTHER = "scheduler-heartbeat", "workers-default-held"
TOPIC = f"arn:aws:sns:{runs.REGION}:000000000000:{runs.NAME}-alarms"
QUEUE = "alarms"
# The title of the summary of remedy.yml.
RAN = f"sm2a.airflow.remedy for {runs.NAME} in {runs.REGION}"


@dataclass(frozen=True)
class Watched:
    """An environment whose alarms ansible-rulebook answers."""

    aws: runs.ControlPlane
    log: Path
    queue_url: str
    heartbeats: Heartbeats

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def deployment(self) -> str:
        """The deployment of the scheduler."""
        found = self.aws.client("ecs").describe_services(cluster=runs.NAME, services=["scheduler"])["services"]
        return str(found[0]["deployments"][0]["id"])

    def unread(self) -> int:
        """How many messages the queue holds."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        sqs = self.aws.client("sqs")
        counts = sqs.get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=names)["Attributes"]
        return sum(int(count) for count in counts.values())


class Heartbeats(threading.Thread):
    """Reports the age of the scheduler's heartbeat, as the autoscaler does."""

    def __init__(self, aws: runs.ControlPlane) -> None:
        super().__init__(daemon=True)
        self.aws = aws
        self.age = 1.0
        self.ended = threading.Event()

    def run(self) -> None:
        """Until the tests are over."""
        while not self.ended.wait(10):
            report(self.aws, SCHEDULER, self.age, minutes=1)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    directory = tmp_path_factory.mktemp("eda")
    with runs.control_plane(directory) as aws:
        sqs = aws.client("sqs")
        url = sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        extra = {"monitoring_notification_subscriptions": [{"protocol": "sqs", "endpoint": arn}]}
        site = aws.play("site", extra=extra)
        assert site.code == 0, site.end()
        heartbeats = Heartbeats(aws)
        watched = Watched(aws, directory / "rulebook.txt", url, heartbeats)
        # What was lacking while it was deployed is no fault.
        report(aws, SCHEDULER, heartbeats.age)
        heartbeats.start()
        assert poll(lambda: state(aws, SCHEDULER) == "OK", 60)
        sqs.purge_queue(QueueUrl=url)
        with watched.log.open("wb") as output:
            rulebook = subprocess.Popen(
                command(directory, aws, url), env=environment(directory), stdout=output, stderr=subprocess.STDOUT
            )
        try:
            yield watched
        finally:
            heartbeats.ended.set()
            rulebook.terminate()
            try:
                rulebook.wait(timeout=30)
            except subprocess.TimeoutExpired:
                rulebook.kill()


def command(directory: Path, aws: runs.ControlPlane, queue_url: str) -> list[str]:
    """ansible-rulebook as an operator starts it."""
    inventory = yaml.safe_load((runs.HERE / "inventory.yml").read_text(encoding="utf-8"))
    inventory["sm2a"]["vars"]["sm2a_endpoint_url"] = aws.endpoint
    (directory / "inventory.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
    queue = {"alarm_queue_url": queue_url, "alarm_topic_arn": TOPIC, "alarm_endpoint_url": aws.endpoint}
    (directory / "alarms.yml").write_text(yaml.safe_dump(queue), encoding="utf-8")
    program = shutil.which("ansible-rulebook", path=environment(directory)["PATH"])
    assert program, "ansible-rulebook is not there: tools/bootstrap eda"
    inventory_file, variables = str(directory / "inventory.yml"), str(directory / "alarms.yml")
    return [program, "--rulebook", "sm2a.airflow.alarms", "--inventory", inventory_file, "--vars", variables, "-v"]


def environment(directory: Path) -> dict[str, str]:
    """Of ansible-rulebook, and through it of the playbook."""
    results = directory / "results.jsonl"
    results.touch()
    return {
        **runs.playbook_environment(results),
        "ANSIBLE_COLLECTIONS_PATH": str(PROJECT / "collections"),
        "AWS_ACCESS_KEY_ID": runs.ACCESS_KEY,
        "AWS_DEFAULT_REGION": runs.REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_SECRET_ACCESS_KEY": runs.SECRET_KEY,
        "HOME": os.environ["HOME"],
    }


def test_an_alarm_is_answered_with_its_remedy(watched: Watched) -> None:
    before = watched.deployment()
    watched.heartbeats.age = 999
    # Three minutes without a single good value.
    assert poll(lambda: state(watched.aws, SCHEDULER) == "ALARM", 300), "no alarm"
    assert poll(lambda: watched.deployment() != before, 180), watched.output()[-6000:]
    assert poll(lambda: watched.output().count(RAN) == 1, 60), watched.output()[-6000:]
    assert f"{runs.NAME}/{SCHEDULER}: A new deployment of scheduler" in watched.output()


def test_the_same_alarm_soon_after_is_left_to_people(watched: Watched) -> None:
    """At most three times in an hour."""
    deployment = watched.deployment()
    watched.heartbeats.age = 1
    assert poll(lambda: state(watched.aws, SCHEDULER) == "OK", 60)
    watched.heartbeats.age = 999
    assert poll(lambda: state(watched.aws, SCHEDULER) == "ALARM", 300), "no alarm"
    assert poll(lambda: watched.unread() == 0, 60), "the messages are not read"
    time.sleep(20)
    assert watched.output().count(RAN) == 1
    assert watched.deployment() == deployment


def test_another_alarm_is_looked_at(watched: Watched) -> None:
    report(watched.aws, OTHER, 1)
    assert poll(lambda: f"{runs.NAME}/{OTHER}: It has no remedy" in watched.output(), 120), watched.output()[-6000:]
