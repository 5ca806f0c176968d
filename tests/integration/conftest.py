# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""One deployed stack for the whole session; it is removed at the end, whatever happened."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
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


@pytest.fixture(scope="session")
def stack(say: Say, measures: Measures) -> Iterator[Stack]:
    """The stack, deployed as `make up` deploys it, with every line that -vvv prints."""
    keep = bool(os.environ.get(KEEP))
    try:
        local_aws = play("local_aws", ["playbooks/local_aws.yml"], say, timeout=900)
        assert local_aws.code == 0, local_aws.end()
        site = play("site", ["site.yml"], say, "-vvv", timeout=1500)
        measures.record(local_aws_seconds=local_aws.seconds, site_seconds=site.seconds, site_seconds_by_role=site.roles)
        assert site.code == 0, site.end()
        yield Stack(local_aws, site)
    finally:
        if not keep:
            remove = play("removal", ["playbooks/local_aws.yml"], say, extra={"local_aws_state": "absent"}, timeout=300)
            assert remove.code == 0, remove.end()


@pytest.fixture(scope="session")
def airflow(admin: dict[str, str], certificate: str) -> AirflowApi:
    """Airflow's API as the admin."""
    return AirflowApi(admin["username"], admin["password"], certificate)
