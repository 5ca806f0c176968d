# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The summary of a run, for people and for a workflow."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.plugin_utils.progress import duration
from ansible_collections.sm2a.airflow.plugins.plugin_utils.summary.text import Summary

CHANGES = {"ECS services": Counter(changed=2), "SQS queues": Counter(created=1, deleted=3)}


def summary(**members: Any) -> Summary:
    run = {"environment": "staging", "region": "eu-west-1", "playbook": "site.yml", "complete": True}
    return Summary(**{**run, "check_mode": False, "changes": CHANGES, "seconds": 270.4, **members})


def test_lines() -> None:
    assert summary(url="https://airflow.example.com", notes=["Administrator: see the secret"]).lines() == [
        "site.yml for staging in eu-west-1",
        "Airflow: https://airflow.example.com",
        "Administrator: see the secret",
        "Changes: 1 created, 2 changed, 3 deleted",
        "- ECS services: 2 changed",
        "- SQS queues: 1 created, 3 deleted",
        "Time: 4 min 30 s",
    ]


def test_nothing_changed_in_a_failed_check() -> None:
    assert summary(changes={}, check_mode=True, complete=False, seconds=None).lines() == [
        "site.yml for staging in eu-west-1",
        "Changes that a run would make: none",
        "Not complete: a task failed, see above. The same playbook goes on from here",
    ]


def test_data() -> None:
    assert summary().data() == {
        "environment": "staging",
        "region": "eu-west-1",
        "playbook": "site.yml",
        "url": "",
        "complete": True,
        "check_mode": False,
        "changes": {"created": 1, "changed": 2, "deleted": 3},
        "changes_by_kind": {
            "ECS services": {"created": 0, "changed": 2, "deleted": 0},
            "SQS queues": {"created": 1, "changed": 0, "deleted": 3},
        },
        "seconds": 270,
    }


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (3599, "59 min 59 s"), (3900, "1 h 5 min")]
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text
