# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A server with a certificate of one's own authority, as the migration and the autoscaler verify it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from ansible_collections.sm2a.airflow.tests.support.certificate import Authority
from ansible_collections.sm2a.airflow.tests.support.postgres import Postgres, running
from sm2a_autoscaler.metadata.credentials import connection_parameters
from sm2a_runtime.database import connection, postgres_setup
from sm2a_runtime.database.setup import Login, Server

ADDRESS = "127.0.0.1"
MASTER = Login("master", "m")
OWN = Authority("Company")


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running(ADDRESS, OWN.issue(ADDRESS)) as server:
        server.execute("CREATE ROLE master LOGIN PASSWORD 'm'", database="postgres")
        yield server


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where containers write the authorities."""
    return tmp_path / "ca.pem"


def by_migration(server: Postgres, file: Path, address: str) -> Any:
    return postgres_setup.connect(Server(address, server.port, verify=True, ca_file=str(file)), MASTER)


def uri(server: Postgres, file: Path, address: str) -> str:
    """As the role database composes it."""
    return f"postgresql+psycopg2://master:m@{address}:{server.port}/postgres?sslmode=verify-full&sslrootcert={file}"


def by_uri(server: Postgres, file: Path, address: str) -> Any:
    return connection.connect(uri(server, file, address))


def by_autoscaler(server: Postgres, file: Path, address: str) -> Any:
    return psycopg2.connect(**connection_parameters(uri(server, file, address))[1])


@pytest.mark.parametrize("connect", [by_migration, by_uri, by_autoscaler])
def test_the_given_authority_is_trusted_and_no_other(
    postgres: Postgres, file: Path, connect: Callable[[Postgres, Path, str], Any]
) -> None:
    file.write_text(OWN.certificate, encoding="utf-8")
    connect(postgres, file, ADDRESS).close()
    with pytest.raises(Exception, match=r"server certificate for .* does not match host name"):
        connect(postgres, file, "localhost")
    file.write_text(Authority("Somebody else").certificate, encoding="utf-8")
    with pytest.raises(Exception, match="certificate verify failed"):
        connect(postgres, file, ADDRESS)


def test_plain_sessions_are_refused(postgres: Postgres) -> None:
    with pytest.raises(psycopg2.OperationalError, match="no encryption"):
        psycopg2.connect(
            host=ADDRESS, port=postgres.port, user="master", password="m", dbname="postgres", sslmode="disable"
        )
