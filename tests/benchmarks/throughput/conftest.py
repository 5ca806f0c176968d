# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""One deployed stack with a fixed number of workers, whose image holds the clients of both brokers."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tests.support.stack.airflow_api import AirflowApi
from ansible_collections.sm2a.airflow.tests.support.stack.fixtures import (
    KEEP,
    Measures,
    Say,
    Stack,
    admin,
    certificate,
    measures,
    say,
)
from ansible_collections.sm2a.airflow.tests.support.stack.playbooks import play

__all__ = ["admin", "certificate", "measures", "say"]

DAG = "throughput"
WORKERS, CONCURRENCY = 2, 4
GROUP = {"name": "default", "queue": "default", "cpu": 1024, "memory": 2048, "concurrency": CONCURRENCY}
DEPLOYED = {
    "airflow_worker_groups": [{**GROUP, "min": WORKERS, "max": WORKERS}],
    "images_project_directory": str(PROJECT / "tests/benchmarks/throughput/project"),
    "airflow_metrics_enabled": False,
}


@pytest.fixture(scope="session")
def stack(say: Say, measures: Measures) -> Iterator[Stack]:
    """The stack, removed at the end unless it is to be kept."""
    try:
        local_aws = play("local_aws", ["playbooks/local_aws.yml"], say, timeout=900)
        assert local_aws.code == 0, local_aws.end()
        site = play("site", ["site.yml"], say, extra=DEPLOYED, timeout=1500)
        assert site.code == 0, site.end()
        yield Stack(local_aws, site)
    finally:
        if not os.environ.get(KEEP):
            remove = play("removal", ["playbooks/local_aws.yml"], say, extra={"local_aws_state": "absent"}, timeout=300)
            assert remove.code == 0, remove.end()


@pytest.fixture(scope="session")
def airflow(admin: dict[str, str], certificate: str) -> AirflowApi:
    """Airflow's API as the admin, once the DAG is there."""
    api = AirflowApi(admin["username"], admin["password"], certificate)
    api.wait_for_dag(DAG)
    return api
