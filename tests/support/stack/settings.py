# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The stack of the end-to-end test: apart from `make up`'s in name, ports, subnet and state, so that both can run."""

from __future__ import annotations

import os
import secrets
from typing import Any

from ansible_collections.sm2a.airflow.tests.support.project import PROJECT

# Stacks of one machine that run at the same time differ in this number (0 to 9).
NUMBER = int(os.environ.get("SM2A_END_TO_END_NUMBER", "0"))
SUFFIX = str(NUMBER or "")

ARTIFACTS = PROJECT / "artifacts"
# Short: the container engine's socket lies below it, and the system caps a socket's path at 107 characters.
STATE = PROJECT / f".cache/e2e{SUFFIX}"
LOCAL_AWS_STATE = STATE / "local_aws"

NAME = f"sm2a-e2e{SUFFIX}"
REGION = "eu-west-1"
SUBNET = f"10.{94 + NUMBER}.0.0/24"
GATEWAY = f"10.{94 + NUMBER}.0.1"
PORT = 4576 + 10 * NUMBER
ENDPOINT = f"http://{GATEWAY}:{PORT}"
HTTPS_PORT = 8543 + 100 * NUMBER
HTTP_PORT = 8180 + 100 * NUMBER
URL = f"https://localhost:{HTTPS_PORT}"
# "mysql" for a run on the other database.
DATABASE_ENGINE = os.environ.get("SM2A_END_TO_END_DATABASE_ENGINE", "postgres")
WORKERS_MINIMUM = 1
WORKERS_MAXIMUM = 3
WORKER_CONCURRENCY = 4

# Values that no log line, task definition or output may show; new ones each run.
CANARY_VARIABLE = f"canary-{secrets.token_hex(12)}"
CANARY_PASSWORD = f"canary-{secrets.token_hex(12)}"


def variables() -> dict[str, Any]:
    """What differs from inventories/local, as extra variables."""
    return {
        "sm2a_name": NAME,
        "sm2a_endpoint_url": ENDPOINT,
        "local_aws_name": NAME,
        "local_aws_port": PORT,
        "local_aws_subnet": SUBNET,
        # The load balancer says there that people use HTTPS, and from where.
        "airflow_trusted_proxies": [SUBNET],
        "local_aws_state_directory": str(LOCAL_AWS_STATE),
        "load_balancer_https_port": HTTPS_PORT,
        "load_balancer_http_port": HTTP_PORT,
        "load_balancer_strict_transport_security": "max-age=31536000",
        "secrets_variables": {"smoke_variable": CANARY_VARIABLE},
        "secrets_connections": {"smoke_connection": f"http://smoke:{CANARY_PASSWORD}@smoke.example.com:8080"},
        "airflow_metrics_enabled": True,
        # Beside other tests, a web server that starts may take as long.
        "airflow_health_check_start_period": 300,
        "database_engine": DATABASE_ENGINE,
        "airflow_worker_groups": [
            {
                "name": "default",
                "queue": "default",
                "cpu": 1024,
                "memory": 2048,
                "concurrency": WORKER_CONCURRENCY,
                "min": WORKERS_MINIMUM,
                "max": WORKERS_MAXIMUM,
            }
        ],
    }
