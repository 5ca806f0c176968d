# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What SQS refuses of the queues, and what would lose tasks: options of the broker alone and together. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws import table
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.shapes import (
    between,
    each,
    entries,
    items,
    number,
    of_text,
    shown,
    text,
)
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.table import JointRule, Rule

QUEUE = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html"
DEAD_LETTERS = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html"
VISIBILITY = "https://airflow.apache.org/docs/apache-airflow-providers-celery/stable/celery_executor.html"
TIMEOUT = "https://airflow.apache.org/docs/apache-airflow/stable/configurations-ref.html#task-queued-timeout"

# What the role broker takes where a variable has no value.
DEFAULTS = {
    "broker_visibility_timeout": 3600,
    "broker_task_queued_timeout": 7200,
    "broker_max_receive_count": 10,
    "broker_message_retention_period": 1209600,
}
NAME = re.compile(r"[A-Za-z0-9_-]{1,50}")
LONGEST = 80
OWN_QUEUE = "dead-letter"


def queue_problem(name: str) -> str | None:
    """Why there can be no queue of this name."""
    if name == OWN_QUEUE:
        return f"must not be {OWN_QUEUE!r}, which is the role's own queue; choose another name"
    if not NAME.fullmatch(name):
        return f"must be 1 to 50 letters, digits, hyphens and underscores, not {shown(name)}"
    return None


def _queues_of_groups(groups: Any) -> str | None:
    found = []
    for group in entries(groups):
        queue = group.get("queue")
        if isinstance(queue, str) and (sentence := queue_problem(queue)):
            found.append(f"queue of group {group.get('name')} {sentence}")
    return "; ".join(found) or None


def _no_group(groups: Any) -> str | None:
    if not isinstance(groups, (list, tuple)) or groups:
        return None
    return (
        "must have one group or more, or no task would run, not none; leave it out for one group of the default queue"
    )


def _too_long(values: Mapping[str, Any]) -> str | None:
    environment = text(values, "sm2a_name")
    given = [
        *items(values, "broker_queues"),
        *(one.get("queue") for one in entries(values.get("airflow_worker_groups"))),
    ]
    names = [f"{environment}-{queue}" for queue in given if isinstance(queue, str) and NAME.fullmatch(queue)]
    longest = max(names, key=len, default="")
    if not environment or len(longest) <= LONGEST:
        return None
    return f"names of queues must have at most {LONGEST} characters with {environment}- before them, not {len(longest)}"


def _settings(values: Mapping[str, Any]) -> tuple[float, float, float, float]:
    visibility, queued, count, retention = (number(values, option, default) for option, default in DEFAULTS.items())
    return visibility, queued, count, retention


def _redelivered_too_late(values: Mapping[str, Any]) -> str | None:
    visibility, queued, _count, _retention = _settings(values)
    if queued > visibility:
        return None
    return (
        f"the timeout of queued tasks must be greater than the visibility timeout, not {queued} with {visibility}: "
        "otherwise SQS delivers a running task again after its token has expired, and Airflow fails the task"
    )


def _set_aside_too_early(values: Mapping[str, Any]) -> str | None:
    visibility, queued, count, _retention = _settings(values)
    if count * visibility > queued:
        return None
    return (
        "the receive count times the visibility timeout must be greater than the timeout of queued tasks, "
        f"not {count} times {visibility} with {queued}: otherwise SQS moves the message of a task to the dead-letter "
        "queue while Airflow still waits for it"
    )


def _expired_too_early(values: Mapping[str, Any]) -> str | None:
    _visibility, queued, _count, retention = _settings(values)
    if retention > queued:
        return None
    return (
        f"the retention must be greater than the timeout of queued tasks, not {retention} with {queued}: otherwise SQS "
        "drops the message of a task while Airflow still waits for it"
    )


RULES: list[Rule] = [
    Rule("broker_visibility_timeout", QUEUE, between(0, 43200, "seconds")),
    Rule("broker_message_retention_period", QUEUE, between(60, 1209600, "seconds")),
    Rule("broker_max_receive_count", DEAD_LETTERS, between(1, 1000, "times")),
    Rule("broker_queues", QUEUE, each(of_text(queue_problem))),
    Rule("airflow_worker_groups", QUEUE, _queues_of_groups),
    Rule("airflow_worker_groups", VISIBILITY, _no_group),
]
JOINT_RULES: list[JointRule] = [
    JointRule(("sm2a_name", "airflow_worker_groups", "broker_queues"), QUEUE, _too_long),
    JointRule(("broker_task_queued_timeout", "broker_visibility_timeout"), VISIBILITY, _redelivered_too_late),
    JointRule(
        ("broker_max_receive_count", "broker_visibility_timeout", "broker_task_queued_timeout"),
        DEAD_LETTERS,
        _set_aside_too_early,
    ),
    JointRule(("broker_message_retention_period", "broker_task_queued_timeout"), TIMEOUT, _expired_too_early),
]


def problems(values: Mapping[str, Any]) -> list[str]:
    """One sentence for each thing that is wrong with the broker's options; those without a value have their default."""
    return [*table.problems(values, RULES), *table.joint_problems(values, JOINT_RULES)]
