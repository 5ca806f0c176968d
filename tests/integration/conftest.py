# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""One deployed stack for the whole session; it is removed at the end, whatever happened."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support.certificate import Authority
from ansible_collections.sm2a.airflow.tests.support.postgres import Postgres, running
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
from ansible_collections.sm2a.airflow.tests.support.stack.settings import GATEWAY

__all__ = ["admin", "certificate", "measures", "say"]

MASTER, MASTER_SECRET = "company_master", f"company/master-{secrets.token_hex(4)}"


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


@dataclass(frozen=True)
class CompanyDatabase:
    """A PostgreSQL server of the company's own. ``option`` is what database_existing takes."""

    server: Postgres
    master: str
    option: dict[str, Any]

    def contents(self) -> tuple[list[Any], list[Any]]:
        """The databases and the users that it has."""
        databases = self.server.rows("SELECT datname FROM pg_database ORDER BY 1", "postgres")
        return databases, self.server.rows("SELECT rolname FROM pg_roles ORDER BY 1", "postgres")


@pytest.fixture(scope="session")
def company(stack: Stack) -> Iterator[CompanyDatabase]:
    """Beside the stack, with a certificate of the company's authority and the master user's secret."""
    authority, password = Authority("Company"), secrets.token_urlsafe(24)
    with running(GATEWAY, authority.issue(GATEWAY)) as server:
        # As the master user of RDS, who is no superuser.
        server.execute(f"CREATE ROLE {MASTER} LOGIN CREATEROLE CREATEDB PASSWORD %s", password, database="postgres")
        secret = json.dumps({"username": MASTER, "password": password})
        made = stack.aws("secretsmanager").create_secret(Name=MASTER_SECRET, SecretString=secret)
        option = {"address": GATEWAY, "port": server.port, "master_secret_arn": made["ARN"]}
        yield CompanyDatabase(server, MASTER, {**option, "ca_certificates": authority.certificate})
