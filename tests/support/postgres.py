# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A real PostgreSQL: with the tables of Airflow that the autoscaler reads, or empty."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg2
import pytest
from ansible_collections.sm2a.airflow.tests.support.certificate import KeyPair
from ansible_collections.sm2a.airflow.tests.support.ports import free_port
from ansible_collections.sm2a.airflow.tools.debian import installed

PASSWORD = "p@ss/w:rd %"
# The tables of Airflow 3.3.2 that the autoscaler reads.
TABLES = Path(__file__).parent / "airflow_tables/postgres.sql"


@dataclasses.dataclass(frozen=True)
class Postgres:
    """A server that accepts users with a password over TCP, and its superuser ``postgres`` over a socket."""

    port: int
    socket_directory: Path
    process: subprocess.Popen[bytes] | None = None

    def uri(self, password: str = PASSWORD) -> str:
        """As the roles store it for Airflow."""
        return f"postgresql+psycopg2://airflow:{quote(password, safe='')}@127.0.0.1:{self.port}/airflow?sslmode=prefer"

    def signal_all(self, number: signal.Signals) -> None:
        """Send a signal to the server and each of its processes."""
        assert self.process is not None
        command = ["ps", "-o", "pid=", "--ppid", str(self.process.pid)]
        children = subprocess.run(command, check=True, capture_output=True, text=True)
        for pid in (self.process.pid, *map(int, children.stdout.split())):
            os.kill(pid, number)

    def superuser(self, database: str = "airflow") -> Any:
        """A new autocommit connection."""
        connection = psycopg2.connect(host=str(self.socket_directory), port=self.port, user="postgres", dbname=database)
        connection.autocommit = True
        return connection

    def execute(self, statement: str, *arguments: Any, database: str = "airflow") -> None:
        """One statement as superuser."""
        with contextlib.closing(self.superuser(database)) as connection, connection.cursor() as cursor:
            cursor.execute(statement, arguments)

    def rows(self, query: str, database: str = "airflow") -> list[tuple[Any, ...]]:
        """What a query returns to the superuser."""
        with contextlib.closing(self.superuser(database)) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())

    def set_tasks(self, *tasks: tuple[str, str, str, int]) -> None:
        """Replace everything by task instances: (queue, state, hostname, how many)."""
        self.execute("TRUNCATE task_instance, dag_run, serialized_dag, dag_version, dag")
        for queue, state, hostname, count in tasks:
            self.add_tasks("dag", f"run-{uuid.uuid4()}", "task", count, queue=queue, state=state, hostname=hostname)

    def add_tasks(self, dag_id: str, run_id: str, task_id: str, count: int = 1, **columns: Any) -> None:
        """Instances of one task; several are mapped."""
        values = {
            "dag_id": dag_id,
            "run_id": run_id,
            "task_id": task_id,
            "queue": "default",
            "pool": "default_pool",
            "pool_slots": 1,
            "try_number": 1,
            "map_index": -1,
        } | columns
        for index in range(count) if count > 1 else (values["map_index"],):
            self.insert("task_instance", **values | {"id": str(uuid.uuid4()), "map_index": index})

    def insert(self, table: str, **values: Any) -> None:
        """One row."""
        columns, places = ", ".join(values), ", ".join(["%s"] * len(values))
        self.execute(f"INSERT INTO {table} ({columns}) VALUES ({places})", *values.values())  # noqa: S608


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """A server with Airflow's tables and its user."""
    with running() as server:
        _prepare(server)
        yield server


@contextlib.contextmanager
def running(address: str = "127.0.0.1", tls: KeyPair | None = None) -> Iterator[Postgres]:
    """A temporary server of its own. With ``tls`` it takes encrypted sessions only, also from other machines.

    Debian keeps its programs off PATH.
    """
    programs = Path(installed("/usr/lib/postgresql/*/bin/initdb", "postgresql")).parent
    # PostgreSQL refuses to run as root.
    user = next((name for name in ("postgres", "nobody") if _exists(name)), None) if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="sm2a-postgres-"))
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    data, server = folder / "data", Postgres(free_port(), folder)
    authentication = ["--auth-local=trust", "--auth-host=scram-sha-256"]
    initdb = [str(programs / "initdb"), "-D", str(data), "-U", "postgres", "-N", *authentication]
    subprocess.run(initdb, check=True, capture_output=True, user=user, cwd=folder)
    options = ["-p", str(server.port), "-k", str(folder), "-h", address, "-F"]
    options += _encrypted(folder, tls, user) if tls else []
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [programs / "postgres", "-D", data, *options], stdout=log, stderr=log, user=user, cwd=folder
        )
    server = dataclasses.replace(server, process=process)
    try:
        _wait(server)
        yield server
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
        shutil.rmtree(folder)


def _encrypted(folder: Path, tls: KeyPair, user: str | None) -> list[str]:
    """Options of a server that has this certificate, and its rules of who may connect."""
    certificate, key, rules = (folder / name for name in ("server.pem", "server.key", "pg_hba.conf"))
    for file, content in (
        (certificate, tls.certificate),
        (key, tls.private_key),
        (rules, b"local all all trust\nhostssl all all 0.0.0.0/0 scram-sha-256\n"),
    ):
        file.touch(mode=0o600)
        file.write_bytes(content)
        if user:
            os.chown(file, pwd.getpwnam(user).pw_uid, -1)
    settings = {"ssl": "on", "ssl_cert_file": certificate, "ssl_key_file": key, "hba_file": rules}
    return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def _wait(server: Postgres) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            server.superuser("postgres").close()
        except psycopg2.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def _prepare(server: Postgres) -> None:
    server.execute("CREATE ROLE airflow LOGIN PASSWORD %s", PASSWORD, database="postgres")
    server.execute("CREATE DATABASE airflow OWNER airflow", database="postgres")
    server.execute(TABLES.read_text())
    server.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO airflow")
