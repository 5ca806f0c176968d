# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The example environments: sizes that go together."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tests.support.role_files import defaults, read_yaml

# What PostgreSQL on RDS grants by default, by memory.
CONNECTIONS = {"db.t4g.small": 200, "db.t4g.medium": 400, "db.r7g.large": 1600}
EXAMPLES = sorted((PROJECT / "inventories/example/host_vars").glob("*.yml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_alarm_rings_before_the_connections_of_the_database_run_out(path: Path) -> None:
    values = {**defaults("database"), **defaults("monitoring"), **read_yaml(path)}
    granted = CONNECTIONS[values["database_instance_class"]]
    assert granted / 2 < values["monitoring_database_connections"] < granted * 3 / 4
