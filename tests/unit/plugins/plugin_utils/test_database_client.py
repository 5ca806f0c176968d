# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What a container definition gets for its database; the shell that comes before the command is run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.database_client import database_client

PEM = "-----BEGIN CERTIFICATE-----\nMIIB %s\\n$(false)\n-----END CERTIFICATE-----\n"
DATABASE: dict[str, Any] = {"address": "db.example.com", "port": 5433, "database_name": "airflow"}


def container(*command: str) -> dict[str, Any]:
    return {"name": "worker", "command": list(command), "environment": {"A": "1"}}


def test_without_a_database_nothing_is_added() -> None:
    assert database_client(container("airflow"), {}) == container("airflow")


def test_another_database_is_another_definition() -> None:
    first = database_client(container("airflow"), {**DATABASE, "ca_certificates": {}})
    assert first["environment"] == {"A": "1", "SM2A_DATABASE": "db.example.com:5433/airflow"}
    assert "entry_point" not in first
    for change in ({"address": "db.example.org"}, {"port": 5432}, {"database_name": "other"}):
        assert database_client(container("airflow"), {**DATABASE, **change}) != first


def test_certificates_are_written_before_the_command_runs(tmp_path: Path) -> None:
    file = tmp_path / "ca file.pem"
    say = "import sys; print(open(sys.argv[1]).read(), end=''); sys.exit(7)"
    given = container(sys.executable, "-c", say, str(file))
    made = database_client(given, {**DATABASE, "ca_certificates": {"file": str(file), "pem": PEM}})
    command = [*made["entry_point"], *made["command"]]
    done = subprocess.run(command, env=made["environment"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (7, PEM, "")


def test_a_container_whose_certificates_cannot_be_written_ends(tmp_path: Path) -> None:
    certificates = {"file": str(tmp_path / "no" / "ca.pem"), "pem": PEM}
    made = database_client(container("true"), {**DATABASE, "ca_certificates": certificates})
    command = [*made["entry_point"], *made["command"]]
    done = subprocess.run(command, env=made["environment"], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert str(tmp_path / "no" / "ca.pem") in done.stderr
