# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""One deployed stack with two worker groups, whose DAG is put into its bucket."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from ansible_collections.sm2a.airflow.tests.live.fleet import DAG, HERE, deploy
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
from ansible_collections.sm2a.airflow.tests.support.stack.settings import NAME

__all__ = ["admin", "certificate", "measures", "say"]


@pytest.fixture(scope="session")
def stack(say: Say, measures: Measures) -> Iterator[Stack]:
    """The stack with groups that scale."""
    try:
        local_aws = play("local_aws", ["playbooks/local_aws.yml"], say, timeout=900)
        assert local_aws.code == 0, local_aws.end()
        yield Stack(local_aws, deploy(say))
    finally:
        if not os.environ.get(KEEP):
            remove = play("removal", ["playbooks/local_aws.yml"], say, extra={"local_aws_state": "absent"}, timeout=300)
            assert remove.code == 0, remove.end()


@pytest.fixture(scope="session")
def airflow(stack: Stack, admin: dict[str, str], certificate: str) -> AirflowApi:
    """Airflow's API as the admin, once the DAG of these tests is there."""
    s3 = stack.aws("s3")
    (bucket,) = [entry["Name"] for entry in s3.list_buckets()["Buckets"] if entry["Name"].startswith(f"{NAME}-dags-")]
    s3.put_object(Bucket=bucket, Key=f"dags/{DAG}.py", Body=(HERE / f"dags/{DAG}.py").read_bytes())
    # Without a database it answers with 500.
    api = AirflowApi(admin["username"], admin["password"], certificate, passing=(500, 502, 503, 504))
    api.wait_for_dag(DAG)
    return api
