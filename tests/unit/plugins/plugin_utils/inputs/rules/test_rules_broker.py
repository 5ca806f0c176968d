# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Queues that SQS refuses, and settings of the broker that would lose tasks."""

from __future__ import annotations

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules import broker
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.broker import problems
from ansible_collections.sm2a.airflow.tests.support.role_files import defaults
from ansible_collections.sm2a.airflow.tests.unit.plugins.plugin_utils.inputs.rules.rule_cases import (
    Cases,
    JointCases,
    RuleTests,
)

NAMES = ["default", "Team_A-1", "x" * 50, "1", "dead-letters", "DEAD-LETTER"]
NO_NAMES = ["gpu.large", "x" * 51, "a b", "dead-letter", "größe", "a.fifo"]
CASES: Cases = {
    "broker_visibility_timeout": ([3600, 7199], [-1, 43201]),
    "broker_message_retention_period": ([7201, 1209600], [59, 1209601]),
    "broker_max_receive_count": ([3, 1000], [0, 1001]),
    "broker_queues": ([[], NAMES], [[name] for name in [*NO_NAMES, ""]]),
    "airflow_worker_groups": (
        [[{"name": "a", "queue": name}] for name in NAMES],
        [[], *([{"name": "a", "queue": name}] for name in NO_NAMES)],
    ),
}
TOGETHER: JointCases = [
    ({}, None),
    (broker.DEFAULTS, None),
    ({"broker_task_queued_timeout": 3600}, "must be greater than the visibility timeout, not 3600 with 3600"),
    ({"broker_visibility_timeout": 7200}, "must be greater than the visibility timeout, not 7200 with 7200"),
    ({"broker_visibility_timeout": 0}, "not 10 times 0 with 7200"),
    ({"broker_max_receive_count": 2}, "not 2 times 3600 with 7200"),
    ({"broker_max_receive_count": 3}, None),
    ({"broker_message_retention_period": 7200}, "must be greater than the timeout of queued tasks, not 7200 with 7200"),
    ({"sm2a_name": "a" * 21, "broker_queues": ["x" * 50]}, None),
    ({"sm2a_name": "a" * 30, "broker_queues": ["x" * 50]}, "at most 80 characters"),
    ({"sm2a_name": "a" * 30, "airflow_worker_groups": [{"name": "a", "queue": "x" * 50}]}, "at most 80 characters"),
]


class TestRules(RuleTests):
    rules = broker.RULES
    joint_rules = broker.JOINT_RULES
    cases = CASES
    together = TOGETHER
    problems = staticmethod(problems)


def test_the_role_has_these_defaults() -> None:
    given = defaults("broker")
    assert {name: given[name] for name in broker.DEFAULTS} == broker.DEFAULTS


def test_a_wrong_queue_is_named_with_its_group() -> None:
    assert problems({"airflow_worker_groups": [{"name": "gpu", "queue": "gpu.large"}]}) == [
        "airflow_worker_groups: queue of group gpu must be 1 to 50 letters, digits, hyphens and underscores, "
        "not 'gpu.large'"
    ]
