# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Airflow's REST API through the load balancer, as a person's script would use it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import requests
from ansible_collections.sm2a.airflow.tests.support.stack.poll import poll, wait_until
from ansible_collections.sm2a.airflow.tests.support.stack.settings import URL
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

FINISHED = {"success", "failed"}


class AirflowApi:
    """A logged-in session. ``certificate`` is the path of the PEM file that the server must prove to hold.

    Reads that are answered with one of ``passing`` are asked again, for about a minute: by default those with which the
    load balancer answers for a web server that is just being replaced.
    """

    def __init__(
        self, username: str, password: str, certificate: str, passing: Sequence[int] = (502, 503, 504)
    ) -> None:
        self._session = requests.Session()
        # A proxy of the machine must not see loopback traffic.
        self._session.trust_env = False
        self._session.verify = certificate
        again = Retry(total=6, backoff_factor=1, status_forcelist=passing, allowed_methods=["GET"])
        self._session.mount("https://", HTTPAdapter(max_retries=again))
        self._credentials = {"username": username, "password": password}
        self._log_in()

    def _log_in(self) -> None:
        answer = self._session.post(f"{URL}/auth/token", json=self._credentials, timeout=30)
        answer.raise_for_status()
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def call(self, method: str, path: str, **arguments: Any) -> Any:
        """The JSON answer of ``/api/v2/<path>``; requests.HTTPError for a status of 400 and above."""
        answer = self._session.request(method, f"{URL}/api/v2/{path}", timeout=60, **arguments)
        answer.raise_for_status()
        return answer.json()

    def wait_for_dag(self, dag: str, seconds: int = 180) -> None:
        """Return when the DAG processor has published ``dag``."""

        def published() -> bool:
            known = [entry["dag_id"] for entry in self.call("GET", "dags", params={"limit": 100})["dags"]]
            errors = [] if dag in known else self.call("GET", "importErrors")["import_errors"]
            assert not errors, errors
            return dag in known

        wait_until(f"{dag} is published", published, seconds)

    def trigger(self, dag: str, conf: dict[str, Any] | None = None) -> str:
        """Unpause and start ``dag``; the id of the run."""
        self.call("PATCH", f"dags/{dag}", json={"is_paused": False})
        body = {"logical_date": None, "conf": conf or {}}
        return str(self.call("POST", f"dags/{dag}/dagRuns", json=body)["dag_run_id"])

    def state(self, dag: str, run: str) -> str:
        """State of the run."""
        return str(self.call("GET", f"dags/{dag}/dagRuns/{run}")["state"])

    def wait_for_run(self, dag: str, run: str, seconds: int) -> str:
        """The final state of the run, or its state when ``seconds`` are over."""
        return poll(lambda: self.state(dag, run), seconds, FINISHED.__contains__)

    def tasks(self, dag: str, run: str) -> list[dict[str, Any]]:
        """Every task instance of the run."""
        path = f"dags/{dag}/dagRuns/{run}/taskInstances"
        instances: list[dict[str, Any]] = self.call("GET", path, params={"limit": 500})["task_instances"]
        return instances

    def every_task(self, dag: str, run: str, page: int = 100) -> list[dict[str, Any]]:
        """As ``tasks``, of a run with more than an answer holds."""
        path = f"dags/{dag}/dagRuns/{run}/taskInstances"
        found: list[dict[str, Any]] = []
        while True:
            answer = self.call("GET", path, params={"limit": page, "offset": len(found), "order_by": "id"})
            found += answer["task_instances"]
            if len(found) >= answer["total_entries"] or not answer["task_instances"]:
                return found

    def log(self, dag: str, run: str, task: dict[str, Any], attempt: int = 1) -> str:
        """Text of one attempt's log."""
        path = f"dags/{dag}/dagRuns/{run}/taskInstances/{task['task_id']}/logs/{attempt}"
        parameters = {"full_content": "true", "map_index": task["map_index"]}
        return str(self.call("GET", path, params=parameters, headers={"Accept": "application/json"})["content"])
