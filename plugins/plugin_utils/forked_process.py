# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Run a function as a program of its own, without starting an interpreter: in a fork, with its own standard streams.

What the function does to the environment, the working directory, globals or signals ends with the fork, and so does a
crash.
"""

from __future__ import annotations

import atexit
import gc
import logging
import os
import selectors
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ansible.utils.multiprocessing import context
from ansible_collections.sm2a.airflow.plugins.module_utils.common.progress import OUTLET
from ansible_collections.sm2a.airflow.plugins.plugin_utils.progress import Progress

CHUNK = 65536
# A shell reports the end by a signal so, and says its name.
KILLED = 128


@dataclass(frozen=True)
class Completed:
    """How the program ended and what it wrote."""

    code: int
    stdout: bytes
    stderr: bytes


def run_forked(
    function: Callable[[], None],
    name: str,
    directory: str | bytes | Path,
    environment: Mapping[str, str],
    progress: Progress | None = None,
) -> Completed:
    """Run ``function`` in ``directory`` with more variables in the environment, and wait until it has ended.

    ``progress`` hears what it says meanwhile. An exception that arrives, such as the timeout of a task, ends it too.
    """
    out, out_end = os.pipe()
    errors, errors_end = os.pipe()
    said, said_end = os.pipe()

    def program() -> None:
        _leave_parent(out_end, errors_end)
        OUTLET.open(said_end)
        sys.argv = [name]
        os.environ.update(environment)
        time.tzset()
        os.chdir(directory)
        try:
            function()
        finally:
            atexit._run_exitfuncs()

    process = context.Process(target=program, name=name, daemon=True)
    try:
        try:
            process.start()
        finally:
            for end in (out_end, errors_end, said_end):
                os.close(end)
        written = _read((out, errors), said, progress)
        process.join()
    except BaseException:
        process.kill()
        raise
    finally:
        for pipe in (out, errors, said):
            os.close(pipe)
    code = process.exitcode or 0
    if code >= 0:
        return Completed(code, *written)
    output, complaints = written
    return Completed(KILLED - code, output, complaints + f"{signal.strsignal(-code)}\n".encode())


def _read(pipes: Sequence[int], said: int, progress: Progress | None) -> list[bytes]:
    """Everything that is written to the pipes until all are closed; ``progress`` gets what comes from ``said``."""
    parts: dict[int, list[bytes]] = {pipe: [] for pipe in (*pipes, said)}
    with selectors.DefaultSelector() as selector:
        for pipe in parts:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            for key, _events in selector.select(progress.seconds_left() if progress else None):
                part = os.read(key.fd, CHUNK)
                if key.fd != said:
                    parts[key.fd].append(part)
                elif progress:
                    progress.hear(part)
                if not part:
                    selector.unregister(key.fd)
            if progress:
                progress.show_if_due()
    return [b"".join(parts[pipe]) for pipe in pipes]


def _leave_parent(out: int, errors: int) -> None:
    """Of the process that it comes from, the fork keeps what is loaded, and nothing else."""
    # Its garbage collections leave alone what is loaded, whose pages stay shared.
    gc.freeze()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for other in (signal.SIGTERM, signal.SIGALRM):
        signal.signal(other, signal.SIG_DFL)
    logging.root.handlers.clear()
    logging.root.setLevel(logging.WARNING)
    # Those of ansible-playbook would remove its temporary files.
    atexit._clear()
    _open_standard_streams(out, errors)


def _open_standard_streams(out: int, errors: int) -> None:
    """No input; output to the pipes."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, source in enumerate((nothing, out, errors)):
        os.dup2(source, number)
        os.close(source)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", errors="backslashreplace", closefd=False)  # noqa: SIM115
