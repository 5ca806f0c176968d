# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Event source of ansible-rulebook: what CloudWatch alarms tell an SNS topic, by an SQS queue that subscribes to it.

ansible.eda.aws_sqs_queue hands on the whole message, in which the alarm is text within text, and takes the word of
whoever wrote it. This source hands on alarms only: ``alarm`` with name, state, previous_state, reason, region.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Mapping
from typing import Any

import boto3

DOCUMENTATION = r"""
short_description: Receive the notifications of CloudWatch alarms through SNS and SQS
description:
  - Each event is C(alarm) with C(name), C(state), C(previous_state), C(reason) and C(region).
  - Messages that are not of an alarm are deleted, with a line in the log.
options:
  queue_url:
    description: URL of the queue. Its policy lets the topic send messages, and nobody else.
    type: str
    required: true
  topic_arn:
    description: The topic. Messages of others are deleted.
    type: str
    required: true
  region:
    description: Region of the queue, else that of the environment.
    type: str
  endpoint_url:
    description: Only for an AWS other than Amazon's own.
    type: str
"""

EXAMPLES = r"""
- sm2a.airflow.cloudwatch_alarms:
    queue_url: https://sqs.eu-west-1.amazonaws.com/123456789012/production-alarms
    topic_arn: arn:aws:sns:eu-west-1:123456789012:production-alarms
"""

WAIT_SECONDS = 20
# After a failed read, so that the log does not fill up.
PAUSE_SECONDS = 10
# The name goes into a variable of a playbook, where other text may be a template.
NAME = re.compile(r"[A-Za-z0-9/_.-]{1,255}")
STATES = ("OK", "ALARM", "INSUFFICIENT_DATA")
LOG = logging.getLogger(__name__)


def event_of(body: str, topic_arn: str) -> dict[str, Any] | None:
    """The event of a message; None when it is no alarm of the topic."""
    try:
        envelope = json.loads(body)
        if envelope["TopicArn"] != topic_arn:
            return None
        message = json.loads(envelope["Message"])
        name, state = message["AlarmName"], message["NewStateValue"]
    except (ValueError, KeyError, TypeError):
        return None
    if not isinstance(name, str) or not NAME.fullmatch(name) or state not in STATES:
        return None
    others = {"previous_state": "OldStateValue", "reason": "NewStateReason", "region": "Region"}
    return {"alarm": {"name": name, "state": state, **{key: str(message.get(its)) for key, its in others.items()}}}


async def main(queue: asyncio.Queue[Any], args: Mapping[str, Any]) -> None:
    """Hand on what comes until ansible-rulebook ends this. A message is deleted after that, so that none is lost."""
    url, topic_arn = str(args["queue_url"]), str(args["topic_arn"])
    sqs = boto3.client("sqs", region_name=args.get("region") or None, endpoint_url=args.get("endpoint_url") or None)
    while True:
        try:
            answer = await asyncio.to_thread(sqs.receive_message, QueueUrl=url, WaitTimeSeconds=WAIT_SECONDS)
        except Exception as error:  # pylint: disable=broad-except
            # Whatever it is, an operator's network or rights: the rules wait for the next alarm.
            LOG.error("Cannot read %s: %s", url, error)
            await asyncio.sleep(PAUSE_SECONDS)
            continue
        for message in answer.get("Messages", []):
            event = event_of(message["Body"], topic_arn)
            if event:
                await queue.put(event)
            else:
                LOG.warning("Message %s is not of an alarm of %s", message["MessageId"], topic_arn)
            try:
                await asyncio.to_thread(sqs.delete_message, QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            except Exception as error:  # pylint: disable=broad-except
                # It comes again, and the rule is throttled.
                LOG.error("Cannot delete a message of %s: %s", url, error)
                await asyncio.sleep(PAUSE_SECONDS)
