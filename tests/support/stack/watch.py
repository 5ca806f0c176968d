# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the worker service and its queue do over time, and the SQS calls that went by."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ansible_collections.sm2a.airflow.tests.integration.background import Background
from ansible_collections.sm2a.airflow.tests.support.stack.settings import NAME

SAMPLE_SECONDS = 2.0
EVENTS_PER_PAGE = 50


@dataclass(frozen=True)
class Sample:
    """Counts at ``second`` since the watch began. Waiting and in flight are the queue's messages."""

    second: float
    desired: int
    running: int
    waiting: int
    in_flight: int


class Watch(Background):
    """Samples in a thread for as long as the ``with`` block lasts."""

    def __init__(self, aws: Callable[[str], Any], service: str, queue_url: str) -> None:
        super().__init__(SAMPLE_SECONDS, timeout=30)
        self.samples: list[Sample] = []
        self._ecs, self._sqs = aws("ecs"), aws("sqs")
        self._service, self._queue = service, queue_url

    def step(self, second: float) -> None:
        """One sample."""
        service = self._ecs.describe_services(cluster=NAME, services=[self._service])["services"][0]
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        queue = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=names)["Attributes"]
        waiting, in_flight = (int(queue[name]) for name in names)
        self.samples.append(Sample(second, service["desiredCount"], service["runningCount"], waiting, in_flight))


def calls(aws: Callable[[str], Any], name: str, since: datetime) -> list[dict[str, Any]]:
    """Request parameters of every call ``name`` since then, oldest first, from the trail."""
    trail = aws("cloudtrail")
    found: dict[str, dict[str, Any]] = {}
    until = datetime.now(UTC)
    while True:
        wanted = [{"AttributeKey": "EventName", "AttributeValue": name}]
        page = trail.lookup_events(LookupAttributes=wanted, StartTime=since, EndTime=until)["Events"]
        fresh = {event["EventId"]: event for event in page if event["EventId"] not in found}
        found |= fresh
        if len(page) < EVENTS_PER_PAGE or not fresh:
            break
        until = min(event["EventTime"] for event in page)
    ordered = sorted(found.values(), key=lambda event: event["EventTime"])
    return [json.loads(event["CloudTrailEvent"])["requestParameters"] or {} for event in ordered]


def celery_task_id(parameters: dict[str, Any]) -> str:
    """Id of the Celery task in the parameters of a SendMessage call (its body is kombu's base64 JSON)."""
    return str(json.loads(base64.b64decode(parameters["MessageBody"]))["headers"]["id"])
