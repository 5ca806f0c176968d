# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The command line: serve, start, stop, status. Each flag has an environment default, SM2A_LOCAL_AWS_<FLAG>."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from sm2a_local_aws import account, daemon
from sm2a_local_aws.errors import LocalAwsError
from sm2a_local_aws.settings import Settings

NOT_RUNNING = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; the exit code."""
    parsed = _parser().parse_args(arguments)
    try:
        return int(VERBS[parsed.verb](parsed))
    except LocalAwsError as error:
        sys.stderr.write(f"local AWS: {error}\n")
        return 1


def _serve(parsed: argparse.Namespace) -> int:
    daemon.serve(_settings(parsed))
    return 0


def _start(parsed: argparse.Namespace) -> int:
    settings = _settings(parsed)
    sys.stdout.write(daemon.start(settings) + "\n")
    sys.stdout.write(f"endpoint {settings.endpoint_url}, log {settings.log_file}\n")
    return 0


def _stop(parsed: argparse.Namespace) -> int:
    sys.stdout.write(daemon.stop(daemon.recorded_settings(_settings(parsed, need_engine=False))) + "\n")
    return 0


def _status(parsed: argparse.Namespace) -> int:
    status = daemon.status(daemon.recorded_settings(_settings(parsed, need_engine=False)))
    sys.stdout.write(json.dumps(status, indent=2) + "\n")
    return 0 if status["running"] else NOT_RUNNING


VERBS = {"serve": _serve, "start": _start, "stop": _stop, "status": _status}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sm2a_local_aws", description="A local AWS with real containers.")
    parser.add_argument("verb", choices=tuple(VERBS))
    parser.add_argument("--name", default=_default("NAME", "sm2a"), help="names the network and labels containers")
    parser.add_argument("--state-directory", type=Path, default=_default("STATE_DIRECTORY", ".sm2a/local_aws"))
    parser.add_argument("--port", type=int, default=_default("PORT", "4566"))
    parser.add_argument("--subnet", default=_default("SUBNET", "10.91.0.0/24"), help="its first address is the gateway")
    engine = parser.add_mutually_exclusive_group()
    engine.add_argument("--engine-socket", default=_default("ENGINE_SOCKET", "") or None, help="unix:///... (Docker)")
    engine.add_argument("--control-plane-only", action="store_true", default=_default("CONTROL_PLANE_ONLY", "") == "1")
    parser.add_argument(
        "--bind-listeners",
        action="store_true",
        default=_default("BIND_LISTENERS", "") == "1",
        help="bind the load balancers' ports without an engine, too",
    )
    parser.add_argument("--log-level", default=_default("LOG_LEVEL", "INFO"))
    parser.add_argument(
        "--record-rights",
        type=Path,
        metavar="FILE",
        default=_default("RECORD_RIGHTS", "") or None,
        help="write every right that is asked for to this file, a line of JSON each",
    )
    parser.add_argument(
        "--waiting-times",
        type=Path,
        metavar="FILE",
        default=_default("WAITING_TIMES", "") or None,
        help="JSON with the seconds that AWS takes for what; without an engine only",
    )
    parser.add_argument(
        "--account",
        type=Path,
        metavar="FILE",
        default=_default("ACCOUNT", "") or None,
        help="JSON with the quotas of this account and what else differs from other accounts",
    )
    parser.add_argument("--time-scale", type=float, default=_default("TIME_SCALE", "1"), help="multiplies them")
    return parser


def _default(flag: str, value: str) -> str:
    return os.environ.get(f"SM2A_LOCAL_AWS_{flag}", value)


def _settings(parsed: argparse.Namespace, *, need_engine: bool = True) -> Settings:
    socket = None if parsed.control_plane_only else parsed.engine_socket
    if need_engine and socket is None and not parsed.control_plane_only:
        raise LocalAwsError("give --engine-socket unix:///path/to/socket, or --control-plane-only")
    if socket is not None and parsed.waiting_times:
        raise LocalAwsError("--waiting-times is for --control-plane-only: containers take their own time")
    if parsed.account:
        account.read(parsed.account)
    try:
        settings = Settings(
            name=parsed.name,
            state_directory=parsed.state_directory.absolute(),
            port=parsed.port,
            subnet=parsed.subnet,
            engine_socket=socket,
            log_level=parsed.log_level.upper(),
            record_rights=parsed.record_rights.absolute() if parsed.record_rights else None,
            bind_listeners=parsed.bind_listeners,
            waiting_times=parsed.waiting_times.absolute() if parsed.waiting_times else None,
            time_scale=parsed.time_scale,
            account=parsed.account.absolute() if parsed.account else None,
        )
        _ = settings.gateway
    except ValueError as error:
        raise LocalAwsError(f"--subnet is not a network ({error}): give one such as 10.91.0.0/24") from error
    return settings
