# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A container engine for the tests, found or started as the role local_aws does, with the images that they need."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.sm2a.airflow.plugins.module_utils.containers.podman_service import PodmanService
from ansible_collections.sm2a.airflow.tests.support.ports import free_port
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT

# Short, because a socket's path is.
STATE = PROJECT / ".cache/engine"
# On a cold machine a base image and PostgreSQL's are made first.
SECONDS = 900


@contextmanager
def private_engine() -> Iterator[str]:
    """Address of its Docker API (``unix://...``), until the end of the block."""
    variables = {"local_aws_state_directory": STATE, "local_aws_name": "test-engine", "local_aws_port": free_port()}
    extra = [word for name, value in variables.items() for word in ("-e", f"{name}={value}")]
    tools = Path(sys.executable).parent
    log = PROJECT / "artifacts/engine.log"
    log.parent.mkdir(exist_ok=True)
    STATE.mkdir(parents=True, exist_ok=True)
    try:
        with log.open("wb") as output:
            done = subprocess.run(
                [str(tools / "ansible-playbook"), *extra, str(Path(__file__).with_name("engine.yml"))],
                cwd=PROJECT,
                env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "ANSIBLE_NOCOLOR": "1"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=SECONDS,
                check=False,
            )
        assert done.returncode == 0, log.read_text(encoding="utf-8", errors="replace")[-3000:]
        yield (STATE / "socket").read_text(encoding="utf-8")
    finally:
        PodmanService(STATE / "podman").stop()
