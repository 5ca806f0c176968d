# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Airflow's REST API through the load balancer. Password and token stay in the memory of the module.

https://airflow.apache.org/docs/apache-airflow/stable/stable-rest-api-ref.html
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import HTTPRedirectHandler, HTTPSHandler, OpenerDirector, Request, build_opener

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

SECONDS = 30
# How the load balancer answers while a web server is replaced, and Airflow while its database fails over.
PASSING = (500, 502, 503, 504)


class NoAnswerError(Exception):
    """Nothing came back that Airflow meant; the same request may work in a moment."""


class RefusedError(Exception):
    """Airflow, or what stands before it, refused a request; ``status`` is that of HTTP."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"HTTP {status}: {said}" if said else f"HTTP {status}")
        self.status = status


class _NoRedirects(HTTPRedirectHandler):
    """A redirect leads to a page for people, such as the login of an identity provider."""

    def redirect_request(self, *_arguments: Any) -> None:
        """Follow none."""


def trusting(certificate: str | None) -> ssl.SSLContext:
    """What this machine trusts, and the PEM text ``certificate``, which may be that of the server itself."""
    context = ssl.create_default_context()
    if certificate:
        context.load_verify_locations(cadata=certificate)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


class AirflowApi:
    """The API at ``url``, once a user has logged in."""

    def __init__(self, url: str, certificate: str | None = None) -> None:
        self._url = url.rstrip("/")
        self._opener: OpenerDirector = build_opener(HTTPSHandler(context=trusting(certificate)), _NoRedirects())
        self._token = ""

    def log_in(self, username: str, password: str) -> None:
        """Get a token; RefusedError when Airflow does not know the user."""
        self._token = ""
        answer = self._request("POST", "/auth/token", {"username": username, "password": password})
        self._token = str(answer["access_token"])

    def dag(self, dag_id: str) -> dict[str, Any] | None:
        """The DAG, None while Airflow does not know it."""
        return self._unless_missing(f"/api/v2/dags/{quote(dag_id, safe='')}")

    def pause(self, dag_id: str, paused: bool) -> None:
        """Let no run of the DAG start, or let them start again."""
        self._request("PATCH", f"/api/v2/dags/{quote(dag_id, safe='')}", {"is_paused": paused})

    def start(self, dag_id: str, run_id: str, conf: Mapping[str, Any]) -> None:
        """Start a run; fine when there is one of this id already, as after a lost reply."""
        body = {"dag_run_id": run_id, "logical_date": None, "conf": dict(conf)}
        try:
            self._request("POST", f"/api/v2/dags/{quote(dag_id, safe='')}/dagRuns", body)
        except RefusedError as error:
            if error.status != 409:
                raise

    def run(self, dag_id: str, run_id: str) -> dict[str, Any] | None:
        """The run, None when there is no such one."""
        return self._unless_missing(f"/api/v2/dags/{quote(dag_id, safe='')}/dagRuns/{quote(run_id, safe='')}")

    def failed_tasks(self, dag_id: str, run_id: str) -> list[str]:
        """Ids of the tasks of a run that failed."""
        path = f"/api/v2/dags/{quote(dag_id, safe='')}/dagRuns/{quote(run_id, safe='')}/taskInstances"
        answer = self._request("GET", f"{path}?state=failed&limit=100")
        return sorted({str(task["task_id"]) for task in answer["task_instances"]})

    def _unless_missing(self, path: str) -> dict[str, Any] | None:
        try:
            return self._request("GET", path)
        except RefusedError as error:
            if error.status != 404:
                raise
            return None

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        request = Request(self._url + path, data, headers, method=method)  # noqa: S310 (the module takes https:// only)
        try:
            with self._opener.open(request, timeout=SECONDS) as answer:
                found: dict[str, Any] = json.loads(answer.read())
                return found
        except HTTPError as error:
            if error.code in PASSING:
                raise NoAnswerError(f"HTTP {error.code}") from error
            raise RefusedError(error.code, _detail(error)) from error
        except (URLError, HTTPException, OSError, ValueError) as error:
            raise NoAnswerError(str(getattr(error, "reason", error))) from error


def _detail(error: HTTPError) -> str:
    """What Airflow says about a refusal."""
    try:
        said = json.loads(error.read())
    except (HTTPException, OSError, ValueError):
        return ""
    detail = said.get("detail", "") if isinstance(said, dict) else ""
    return detail if isinstance(detail, str) else ""


def refusal(url: str, error: RefusedError) -> AnsibleAWSError:
    """The same as the error of a module, with the next step."""
    steps = {
        401: "The secret holds another password than Airflow: store the one that was set in Airflow in the secret.",
        403: "The user may not do this: give it the role Op or Admin in Airflow.",
        421: "Airflow does not answer under this name: use the one that site.yml said.",
    }
    login = (
        "The load balancer asks for a login at the identity provider: name /auth/token and /api/v2/* in "
        "exempt_paths of load_balancer_oidc."
    )
    step = login if 300 <= error.status < 400 else steps.get(error.status, "Look at the log of the web server.")
    return AnsibleAWSError(message=f"{url} refused the request ({error}). {step}")
