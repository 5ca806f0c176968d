# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A process ends with the one that started it."""

from __future__ import annotations

import os
import re
import signal
import time

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.common.processes import is_running, process_start
from ansible_collections.sm2a.airflow.plugins.plugin_utils.parent_death import end_with_parent


@pytest.mark.parametrize("late", [False, True])
def test_a_process_ends_with_its_parent(late: bool) -> None:
    """Also when the parent has ended before it asks."""
    reader, writer = os.pipe()
    parent = os.fork()
    if parent == 0:
        child = os.fork()
        if child == 0:
            mother = os.getppid()
            if late:
                while os.getppid() == mother:
                    time.sleep(0.01)
            end_with_parent(mother, signal.SIGTERM)
            os.write(writer, b"asked")
            time.sleep(60)
            os._exit(0)
        os.write(writer, f"child {child} {process_start(child)}\n".encode())
        if not late:
            time.sleep(60)
        os._exit(0)
    os.close(writer)
    said = b""
    while b"\n" not in said or not (late or b"asked" in said):
        part = os.read(reader, 100)
        assert part, said
        said += part
    pid, start = re.findall(rb"child (\d+) (\d+)\n", said)[0]
    if not late:
        assert is_running(int(pid), start.decode())
        os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    deadline = time.monotonic() + 10
    while is_running(int(pid), start.decode()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_running(int(pid), start.decode())
