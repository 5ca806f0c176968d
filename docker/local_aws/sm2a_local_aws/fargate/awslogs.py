# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The awslogs driver: one event per line, whatever pieces the container wrote it in."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from docker.errors import DockerException
from ministack.core.responses import request_scope
from ministack.services import ecs
from requests.exceptions import ReadTimeout, RequestException

from sm2a_local_aws.patching.points import relies_on, replaces

relies_on(
    "ministack.services.ecs",
    {
        "_ensure_awslogs_stream": "0fefac5cc2fd",
        "_emit_awslogs_event": "4233d1ea0642",
    },
)

# CloudWatch Logs cuts an event at 256 KiB.
LONGEST_LINE = 256 * 1024 - 26
END_SECONDS = 10.0

# container id -> set when its output ended
_ended: dict[str, threading.Event] = {}


def lines(chunks: Iterator[bytes]) -> Iterator[str]:
    """The lines of a stream of bytes, without their ends; empty ones are left out, as CloudWatch takes none."""
    rest = b""
    for chunk in chunks:
        *complete, rest = (rest + chunk).split(b"\n")
        for line in complete:
            yield from _events(line)
        while len(rest) > LONGEST_LINE:
            yield from _events(rest[:LONGEST_LINE])
            rest = rest[LONGEST_LINE:]
    yield from _events(rest)


def _events(line: bytes) -> Iterator[str]:
    """The line as text, in pieces when it is longer than an event may be."""
    for start in range(0, len(line), LONGEST_LINE):
        text = line[start : start + LONGEST_LINE].decode("utf-8", errors="replace").rstrip("\r")
        if text:
            yield text


def output_of(container: Any) -> Iterator[str]:
    """Every line of a container's output, until it ends."""
    seen = 0
    # Podman ends a followed log with the container, before its last lines: the last pass brings them.
    for follow in (True, False):
        for line in itertools.islice(lines(_log(container, follow)), seen, None):
            yield line
            seen += 1


def _log(container: Any, follow: bool) -> Iterator[bytes]:
    """Podman answers with the first line: a container that is silent at first lets the request time out."""
    while True:
        with suppress(ReadTimeout):
            chunks: Iterator[bytes] = container.logs(stream=True, follow=follow, stdout=True, stderr=True)
            return chunks


@replaces("ministack.services.ecs:_forward_awslogs", "a98a3026666b")
def forward_awslogs(_original: Callable[..., None], container: Any, config: Any, account_id: str, region: str) -> None:
    """Ship a container's output to its log stream until it ends (runs in its own thread)."""
    ended = _ended.setdefault(container.id, threading.Event())
    try:
        with request_scope(account_id, region):
            if not ecs._ensure_awslogs_stream(config):
                return
            for line in output_of(container):
                ecs._emit_awslogs_event(config, line)
    except (DockerException, RequestException):
        # The engine or the container went away: the task's end is reported elsewhere.
        return
    finally:
        ended.set()


@replaces("ministack.services.ecs:_start_awslogs_forwarder", "bc9330496ce7")
def start_awslogs_forwarder(original: Callable[..., None], container: Any, *arguments: Any) -> None:
    """Know of the forwarder before its thread runs, so that a quick end of the task waits for it."""
    if ecs._awslogs_config(arguments[0], arguments[1], container.id):
        _ended[container.id] = threading.Event()
    original(container, *arguments)


def wait_for_end(container_id: str) -> None:
    """Wait until the last line of a stopped container was shipped, some seconds at most."""
    ended = _ended.pop(container_id, None)
    if ended is not None:
        ended.wait(END_SECONDS)
