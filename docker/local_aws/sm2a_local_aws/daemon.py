# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The life of the `serve` process: one per state directory, found by a lock that the system drops when it dies."""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from typing import IO, Any

from sm2a_local_aws.errors import LocalAwsError
from sm2a_local_aws.settings import LOOPBACK, Settings

START_SECONDS = 120
STOP_SECONDS = 30
POLL_SECONDS = 0.1
# `status` and `start` hold the lock for an instant when they look at it.
LOCK_SECONDS = 2


def serve(settings: Settings) -> None:
    """Serve in the foreground; LocalAwsError when another process serves from this state directory."""
    _make_state_directory(settings)
    with _locked(settings, timeout=LOCK_SECONDS) as mine:
        if not mine:
            raise LocalAwsError(f"a local AWS already serves from {settings.state_directory}: stop it first")
        settings.pid_file.write_text(f"{os.getpid()}\n")
        settings.settings_file.write_text(settings.to_json())
        # Loaded late: it imports MiniStack's dependencies, which the other verbs do not need.
        importlib.import_module("sm2a_local_aws.server").run(settings)


def start(settings: Settings) -> str:
    """Run `serve` in the background until it answers; "started", or "unchanged" when it already runs so."""
    if is_running(settings):
        recorded = recorded_settings(settings)
        if replace(recorded, log_level=settings.log_level) != settings:
            raise LocalAwsError(
                f"a local AWS runs from {settings.state_directory} with other settings "
                f"(name {recorded.name}, port {recorded.port}, engine {recorded.engine_socket}): stop it first"
            )
        _wait_until_it_answers(settings, None)
        return "unchanged"
    _make_state_directory(settings)
    with settings.log_file.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "sm2a_local_aws", "serve", *_flags(settings)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _wait_until_it_answers(settings, process)
    return "started"


def stop(settings: Settings) -> str:
    """End `serve`, then remove what carries our label and the state files; "stopped", or "unchanged"."""
    state_files = (
        settings.pid_file,
        settings.settings_file,
        settings.log_file,
        settings.lock_file,
        settings.waits_file,
    )
    changed = any(file.exists() for file in state_files)
    if is_running(settings):
        _end(settings)
    if not settings.control_plane_only:
        changed = _remove_leftovers(settings, required=changed) or changed
    for file in state_files:
        file.unlink(missing_ok=True)
    return "stopped" if changed else "unchanged"


def status(settings: Settings) -> dict[str, Any]:
    """What runs: running, pid, endpoint_url, engine, network, containers (null when no engine answers)."""
    running = is_running(settings)
    return {
        "running": running,
        "pid": int(settings.pid_file.read_text()) if running else None,
        "endpoint_url": settings.endpoint_url,
        "engine": settings.engine_socket,
        "network": None if settings.control_plane_only else settings.network,
        "containers": _count_containers(settings),
    }


def is_running(settings: Settings) -> bool:
    """Whether a `serve` process holds this state directory."""
    if not settings.lock_file.exists():
        return False
    with _locked(settings) as free:
        return not free


def recorded_settings(given: Settings) -> Settings:
    """The settings that the last `serve` in this state directory was started with, else the given ones."""
    try:
        return replace(Settings.from_json(given.settings_file.read_text()), state_directory=given.state_directory)
    except (OSError, ValueError, TypeError, KeyError):
        return given


def _make_state_directory(settings: Settings) -> None:
    """Only this user has access, whatever the umask: podman's socket and the process id for `stop` are in it."""
    settings.state_directory.mkdir(parents=True, exist_ok=True)
    settings.state_directory.chmod(0o700)


@contextlib.contextmanager
def _locked(settings: Settings, *, timeout: float = 0) -> Iterator[bool]:
    """Yield whether the lock was acquired within ``timeout`` seconds; it is held until the end of the block."""
    deadline = time.monotonic() + timeout
    file: IO[str]
    with settings.lock_file.open("a") as file:
        while not (mine := _try_lock(file)) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        yield mine


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _flags(settings: Settings) -> list[str]:
    engine = ["--engine-socket", settings.engine_socket] if settings.engine_socket else ["--control-plane-only"]
    named = {
        "--name": settings.name,
        "--state-directory": str(settings.state_directory),
        "--port": str(settings.port),
        "--subnet": settings.subnet,
        "--log-level": settings.log_level,
    }
    if settings.record_rights:
        named["--record-rights"] = str(settings.record_rights)
    if settings.waiting_times:
        named |= {"--waiting-times": str(settings.waiting_times), "--time-scale": str(settings.time_scale)}
    if settings.account:
        named["--account"] = str(settings.account)
    listeners = ["--bind-listeners"] if settings.bind_listeners else []
    return [part for pair in named.items() for part in pair] + engine + listeners


def _wait_until_it_answers(settings: Settings, process: subprocess.Popen[bytes] | None) -> None:
    deadline = time.monotonic() + START_SECONDS
    url = f"http://{LOOPBACK}:{settings.port}/_ministack/health"
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            raise LocalAwsError(_why_it_ended(settings))
        # Only our own process counts: something else may answer on a taken port.
        if is_running(settings):
            with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(url, timeout=5):
                return
        time.sleep(POLL_SECONDS)
    raise LocalAwsError(f"the local AWS did not answer within {START_SECONDS} s: read {settings.log_file}")


def _why_it_ended(settings: Settings) -> str:
    lines = settings.log_file.read_text(errors="replace").strip().splitlines()
    last = lines[-1] if lines else "it has written no output"
    message = last.removeprefix("local AWS: ")
    return message if message != last else f"serve ended: {last} (all of it is in {settings.log_file})"


def _end(settings: Settings) -> None:
    pid = int(settings.pid_file.read_text())
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            if not is_running(settings):
                return
            time.sleep(POLL_SECONDS)
    raise LocalAwsError(f"process {pid} does not end: end it by hand, then run stop again")


def _remove_leftovers(settings: Settings, *, required: bool) -> bool:
    """Whether there were any. An engine that does not answer is an error only where a local AWS had run."""
    engine = importlib.import_module("sm2a_local_aws.engine")
    try:
        client = engine.connect(settings)
    except LocalAwsError:
        if required:
            raise
        return False
    return bool(engine.remove_leftovers(client, settings))


def _count_containers(settings: Settings) -> int | None:
    if settings.control_plane_only:
        return 0
    engine = importlib.import_module("sm2a_local_aws.engine")
    try:
        counted: int = engine.count_containers(engine.connect(settings), settings)
    except LocalAwsError:
        return None
    return counted
