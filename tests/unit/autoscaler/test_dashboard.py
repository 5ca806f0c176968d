# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The dashboard and alarms of the monitoring role name the metrics that the autoscaler writes."""

from __future__ import annotations

import re
from pathlib import Path

from sm2a_autoscaler import report
from sm2a_autoscaler.decision.model import Action, Decision, Demand, Fleet, GroupObservation
from sm2a_autoscaler.fleet.actuator import Application, Result
from sm2a_autoscaler.fleet.maintenance import MaintenanceReport

TEMPLATES = Path(__file__).parents[3] / "roles/monitoring/templates"


def emitted() -> set[str]:
    """All metrics of a tick in which everything was read."""
    demand = Demand(queued=1, running=1, read_at=0.0, mean_task_seconds=5.0)
    fleet = Fleet(desired=1, running=1, pending=0, read_at=0.0, start_up_seconds=60.0)
    decision = Decision(group="default", service="worker-default", action=Action.KEEP, current=1, desired=1, reasons=())
    application = Application(decision, Result.UNCHANGED)
    jobs = ("SchedulerJob", "DagProcessorJob", "TriggererJob")
    return (
        report.group_metrics(
            GroupObservation(demand, fleet), application, MaintenanceReport(draining={"default": 0})
        ).keys()
        | report.tick_metrics(0.1, active=True, problems=0).keys()
        | report.heartbeat_metrics(dict.fromkeys(jobs, 1.0)).keys()
    )


def test_the_dashboard_shows_every_metric_and_no_other() -> None:
    dashboard = (TEMPLATES / "dashboard.yml.j2").read_text(encoding="utf-8")
    assert set(re.findall(r"__monitoring_autoscaler_namespace, '(\w+)'", dashboard)) == emitted()


def test_alarms_are_about_metrics_that_are_written() -> None:
    alarms = (TEMPLATES / "alarms.yml.j2").read_text(encoding="utf-8")
    alone = re.findall(r"namespace: {{ __monitoring_autoscaler_namespace }}\n  metric_name: (\w+)\n", alarms)
    in_expressions = re.findall(r"__monitoring_autoscaler_namespace, '(\w+)'", alarms)
    assert {"Active", "Held"} <= set(alone)
    assert in_expressions
    assert set(alone + in_expressions) <= emitted()
