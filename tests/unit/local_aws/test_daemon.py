# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""start, stop and status, on good days and on bad ones."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import time
import urllib.request
from typing import Any


def _status(local_aws: Any) -> dict[str, Any]:
    status: dict[str, Any] = json.loads(local_aws.command("status").stdout)
    return status


def test_start_twice_stop_twice(unstarted: Any) -> None:
    started = unstarted.command("start")
    assert (started.returncode, started.stdout.splitlines()[0]) == (0, "started"), started.stderr
    status = _status(unstarted)
    assert status["running"]
    assert status["endpoint_url"] == f"http://127.0.0.1:{unstarted.port}"
    assert unstarted.command("start").stdout.splitlines()[0] == "unchanged"
    assert _status(unstarted)["pid"] == status["pid"]

    began = time.monotonic()
    assert unstarted.command("stop").stdout == "stopped\n"
    assert time.monotonic() - began < 10
    assert unstarted.command("stop").stdout == "unchanged\n"
    assert list(unstarted.state_directory.iterdir()) == []


def test_no_other_user_gets_at_the_state_whatever_the_umask(unstarted: Any) -> None:
    before = os.umask(0)
    try:
        assert unstarted.command("start").returncode == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE(unstarted.state_directory.stat().st_mode) == 0o700


def test_status_when_nothing_runs(unstarted: Any) -> None:
    status = unstarted.command("status")
    assert status.returncode == 3
    assert json.loads(status.stdout)["running"] is False


def test_taken_port_is_named(unstarted: Any) -> None:
    with socket.create_server(("127.0.0.1", unstarted.port)):
        started = unstarted.command("start")
    assert started.returncode == 1
    (line,) = started.stderr.splitlines()
    assert f"cannot listen on 127.0.0.1:{unstarted.port} (Address already in use)" in line
    assert "choose another --port" in line


def test_dead_engine_is_named(unstarted: Any) -> None:
    started = unstarted.command("start", "--engine-socket", "unix:///nonexistent.sock")
    assert started.returncode == 1
    (line,) = started.stderr.splitlines()
    assert "no container engine answers at unix:///nonexistent.sock" in line
    assert "--control-plane-only" in line


def test_other_settings_are_refused_while_it_runs(unstarted: Any) -> None:
    assert unstarted.command("start").returncode == 0
    started = unstarted.command("start", "--control-plane-only", "--subnet", "10.9.0.0/24")
    assert started.returncode == 1
    assert "runs from" in started.stderr
    assert "with other settings" in started.stderr


def test_stale_pid_file_does_not_matter(unstarted: Any) -> None:
    unstarted.state_directory.mkdir()
    (unstarted.state_directory / "local_aws.pid").write_text(f"{os.getpid()}\n")
    assert _status(unstarted)["running"] is False
    assert unstarted.command("start").stdout.splitlines()[0] == "started"
    assert _status(unstarted)["pid"] != os.getpid()


def test_killed_serve_can_be_started_again(unstarted: Any) -> None:
    assert unstarted.command("start").returncode == 0
    pid = _status(unstarted)["pid"]
    os.kill(pid, signal.SIGKILL)
    unstarted.wait("the end of the process", lambda: not _status(unstarted)["running"], timeout=10)
    assert unstarted.command("start").stdout.splitlines()[0] == "started"
    with urllib.request.urlopen(f"http://127.0.0.1:{unstarted.port}/_ministack/health", timeout=5) as answer:
        assert answer.status == 200
