# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A real PostgreSQL with the tables of Airflow that the autoscaler reads."""

from __future__ import annotations

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
from ansible_collections.sm2a.airflow.tests.support.ports import free_port
from ansible_collections.sm2a.airflow.tools.debian import installed

PASSWORD = "p@ss/w:rd %"
# The tables of Airflow 3.3.2 that the autoscaler reads.
TABLES = Path(__file__).parent / "airflow_tables/postgres.sql"


@dataclasses.dataclass(frozen=True)
class Postgres:
    """A server that accepts ``airflow`` with a password over TCP and its superuser ``postgres`` over a socket."""

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

    def superuser(self) -> Any:
        """A new autocommit connection."""
        connection = psycopg2.connect(
            host=str(self.socket_directory), port=self.port, user="postgres", dbname="airflow"
        )
        connection.autocommit = True
        return connection

    def execute(self, statement: str, *arguments: Any) -> None:
        """One statement as superuser."""
        connection = self.superuser()
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, arguments)
        finally:
            connection.close()

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
    """A temporary server of its own. Debian keeps its programs off PATH."""
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
    options = ["-p", str(server.port), "-k", str(folder), "-h", "127.0.0.1", "-F"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [programs / "postgres", "-D", data, *options], stdout=log, stderr=log, user=user, cwd=folder
        )
    server = dataclasses.replace(server, process=process)
    try:
        _prepare(server)
        yield server
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
        shutil.rmtree(folder)


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def _prepare(server: Postgres) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            connection = psycopg2.connect(
                host=str(server.socket_directory), port=server.port, user="postgres", dbname="postgres"
            )
            break
        except psycopg2.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE airflow LOGIN PASSWORD %s", (PASSWORD,))
        cursor.execute("CREATE DATABASE airflow OWNER airflow")
    connection.close()
    server.execute(TABLES.read_text())
    server.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO airflow")
