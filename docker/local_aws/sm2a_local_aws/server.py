# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""`serve`: put the patches in place, prepare the engine, answer on loopback and on the bridge until SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import resource
import signal
import socket
from collections.abc import Coroutine
from typing import Any

from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config

from sm2a_local_aws import engine, environment, settings
from sm2a_local_aws.errors import LocalAwsError
from sm2a_local_aws.patching import order, points
from sm2a_local_aws.settings import Settings

logger = logging.getLogger("sm2a.server")

KEEP_ALIVE_SECONDS = 75
SHUTDOWN_SECONDS = 3


def run(configured: Settings) -> None:
    """Serve until SIGTERM or SIGINT; everything that carries our label is removed before and after."""
    settings.activate(configured)
    _require_free_port(settings.LOOPBACK, configured.port)
    environment.prepare(configured)
    order.load()
    points.apply_all()
    if configured.control_plane_only:
        asyncio.run(_serve(configured))
        return
    client = engine.connect(configured)
    removed = engine.remove_leftovers(client, configured)
    if removed:
        logger.warning("removed %d containers, volumes and networks that an earlier local AWS left behind", removed)
    engine.create_network(client, configured)
    try:
        _require_free_port(configured.gateway, configured.port)
        asyncio.run(_serve(configured))
    finally:
        engine.remove_leftovers(client, configured)


def _require_free_port(address: str, port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            raise LocalAwsError(
                f"cannot listen on {address}:{port} ({error.strerror}): stop what uses it or choose another --port"
            ) from error


async def _serve(configured: Settings) -> None:
    from ministack.app import app  # noqa: PLC0415  MiniStack reads its environment while it is imported.

    # These import MiniStack.
    from sm2a_local_aws.cloudwatch import alarms  # noqa: PLC0415
    from sm2a_local_aws.http import middlewares  # noqa: PLC0415

    _raise_file_limit()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    application: Any = middlewares.around(app)
    alarms.start()
    serving = [hypercorn_serve(application, _config(configured), shutdown_trigger=stop.wait)]
    if not configured.control_plane_only:
        _watch_containers()
    if configured.has_listener_ports:
        serving += _listener_ports(stop)
    await asyncio.gather(*serving)


def _watch_containers() -> None:
    """Start what only real containers need: exits, target health."""
    # These import MiniStack, too.
    from sm2a_local_aws.fargate import exit_watch as ecs_exit_watch  # noqa: PLC0415
    from sm2a_local_aws.load_balancer import health as load_balancer_health  # noqa: PLC0415

    ecs_exit_watch.start()
    load_balancer_health.start()


def _listener_ports(stop: asyncio.Event) -> list[Coroutine[Any, Any, None]]:
    """The coroutines of listener ports and their logs."""
    # These import MiniStack, too.
    from sm2a_local_aws.load_balancer import access_logs as load_balancer_access_logs  # noqa: PLC0415
    from sm2a_local_aws.load_balancer import front as load_balancer_front  # noqa: PLC0415

    return [load_balancer_front.run(stop), load_balancer_access_logs.run(stop)]


def _config(configured: Settings) -> Config:
    config = Config()
    config.bind = [f"{address}:{configured.port}" for address in configured.bind_addresses]
    config.keep_alive_timeout = KEEP_ALIVE_SECONDS
    config.graceful_timeout = SHUTDOWN_SECONDS
    config.shutdown_timeout = SHUTDOWN_SECONDS
    config.loglevel = configured.log_level
    config.accesslog = None
    return config


def _raise_file_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
