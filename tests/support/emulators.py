# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Emulators of AWS without a container engine, each in a process of its own."""

from __future__ import annotations

import contextlib
import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.sm2a.airflow.tests.support.ports import free_port

START_TIMEOUT_SECONDS = 60
JUDGED_MINISTACK = Path(__file__).with_name("judged_ministack.py")


def wait_until_it_answers(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the emulator on ``port`` answers; RuntimeError with the end of its log when it does not."""
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/_ministack/health")
            connection.getresponse()
            return
        except (http.client.HTTPException, OSError):
            time.sleep(0.1)
        finally:
            connection.close()
    raise RuntimeError(f"The emulator did not start:\n{log.read_text()[-2000:]}")


@contextlib.contextmanager
def emulator(command: list[str], port: int, log: Path, settings: dict[str, str]) -> Iterator[str]:
    """Run an emulator in a process of its own; yields its URL."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | settings
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
    try:
        wait_until_it_answers(port, process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def aws_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a control-plane AWS that lives as long as this test process: MiniStack, which takes what AWS takes."""
    port = free_port()
    settings = {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": "unix:///nonexistent",
    }
    log = tmp_path_factory.mktemp("emulator") / "ministack.log"
    with emulator([sys.executable, str(JUDGED_MINISTACK)], port, log, settings) as url:
        yield url


@contextlib.contextmanager
def local_aws(directory: Path, *flags: str, **settings: str) -> Iterator[str]:
    """Run this project's local AWS without a container engine; ``settings`` are variables of its environment."""
    port = free_port()
    options = ["--control-plane-only", "--port", str(port), "--name", f"unit-{port}", "--state-directory"]
    command = [sys.executable, "-m", "sm2a_local_aws", "serve", *options, str(directory / "state"), *flags]
    with emulator(command, port, directory / "local_aws.log", settings) as url:
        yield url
