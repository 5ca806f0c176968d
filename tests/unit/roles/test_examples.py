# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The example environments: sizes that go together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tests.support.role_files import defaults, read_yaml
from jinja2 import Environment

# What PostgreSQL on RDS grants by default, by memory.
CONNECTIONS = {"db.t4g.small": 200, "db.t4g.medium": 400, "db.r7g.large": 1600}
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_DatabaseInsights.Engines.html
WITHOUT_INSIGHTS = {
    "mysql": ("db.t2.micro", "db.t2.small", "db.t3.micro", "db.t3.small", "db.t4g.micro", "db.t4g.small")
}
EXAMPLES = sorted((PROJECT / "inventories/example/host_vars").glob("*.yml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_alarm_rings_before_the_connections_of_the_database_run_out(path: Path) -> None:
    values = {**defaults("database"), **defaults("monitoring"), **read_yaml(path)}
    granted = CONNECTIONS[values["database_instance_class"]]
    assert granted / 2 < values["monitoring_database_connections"] < granted * 3 / 4


def insights(values: dict[str, Any], engine: str) -> str:
    """``database_insights`` of an example when it is deployed with this engine."""
    return Environment(autoescape=True).from_string(values["database_insights"]).render(database_engine=engine)


@pytest.mark.parametrize("engine", ["postgres", "mysql"])
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_runs_with_both_engines(path: Path, engine: str) -> None:
    values = {**defaults("database"), **read_yaml(path)}
    has_insights = values["database_instance_class"] not in WITHOUT_INSIGHTS.get(engine, ())
    assert insights(values, engine) == ("standard" if has_insights else "none")
