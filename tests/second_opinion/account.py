# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""An account on moto's server, as it comes from PyPI."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.sm2a.airflow.tests.support.control_plane import ControlPlane
from ansible_collections.sm2a.airflow.tests.support.emulators import emulator
from ansible_collections.sm2a.airflow.tests.support.ports import free_port

# moto's own settings. Its services run no tasks: they begin with as many running as the first one says, whatever their
# desired count, which is 2 at most in these environments. Tasks of RunTask end at once, with exit code 0.
SETTINGS = {
    "MOTO_ECS_SERVICE_RUNNING": "2",
    "MOTO_ACM_VALIDATION_WAIT": "0",
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
}


@contextmanager
def account(directory: Path) -> Iterator[ControlPlane]:
    """Serve moto until the end of the block; ``directory`` takes its log and those of the runs."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with emulator(command, port, directory / "moto.txt", SETTINGS) as endpoint:
        yield ControlPlane(endpoint, directory)
