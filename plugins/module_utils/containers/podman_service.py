# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A private ``podman system service``: Podman's Docker API on a socket of our own, as a background process."""

# run_command of a module would end with it; this service stays.
# pylint: disable=ansible-bad-function

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.sm2a.airflow.plugins.module_utils.containers.engine import EngineError, system_environment

# sun_path of a Unix socket holds 108 bytes with its end.
LONGEST_SOCKET_PATH = 107
START_SECONDS = 30
STOP_SECONDS = 20
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class PodmanService:
    """The service whose files are in ``directory``.

    ``plain_http_registries`` are hosts and ports from which it may pull without TLS.
    """

    directory: Path
    containers_conf: Path | None = None
    plain_http_registries: tuple[str, ...] = ()

    @property
    def socket_path(self) -> Path:
        return self.directory / "podman.sock"

    @property
    def socket_url(self) -> str:
        """What Docker clients take as DOCKER_HOST."""
        return f"unix://{self.socket_path}"

    @property
    def log(self) -> Path:
        return self.directory / "podman.log"

    @property
    def record(self) -> Path:
        """JSON with the process id and the hash of the configuration that it was started with."""
        return self.directory / "podman.json"

    @property
    def registries_conf(self) -> Path:
        return self.directory / "registries.conf"

    def registries(self) -> str:
        """Content of registries.conf(5)."""
        tables = [f'[[registry]]\nlocation = "{host}"\ninsecure = true\n' for host in self.plain_http_registries]
        return "\n".join(['unqualified-search-registries = ["docker.io"]\n', *tables])

    def environment(self) -> dict[str, str]:
        """Variables that make podman read the configuration files."""
        files = {"CONTAINERS_CONF": self.containers_conf, "CONTAINERS_REGISTRIES_CONF": self.registries_conf}
        return {name: str(path) for name, path in files.items() if path}

    def configuration_hash(self) -> str:
        """Changes when the service has to be restarted to see its configuration."""
        containers = self.containers_conf.read_bytes() if self.containers_conf else b""
        return hashlib.sha256(containers + b"\0" + self.registries().encode()).hexdigest()

    def pid(self) -> int | None:
        """Process id of the running service, or None. Found by its arguments: a recorded id may be another's by now."""
        for arguments_file in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                arguments = arguments_file.read_bytes().split(b"\0")
            except OSError:
                continue
            if {b"service", os.fsencode(self.socket_url)} <= set(arguments) and arguments[0].endswith(b"podman"):
                return int(arguments_file.parent.name)
        return None

    def recorded_configuration(self) -> str:
        """Hash of the configuration that the service was started with, "" when that is not known."""
        try:
            return str(json.loads(self.record.read_text(encoding="utf-8"))["configuration"])
        except (OSError, ValueError, KeyError):
            return ""

    def is_current(self) -> bool:
        """Whether the service runs with the configuration of now, and answers."""
        return self.recorded_configuration() == self.configuration_hash() and self.pid() is not None and self.answers()

    def answers(self) -> bool:
        """Whether the Docker API says OK to a ping."""
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(5)
                client.connect(str(self.socket_path))
                client.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
                return b" 200 " in client.recv(64)
        except OSError:
            return False

    def start(self) -> None:
        """Start it anew and wait until it answers; EngineError with the end of its log when it does not."""
        self.check_path()
        self.stop()
        self.directory.mkdir(parents=True, exist_ok=True)
        # Who may write to the socket is root on this machine.
        self.directory.chmod(0o700)
        self.registries_conf.write_text(self.registries(), encoding="utf-8")
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                ["podman", "system", "service", "--time=0", self.socket_url],
                env=system_environment(self.environment()),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        record = {"pid": process.pid, "configuration": self.configuration_hash()}
        self.record.write_text(json.dumps(record), encoding="utf-8")
        if not wait_until(lambda: self.answers() or process.poll() is not None, START_SECONDS) or not self.answers():
            last = self.log.read_text(encoding="utf-8", errors="replace").strip()[-1000:]
            self.stop()
            raise EngineError(
                f"Podman's service did not start: {last or 'it does not answer and has written no output'}"
            )

    def check_path(self) -> None:
        """EngineError when the socket's path is too long for the system."""
        length = len(os.fsencode(self.socket_path))
        if length > LONGEST_SOCKET_PATH:
            raise EngineError(
                f"The socket {self.socket_path} has {length} characters, but the system allows {LONGEST_SOCKET_PATH}; "
                "choose a state directory with a shorter path"
            )

    def stop(self) -> bool:
        """End it and remove its socket and record; whether there was something to do."""
        was_there = self.is_there()
        for number in (signal.SIGTERM, signal.SIGKILL):
            pid = self.pid()
            if pid is None:
                break
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            wait_until(lambda: self.pid() is None, STOP_SECONDS)
        for path in (self.socket_path, self.record):
            path.unlink(missing_ok=True)
        return was_there

    def is_there(self) -> bool:
        """Whether a process or a file of the service exists."""
        return self.record.exists() or self.socket_path.exists() or self.pid() is not None


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Poll ``condition``; whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
