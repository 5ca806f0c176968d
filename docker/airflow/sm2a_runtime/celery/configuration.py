# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Celery's settings (airflow.cfg: `[celery] celery_config_options`), for processes that send, run or monitor tasks.

Airflow's own, and over them what must not depend on the defaults of a version or on the environment of a container:
nothing that one component writes is loaded by another as anything but JSON.
"""

import os
from collections.abc import Mapping
from typing import Any

from airflow.providers.celery.executors.default_celery import DEFAULT_CELERY_CONFIG

BACKEND = "sm2a_runtime.celery.result_backend:ResultBackend"
# Celery would take it before any setting.
OVERRIDE = "CELERY_RESULT_BACKEND"
JSON_ONLY: dict[str, Any] = {
    "task_serializer": "json",
    "result_serializer": "json",
    "event_serializer": "json",
    "accept_content": ["json"],
    "result_accept_content": ["json"],
    "broker_transport": "sm2a_runtime.celery.sqs_transport:Transport",
    "worker_consumer": "sm2a_runtime.celery.worker_consumer:Consumer",
}


def hardened(config: Mapping[str, Any]) -> dict[str, Any]:
    """These settings with JSON for messages and results."""
    if OVERRIDE in os.environ:
        raise ValueError(f"{OVERRIDE} is set: it would undo sm2a_runtime.celery.result_backend")
    kind, plus, uri = str(config["result_backend"]).partition("+")
    if kind != "db" or not plus:
        raise ValueError("[celery] result_backend is no database: its URI has to begin with db+")
    # Celery takes the class before the first plus sign. The option stays db+..., as earlier images know it.
    return {**config, **JSON_ONLY, "result_backend": f"{BACKEND}+{uri}"}


CELERY_CONFIG = hardened(DEFAULT_CELERY_CONFIG)
