# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The connection plugin over a session with this machine."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleError, AnsibleFileNotFound
from ansible.playbook.play_context import PlayContext
from ansible_collections.sm2a.airflow.plugins.connection import ecs_exec
from ansible_collections.sm2a.airflow.plugins.connection.ecs_exec import Connection
from ansible_collections.sm2a.airflow.plugins.plugin_utils.ecs_exec.session import SessionError


class Session:
    """Runs commands here."""

    def __init__(self) -> None:
        self.closed = False
        self.error: SessionError | None = None

    def run(self, command: str, pieces: Iterable[bytes], output: Any, errors: Any) -> int:
        if self.error:
            raise self.error
        done = subprocess.run(["sh", "-c", command], input=b"".join(pieces), capture_output=True, check=False)
        output(done.stdout)
        errors(done.stderr)
        return done.returncode

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    made = Session()
    monkeypatch.setattr(ecs_exec, "start", lambda *_arguments: made)
    return made


@pytest.fixture
def connection(session: Session, monkeypatch: pytest.MonkeyPatch) -> Connection:
    options = {"cluster": "staging", "task": "4b2a", "container": "scheduler", "timeout": 30}
    monkeypatch.setattr(Connection, "get_option", lambda _self, name, hostvars=None: options[name])
    monkeypatch.setattr(Connection, "client", lambda _self, service: service)
    return Connection(PlayContext())


def test_a_command_has_its_code_output_and_errors(connection: Connection) -> None:
    assert connection.exec_command("echo out; echo err >&2; exit 3") == (3, b"out\n", b"err\n")
    assert connection.exec_command("cat", in_data=b"\x00module") == (0, b"\x00module", b"")


def test_files_go_both_ways(connection: Connection, tmp_path: Path) -> None:
    data, there = os.urandom(100_000), tmp_path / "it's there"
    (tmp_path / "here").write_bytes(data)
    connection.put_file(str(tmp_path / "here"), str(there))
    assert there.read_bytes() == data
    connection.fetch_file(str(there), str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == data


def test_files_that_cannot_be_copied(connection: Connection, tmp_path: Path) -> None:
    with pytest.raises(AnsibleFileNotFound, match="nowhere"):
        connection.put_file(str(tmp_path / "nowhere"), "/tmp/x")
    (tmp_path / "here").write_bytes(b"x")
    with pytest.raises(AnsibleError, match=r"Failed to copy .*: .*[Dd]irectory"):
        connection.put_file(str(tmp_path / "here"), str(tmp_path / "no/folder"))
    with pytest.raises(AnsibleError, match=r"Failed to copy .*: .*[Nn]o such file"):
        connection.fetch_file(str(tmp_path / "nothing"), str(tmp_path / "back"))


def test_become_is_refused(connection: Connection) -> None:
    connection.set_become_plugin(object())
    with pytest.raises(AnsibleError, match="leave become out"):
        connection.exec_command("id")


def test_a_session_that_fails_is_an_unreachable_host_and_is_begun_anew(
    connection: Connection, session: Session
) -> None:
    session.error = SessionError("The session ended")
    with pytest.raises(AnsibleConnectionFailure, match="The session ended"):
        connection.exec_command("true")
    assert session.closed
    session.error = None
    assert connection.exec_command("true") == (0, b"", b"")


def test_a_reset_ends_the_session(connection: Connection, session: Session) -> None:
    connection.exec_command("true")
    connection.reset()
    assert session.closed
