# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""remedy.yml looks before it does anything, and does only what heals. tests/eda has the way from the alarm to it."""

from __future__ import annotations

import pytest
from ansible_collections.sm2a.airflow.tests.control_plane.conftest import Deployed
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs
from ansible_collections.sm2a.airflow.tests.support.alarms import report, state
from ansible_collections.sm2a.airflow.tests.support.stack.poll import poll


def deployments(aws: runs.ControlPlane) -> dict[str, str]:
    """Which deployment each service has."""
    ecs = aws.client("ecs")
    arns = ecs.list_services(cluster=runs.NAME, maxResults=100)["serviceArns"]
    services = ecs.describe_services(cluster=runs.NAME, services=arns[:10])["services"]
    return {one["serviceName"]: one["deployments"][0]["id"] for one in services}


def set_state(aws: runs.ControlPlane, alarm: str, value: float, wanted: str) -> str:
    """Report a value until the alarm has the state that it gives; the alarm's whole name."""
    report(aws, alarm, value)
    assert poll(lambda: state(aws, alarm) == wanted, 30, pause=0.5)
    return f"{runs.NAME}/{alarm}"


def said(run: runs.PlaybookRun) -> str:
    """What the playbook says it does."""
    [message] = [str(result["msg"]) for result in run.results if result["task"] == "Say what is done"]
    return message


@pytest.mark.parametrize("options", [["--check"], []])
def test_a_component_that_does_nothing_is_started_anew(deployed: Deployed, options: list[str]) -> None:
    before = deployments(deployed.aws)
    alarm = set_state(deployed.aws, "scheduler-heartbeat", 999, "ALARM")
    run = deployed.aws.play("remedy", *options, extra={"sm2a_remedy_alarm": alarm})
    assert run.code == 0, run.end()
    assert said(run) == f"{alarm}: A new deployment of scheduler"
    assert run.summary[-2] == "- ECS services: 1 changed"
    after = deployments(deployed.aws)
    changed = {name for name, deployment in after.items() if deployment != before[name]}
    assert changed == (set() if options else {"scheduler"})


@pytest.mark.parametrize(
    ("name", "value", "wanted", "why"),
    [
        ("dag-processor-heartbeat", 1, "OK", "The alarm is over"),
        ("workers-default-held", 1, "ALARM", "It has no remedy. "),
    ],
)
def test_nothing_is_done_without_need_or_without_a_remedy(
    deployed: Deployed, name: str, value: float, wanted: str, why: str
) -> None:
    before = deployments(deployed.aws)
    alarm = set_state(deployed.aws, name, value, wanted)
    run = deployed.aws.play("remedy", extra={"sm2a_remedy_alarm": alarm})
    assert run.code == 0, run.end()
    assert said(run).startswith(f"{alarm}: {why}")
    assert run.changed == []
    assert deployments(deployed.aws) == before


def test_an_alarm_that_is_not_there(deployed: Deployed) -> None:
    run = deployed.aws.play("remedy", extra={"sm2a_remedy_alarm": f"{runs.NAME}/no-such-thing"})
    assert (run.code, run.changed, said(run)) == (0, [], f"{runs.NAME}/no-such-thing: There is no such alarm"), (
        run.end()
    )


def test_the_alarm_of_another_environment(deployed: Deployed) -> None:
    run = deployed.aws.play("remedy", extra={"sm2a_remedy_alarm": "production/scheduler-heartbeat"})
    assert (run.code, run.changed) == (0, []), run.end()
    assert "Say what is done" not in run.tasks("ok")


@pytest.mark.parametrize("name", ["", "scheduler-heartbeat", "cp/", "cp/a b", "../x/y"])
def test_what_is_no_alarm_is_refused(deployed: Deployed, name: str) -> None:
    run = deployed.aws.play("remedy", extra={"sm2a_remedy_alarm": name})
    assert run.code == 2, run.end()
    assert run.message == "sm2a_remedy_alarm must be the name of an alarm of SM2A, such as cp/scheduler-heartbeat"
