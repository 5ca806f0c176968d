# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""cloudwatch_dashboard against the emulator."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.cloudwatch import alarms as api
from ansible_collections.sm2a.airflow.plugins.modules import cloudwatch_dashboard
from ansible_collections.sm2a.airflow.tests.support import modules as support
from ansible_collections.sm2a.airflow.tests.unit.plugins.lost_replies import lose_replies

Aws = Callable[[str], Any]
MODULE = "cloudwatch_dashboard"
TEXT = {"type": "text", "x": 0, "y": 0, "width": 24, "height": 1, "properties": {"markdown": "# Queues"}}


@pytest.fixture
def present(unique_name: str) -> dict[str, Any]:
    return {"name": unique_name, "body": {"start": "-PT3H", "widgets": [TEXT]}}


@pytest.fixture
def absent(unique_name: str) -> dict[str, Any]:
    return {"name": unique_name, "state": "absent"}


@pytest.fixture
def read_state(aws: Aws, unique_name: str) -> Callable[[], Any]:
    return lambda: api.get_dashboard(aws("cloudwatch"), unique_name)


def test_ladder(own_ladder: Callable[..., support.Ladder], present: dict[str, Any]) -> None:
    rungs = own_ladder()
    assert rungs.applied["dashboard"] == present["body"]
    assert rungs.predicted["diff"] == rungs.applied["diff"]


def test_a_changed_body(
    made: support.Result, run_module: support.RunModule, unique_name: str, read_state: Callable[[], Any]
) -> None:
    changed = {"name": unique_name, "body": {"widgets": [{**TEXT, "height": 2}]}}
    support.change_once(run_module, MODULE, changed, read_state)


def test_order_and_white_space_are_no_change(
    made: support.Result, run_module: support.RunModule, present: dict[str, Any]
) -> None:
    text = json.dumps({key: present["body"][key] for key in reversed(present["body"])}, indent=4)
    assert not run_module(MODULE, {**present, "body": text})["changed"]


@pytest.mark.parametrize(("body", "message"), [("{", "not JSON"), ("[]", "JSON object")])
def test_what_is_no_body_is_refused(run_module: support.RunModule, unique_name: str, body: str, message: str) -> None:
    with pytest.raises(support.ModuleFailedError, match=message):
        run_module(MODULE, {"name": unique_name, "body": body})


def test_what_cloudwatch_says_against_the_body_is_passed_on() -> None:
    class CloudWatch:
        def put_dashboard(self, **_members: str) -> dict[str, Any]:
            said = {"DataPath": "/widgets/0/properties/metrics/0", "Message": "Should have even dimensions"}
            return {"DashboardValidationMessages": [said]}

        def get_dashboard(self, **_members: str) -> dict[str, str]:
            return {"DashboardBody": "{}"}

    outcome, messages = cloudwatch_dashboard.ensure_present(CloudWatch(), "name", {"widgets": []}, False)
    assert outcome.changed
    assert messages == ["/widgets/0/properties/metrics/0: Should have even dimensions"]


def test_a_lost_reply_changes_nothing(
    *,
    run_module: support.RunModule,
    aws: Aws,
    present: dict[str, Any],
    absent: dict[str, Any],
    unique_name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lost = lose_replies(monkeypatch, "PutDashboard")
    assert run_module(MODULE, present)["changed"]
    assert len(lost) == 1, "no reply was lost"
    listed = aws("cloudwatch").list_dashboards(DashboardNamePrefix=unique_name)["DashboardEntries"]
    assert [entry["DashboardName"] for entry in listed] == [unique_name]
    assert not run_module(MODULE, present)["changed"]
    run_module(MODULE, absent)
