# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""SQS and SNS: the queues of Celery and the topic of the alarms."""

from __future__ import annotations

import json

from ..control import Verdicts, control, when
from ..environment import Environment
from ..policies import public, refuses_plain_text

AGAIN = "Run site.yml: the role broker sets it."
TOPIC_AGAIN = "Run site.yml: the role monitoring sets it."
# A task that Celery holds for longer is delivered twice.
SHORTEST_VISIBILITY_SECONDS = 60


@control("SQS.1", "Queues are encrypted", AGAIN)
def encrypted(environment: Environment) -> Verdicts:
    for name, attributes in environment.queues.items():
        safe = attributes.get("KmsMasterKeyId") or attributes.get("SqsManagedSseEnabled") == "true"
        yield name, "" if safe else "not encrypted"


@control("SQS.3", "No queue is public", AGAIN)
def private(environment: Environment) -> Verdicts:
    found = environment.queues.items()
    yield from when(
        ((name, public(attributes.get("Policy"))) for name, attributes in found), "its policy allows anyone"
    )


@control("SQS.tls", "Queues refuse requests without TLS", AGAIN)
def tls(environment: Environment) -> Verdicts:
    found = environment.queues.items()
    yield from when(((name, not refuses_plain_text(one.get("Policy"))) for name, one in found), "its policy does not")


@control("SQS.redrive", "A message that cannot be handled ends in a dead-letter queue", AGAIN)
def redrive(environment: Environment) -> Verdicts:
    targets = {
        json.loads(one["RedrivePolicy"])["deadLetterTargetArn"]
        for one in environment.queues.values()
        if "RedrivePolicy" in one
    }
    for name, attributes in environment.queues.items():
        if attributes["QueueArn"] not in targets:
            yield name, "" if "RedrivePolicy" in attributes else "no dead-letter queue"


@control(
    "SQS.visibility", "A message stays hidden while its task runs", "Set broker_visibility_timeout and run site.yml."
)
def visibility(environment: Environment) -> Verdicts:
    for name, attributes in environment.queues.items():
        if "RedrivePolicy" in attributes:
            seconds = int(attributes["VisibilityTimeout"])
            yield name, "" if seconds >= SHORTEST_VISIBILITY_SECONDS else f"hidden for {seconds} s only"


@control("SNS.1", "Topics are encrypted", TOPIC_AGAIN)
def topic_encrypted(environment: Environment) -> Verdicts:
    found = environment.topics.items()
    yield from when(((name, not one.get("KmsMasterKeyId")) for name, one in found), "not encrypted")


@control("SNS.4", "No topic is public", TOPIC_AGAIN)
def topic_private(environment: Environment) -> Verdicts:
    yield from when(
        ((name, public(one.get("Policy"))) for name, one in environment.topics.items()), "its policy allows anyone"
    )
