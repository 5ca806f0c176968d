# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The dashboard of an environment with many groups of workers stays within what CloudWatch takes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.unit.roles.rendering import render

GROUPS = 40
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html and
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
MOST_WIDGETS, MOST_ALARMS_OF_A_WIDGET, MOST_METRICS_OF_A_WIDGET, MOST_METRICS = 500, 100, 500, 2500


def case(groups: int) -> dict[str, Any]:
    """Variables of the role: as many groups, each with a queue of its own."""
    names = [f"group-{number}" for number in range(groups)]
    workers = [{"name": name, "service": f"worker-{name}", "max": 4, "min": 0} for name in names]
    place = "arn:aws:elasticloadbalancing:eu-west-1:123456789012"
    return {
        "sm2a_name": "staging",
        "monitoring_cluster_name": "staging",
        "monitoring_region": "eu-west-1",
        "monitoring_kms_key_arn": "arn:aws:kms:eu-west-1:123456789012:key/a",
        "monitoring_queues": {name: {"name": f"staging-{name}"} for name in names},
        "monitoring_dead_letter_queue": {"name": "staging-dead-letter"},
        "monitoring_load_balancer_arn": f"{place}:loadbalancer/app/staging/1",
        "monitoring_target_group_arn": f"{place}:targetgroup/staging-api-server/1",
        "monitoring_database_identifier": "staging",
        "monitoring_services": ["api-server", "scheduler", "dag-processor", "triggerer", "autoscaler"],
        "monitoring_worker_groups": workers,
        "monitoring_airflow_metrics": True,
        "monitoring_log_group_names": [f"/sm2a/staging/{name}" for name in ("worker", "scheduler")],
        "__monitoring_identity": {"partition": "aws", "region": "eu-west-1", "account_id": "123456789012"},
    }


@pytest.fixture(scope="module")
def dashboards(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """That of one group and that of many."""
    folder = tmp_path_factory.mktemp("dashboard")
    cases = [case(1), case(GROUPS)]
    return render(folder, "monitoring", ["vars/main.yml"], "__monitoring_dashboard_body", cases)


def widgets(dashboard: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [widget["properties"] for widget in dashboard["widgets"] if widget["type"] == kind]


def test_many_groups_keep_within_the_limits(dashboards: list[dict[str, Any]]) -> None:
    many = dashboards[1]
    assert len(many["widgets"]) <= MOST_WIDGETS
    metrics = [len(widget["metrics"]) for widget in widgets(many, "metric")]
    assert max(metrics) <= MOST_METRICS_OF_A_WIDGET
    assert sum(metrics) <= MOST_METRICS
    assert all(1 <= len(widget["alarms"]) <= MOST_ALARMS_OF_A_WIDGET for widget in widgets(many, "alarm"))


def test_every_alarm_is_in_one_widget(dashboards: list[dict[str, Any]]) -> None:
    shown = [arn for widget in widgets(dashboards[1], "alarm") for arn in widget["alarms"]]
    assert len(shown) == len(set(shown)) > MOST_ALARMS_OF_A_WIDGET
    for number in range(GROUPS):
        assert any(arn.endswith(f":alarm:staging/workers-group-{number}-held") for arn in shown)
    assert [widget["title"] for widget in widgets(dashboards[1], "alarm")] == ["Alarms, part 1", "Alarms, part 2"]


def test_few_alarms_are_in_one_widget(dashboards: list[dict[str, Any]]) -> None:
    assert [widget["title"] for widget in widgets(dashboards[0], "alarm")] == ["Alarms"]
