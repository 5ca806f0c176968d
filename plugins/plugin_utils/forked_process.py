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
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ansible.utils.multiprocessing import context

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
    function: Callable[[], None], name: str, directory: str | bytes | Path, environment: Mapping[str, str]
) -> Completed:
    """Run ``function`` in ``directory`` with more variables in the environment, and wait until it has ended.

    An exception that arrives meanwhile, such as the timeout of a task, ends it as well.
    """
    out, out_end = os.pipe()
    errors, errors_end = os.pipe()

    def program() -> None:
        _leave_parent(out_end, errors_end)
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
            os.close(out_end)
            os.close(errors_end)
        written = _read(out, errors)
        process.join()
    except BaseException:
        process.kill()
        raise
    finally:
        os.close(out)
        os.close(errors)
    code = process.exitcode or 0
    if code >= 0:
        return Completed(code, *written)
    said, complaints = written
    return Completed(KILLED - code, said, complaints + f"{signal.strsignal(-code)}\n".encode())


def _read(*pipes: int) -> list[bytes]:
    """Everything that is written to the pipes until all are closed."""
    parts: dict[int, list[bytes]] = {pipe: [] for pipe in pipes}
    with selectors.DefaultSelector() as selector:
        for pipe in pipes:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            for key, _events in selector.select():
                part = os.read(key.fd, CHUNK)
                parts[key.fd].append(part)
                if not part:
                    selector.unregister(key.fd)
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
