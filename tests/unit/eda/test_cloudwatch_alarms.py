# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The event source hands on alarms of the topic, and nothing that somebody else wrote into the queue."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.extensions.eda.plugins.event_source.cloudwatch_alarms import event_of

TOPIC = "arn:aws:sns:eu-west-1:123456789012:production-alarms"
ALARM = {
    "AlarmName": "production/scheduler-heartbeat",
    "NewStateValue": "ALARM",
    "OldStateValue": "OK",
    "NewStateReason": "Threshold Crossed",
    "Region": "EU (Ireland)",
}


def body(topic: str = TOPIC, **members: Any) -> str:
    """A message of SNS in SQS."""
    return json.dumps({"Type": "Notification", "TopicArn": topic, "Message": json.dumps({**ALARM, **members})})


def test_alarm() -> None:
    assert event_of(body(), TOPIC) == {
        "alarm": {
            "name": "production/scheduler-heartbeat",
            "state": "ALARM",
            "previous_state": "OK",
            "reason": "Threshold Crossed",
            "region": "EU (Ireland)",
        }
    }


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(body(topic="arn:aws:sns:eu-west-1:123456789012:other"), id="another topic"),
        pytest.param(body(AlarmName="{{ lookup('env', 'HOME') }}"), id="template"),
        pytest.param(body(AlarmName="production/x\n"), id="two lines"),
        pytest.param(body(AlarmName=["production/x"]), id="no text"),
        pytest.param(body(AlarmName=""), id="no name"),
        pytest.param(body(NewStateValue="BURNING"), id="no state"),
        pytest.param(json.dumps({"TopicArn": TOPIC, "Message": "Hello"}), id="another message"),
        pytest.param(json.dumps({"TopicArn": TOPIC, "Message": "[]"}), id="a list in it"),
        pytest.param(json.dumps({"TopicArn": TOPIC}), id="no message"),
        pytest.param(json.dumps([TOPIC]), id="a list"),
        pytest.param("Hello", id="text"),
        pytest.param("", id="nothing"),
    ],
)
def test_everything_else_is_no_event(message: str) -> None:
    assert event_of(message, TOPIC) is None
