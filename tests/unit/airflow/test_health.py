# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Health checks pass when the component works, fail when it does not, and blame nobody for somebody else's outage."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from sm2a_runtime import health, secret_store
from sm2a_runtime.database import connection as database


@pytest.fixture
def serve() -> Iterator[Callable[[dict[str, int]], int]]:
    """A function that serves {path: status} and returns the port."""
    servers: list[tuple[HTTPServer, threading.Thread]] = []

    def start(statuses: dict[str, int]) -> int:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(statuses.get(self.path, 404))
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        server = HTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        servers.append((server, thread))
        return server.server_port

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_api_server_is_asked_for_its_version(
    serve: Callable[[dict[str, int]], int], monkeypatch: pytest.MonkeyPatch, status: int, code: int
) -> None:
    monkeypatch.setenv("AIRFLOW__API__PORT", str(serve({"/api/v2/version": status})))
    assert health.main(["api-server"]) == code


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_scheduler_is_asked_for_its_own_health(
    serve: Callable[[dict[str, int]], int], monkeypatch: pytest.MonkeyPatch, status: int, code: int
) -> None:
    monkeypatch.setenv("AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT", str(serve({"/health": status})))
    assert health.main(["scheduler"]) == code


def test_nobody_listening_is_unhealthy(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("AIRFLOW__API__PORT", "9")
    assert health.main(["api-server"]) == 1
    assert "did not answer" in capsys.readouterr().err


@pytest.mark.parametrize(("age", "code"), [(0, 0), (80, 0), (100, 1)])
def test_worker_by_the_age_of_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, age: int, code: int) -> None:
    file = tmp_path / "alive"
    file.touch()
    os.utime(file, (time.time() - age,) * 2)
    monkeypatch.setenv("SM2A_LIVENESS_FILE", str(file))
    assert health.main(["worker"]) == code


def test_worker_without_a_file_is_not_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SM2A_LIVENESS_FILE", str(tmp_path / "none"))
    assert health.main(["worker"]) == 1


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What the job table says, and what was asked of it."""
    table: dict[str, object] = {"age": 5.0}

    def heartbeat_age(uri: str, job_type: str, hostname: str) -> float | None:
        table["asked"] = (uri, job_type, hostname)
        age = table["age"]
        if isinstance(age, Exception):
            raise age
        return age if isinstance(age, float) else None

    monkeypatch.setattr(database, "heartbeat_age", heartbeat_age)
    monkeypatch.setattr(secret_store, "read_secret", lambda name, attempts: f"uri of {name}")
    monkeypatch.setattr(health, "host_address", lambda: "10.0.0.7")
    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND_KWARGS", '{"config_prefix": "demo/config"}')
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_SECRET", "sql_alchemy_conn")
    return table


@pytest.mark.parametrize(
    ("component", "job_type"), [("dag-processor", "DagProcessorJob"), ("triggerer", "TriggererJob")]
)
def test_jobs_are_looked_up_for_this_host(job: dict[str, object], component: str, job_type: str) -> None:
    assert health.main([component]) == 0
    assert job["asked"] == ("uri of demo/config/sql_alchemy_conn", job_type, "10.0.0.7")


@pytest.mark.parametrize("age", [None, 61.0])
def test_a_missing_or_stale_job_is_unhealthy(job: dict[str, object], age: float | None) -> None:
    job["age"] = age
    assert health.main(["triggerer"]) == 1


@pytest.mark.parametrize("outage", [database.DatabaseError("refused"), secret_store.SecretError("throttled")])
def test_an_outage_elsewhere_is_not_the_fault_of_this_container(
    job: dict[str, object], outage: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    job["age"] = outage
    assert health.main(["triggerer"]) == 0
    assert "unknown" in capsys.readouterr().out


def test_checks_stay_cheap() -> None:
    """Neither Airflow, nor what only other checks need, is imported."""
    heavy = {"airflow", "celery", "boto3", "botocore", "psycopg2", "pymysql"}
    code = f"import sys, sm2a_runtime.health; print({heavy} & {{*sys.modules}})"
    root = Path(health.__file__).parents[1]
    result = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
