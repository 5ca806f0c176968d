# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Container health checks: `python -m sm2a_runtime.health <component>` exits 0 when the component works, else 1.

They run every few seconds beside the component, so nothing here imports Airflow.
A check that cannot reach the database or Secrets Manager passes: the component is not at fault, and replacing every
container would only prolong the outage.
"""

import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable

from sm2a_runtime.network import host_address
from sm2a_runtime.worker.liveness import liveness_file

HEARTBEAT_SECONDS = 60.0
LIVENESS_SECONDS = 90.0
HTTP_SECONDS = 10.0


class UnhealthyError(Exception):
    """The component does not work; the message says why."""


def check_api_server() -> str:
    """It answers a request that needs no database."""
    port = os.environ.get("AIRFLOW__API__PORT", "8080")
    return _check_http(f"http://127.0.0.1:{port}/api/v2/version")


def check_scheduler() -> str:
    """Its own health server finds a recent heartbeat."""
    port = os.environ.get("AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT", "8974")
    return _check_http(f"http://127.0.0.1:{port}/health")


def check_dag_processor() -> str:
    """Its job on this host has a recent heartbeat."""
    return _check_job("DagProcessorJob")


def check_triggerer() -> str:
    """Its job on this host has a recent heartbeat."""
    return _check_job("TriggererJob")


def check_worker() -> str:
    """Its event loop touched the liveness file not long ago."""
    file = liveness_file()
    try:
        age = time.time() - file.stat().st_mtime
    except FileNotFoundError:
        raise UnhealthyError(f"{file} does not exist: the worker is not ready") from None
    if age > LIVENESS_SECONDS:
        raise UnhealthyError(f"the event loop has been silent for {age:.0f} s")
    return f"the event loop ran {age:.0f} s ago"


CHECKS: dict[str, Callable[[], str]] = {
    "api-server": check_api_server,
    "scheduler": check_scheduler,
    "dag-processor": check_dag_processor,
    "triggerer": check_triggerer,
    "worker": check_worker,
}


def _check_http(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=HTTP_SECONDS) as response:  # noqa: S310 (always http)
            return f"{url} answered {response.status}"
    except urllib.error.HTTPError as error:
        raise UnhealthyError(f"{url} answered {error.code}") from None
    except OSError as error:
        raise UnhealthyError(f"{url} did not answer: {error}") from None


def _check_job(job_type: str) -> str:
    # Imported here because the other checks need neither of them and run faster without.
    from sm2a_runtime.database.connection import DatabaseError, heartbeat_age  # noqa: PLC0415
    from sm2a_runtime.secret_store import SecretError, read_secret  # noqa: PLC0415

    try:
        uri = read_secret(connection_secret_name(), attempts=1)
        age = heartbeat_age(uri, job_type, host_address())
    except (DatabaseError, SecretError) as error:
        return f"unknown, taken as healthy: {error}"
    if age is None:
        raise UnhealthyError(f"no running {job_type} on {host_address()}")
    if age > HEARTBEAT_SECONDS:
        raise UnhealthyError(f"the last heartbeat of {job_type} was {age:.0f} s ago")
    return f"heartbeat {age:.0f} s ago"


def connection_secret_name() -> str:
    """The name of the secret with the database URI, as Airflow's own secrets backend composes it."""
    backend = json.loads(os.environ["AIRFLOW__SECRETS__BACKEND_KWARGS"])
    return f"{backend['config_prefix']}/{os.environ['AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_SECRET']}"


def main(arguments: list[str] | None = None) -> int:
    """Print one line and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m sm2a_runtime.health", description="Is this component healthy?")
    parser.add_argument("component", choices=CHECKS)
    component = parser.parse_args(arguments).component
    try:
        print(f"{component}: {CHECKS[component]()}")
    except UnhealthyError as error:
        print(f"{component} is unhealthy: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
