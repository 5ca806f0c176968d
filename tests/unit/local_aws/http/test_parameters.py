# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which calls are held to AWS's limits: all that a run makes and that bring a value."""

from __future__ import annotations

import re

from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from sm2a_local_aws.http import parameters

BRING_VALUES = re.compile(
    r"\b([a-z0-9-]+):((?:Add|Allocate|Associate|Attach|Authorize|Create|Enable|Import|Modify|Put|Register|Replace|"
    r"Request|Restore|Run|Schedule|Set|Subscribe|Tag|Update)[A-Za-z]+)"
)
# Objects are data. A way of EC2 to name a condition, not a call.
OTHERS = {"s3:PutObject", "ec2:CreateAction"}


def test_every_call_of_a_run_is_judged() -> None:
    permissions = (PROJECT / "docs/permissions.yml").read_text(encoding="utf-8")
    calls = {f"{service}:{operation}" for service, operation in BRING_VALUES.findall(permissions)} - OTHERS
    assert len(calls) > 80
    assert sorted(call for call in calls if not parameters.JUDGED.match(call.partition(":")[2])) == []


def test_what_tasks_send_all_the_time_is_not() -> None:
    for operation in ("PutObject", "PutMetricData", "PutLogEvents", "SendMessage", "DescribeTasks", "DeleteMessage"):
        assert not parameters.JUDGED.match(operation)
