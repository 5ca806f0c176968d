#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
module: airflow_dag_run
short_description: Run a DAG of Apache Airflow and wait for its success
version_added: 0.1.0
description:
  - Starts a run of a DAG through Airflow's REST API and waits until it has ended.
  - Fails, and names the tasks, when the run fails.
  - The module reads the user's name and password from AWS Secrets Manager itself, so that they are in no variable and
    in no output. They leave it only through TLS.
  - Each time a run is started, so the module always reports a change.
author:
  - SM2A contributors (@sm2a)
options:
  url:
    description: Address of Airflow's web server, with C(https).
    type: str
    required: true
  secret_name:
    description: Name or ARN of the secret with C(username) and C(password) as JSON.
    type: str
    required: true
  certificate_arn:
    description:
      - Certificate in AWS Certificate Manager that the server shows. It is trusted besides the authorities that this
        machine trusts, which do not know a certificate that is self-signed.
    type: str
  dag_id:
    description: The DAG. The module waits until Airflow knows it.
    type: str
    required: true
  conf:
    description: Parameters of the run.
    type: dict
    default: {}
  unpause:
    description: Whether a paused DAG is unpaused for the run, and paused again after it. Otherwise it is an error.
    type: bool
    default: false
  wait_delay:
    description: Seconds between two looks at the run.
    type: int
    default: 5
  wait_timeout:
    description: Seconds to wait for the DAG, and again for the end of the run.
    type: int
    default: 900
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - sm2a.airflow.attributes
attributes:
  check_mode:
    description: Starts nothing and asks Airflow nothing.
  diff_mode:
    description: Has nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: Run the smoke DAG
  sm2a.airflow.airflow_dag_run:
    url: https://airflow.example.com
    secret_name: staging/admin
    dag_id: sm2a_smoke
    unpause: true
"""

RETURN = r"""
dag_run:
  description: The run.
  type: dict
  returned: success
  contains:
    dag_id:
      description: The DAG.
      type: str
      sample: sm2a_smoke
    run_id:
      description: Id of the run; none in check mode.
      type: str
      sample: sm2a__2026-01-02T03:04:05+00:00
    state:
      description: How the run ended; none in check mode.
      type: str
      sample: success
    url:
      description: Page of the run; that of the DAG in check mode.
      type: str
      sample: https://airflow.example.com/dags/sm2a_smoke/runs/sm2a__2026-01-02T03:04:05+00:00
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.acm.api import get_certificate
from ansible_collections.sm2a.airflow.plugins.module_utils.airflow_api import (
    AirflowApi,
    NoAnswerError,
    RefusedError,
    refusal,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import client, exit_with
from ansible_collections.sm2a.airflow.plugins.module_utils.common.waiters import wait_until
from ansible_collections.sm2a.airflow.plugins.module_utils.secretsmanager.api import secret_value

FINISHED = ("success", "failed")
# For which the load balancer may have no web server, as while one is replaced.
LONGEST_SILENCE = 120
Found = TypeVar("Found")


def credentials(secretsmanager: Any, secret_name: str) -> tuple[str, str]:
    """Name and password of the user."""
    text = secret_value(secretsmanager, secret_name)
    try:
        value = json.loads(text or "")
        return str(value["username"]), str(value["password"])
    except (KeyError, TypeError, ValueError):
        # The value, or a part of it, would be in the message of the cause.
        pass
    told = "there is no such secret" if text is None else "it is no JSON with username and password"
    raise AnsibleAWSError(message=f"Cannot log in with the secret {secret_name}: {told}. Is this environment deployed?")


def patiently(url: str, ask: Callable[[], Found], delay: int) -> Found:
    """What ``ask`` returns, asked again for some time while there is no answer."""
    answers: list[Found] = []
    silence = ["no answer"]

    def answered() -> bool:
        try:
            answers.append(ask())
        except NoAnswerError as error:
            silence[0] = str(error)
        return bool(answers)

    try:
        if wait_until(answered, delay, LONGEST_SILENCE):
            return answers[0]
    except RefusedError as error:
        raise refusal(url, error) from error
    raise AnsibleAWSError(
        message=f"{url} does not answer ({silence[0]}). Check its name in DNS, that its load balancer lets this "
        "machine in (load_balancer_scheme, load_balancer_allowed_cidrs), and the web servers."
    )


def ready(api: AirflowApi, params: dict[str, Any]) -> bool:
    """Return when Airflow knows the DAG and lets its runs start: whether it was paused until now."""
    dag_id, delay = params["dag_id"], params["wait_delay"]
    found: list[dict[str, Any]] = []

    def known() -> bool:
        dag = patiently(params["url"], lambda: api.dag(dag_id), delay)
        found.extend([dag] if dag else [])
        return bool(found)

    if not wait_until(known, delay, params["wait_timeout"]):
        raise AnsibleAWSError(
            message=f"Airflow does not know the DAG {dag_id} after {params['wait_timeout']} seconds. Is it in the "
            "image, repository or bucket of this environment (airflow_dags_source), and is there an import error?"
        )
    paused = bool(found[0].get("is_paused"))
    if paused and not params["unpause"]:
        raise AnsibleAWSError(message=f"The DAG {dag_id} is paused. Unpause it in Airflow, or set unpause.")
    if paused:
        patiently(params["url"], lambda: api.pause(dag_id, False), delay)
    return paused


def ended(api: AirflowApi, run_id: str, params: dict[str, Any]) -> dict[str, Any]:
    """The run when it has ended with success."""
    dag_id, delay = params["dag_id"], params["wait_delay"]
    state = ["queued"]

    def finished() -> bool:
        run = patiently(params["url"], lambda: api.run(dag_id, run_id), delay)
        state[0] = str(run["state"]) if run else "deleted"
        return state[0] in (*FINISHED, "deleted")

    over = wait_until(finished, delay, params["wait_timeout"])
    page = page_of(params["url"], dag_id, run_id)
    if not over:
        raise AnsibleAWSError(
            message=f"The run {run_id} of {dag_id} is still {state[0]} after {params['wait_timeout']} seconds, and "
            f"goes on. Look at its tasks ({page}), and at the workers and the scheduler."
        )
    if state[0] != "success":
        failed = (
            patiently(params["url"], lambda: api.failed_tasks(dag_id, run_id), delay) if state[0] == "failed" else []
        )
        named = f"; failed tasks: {', '.join(failed)}" if failed else ""
        raise AnsibleAWSError(message=f"The run {run_id} of {dag_id} is {state[0]}{named}. Their logs are at {page}.")
    return {"dag_id": dag_id, "run_id": run_id, "state": state[0], "url": page}


def page_of(url: str, dag_id: str, run_id: str | None = None) -> str:
    """The page in Airflow's user interface."""
    return f"{url.rstrip('/')}/dags/{dag_id}" + (f"/runs/{run_id}" if run_id else "")


def work(module: AnsibleAWSModule) -> dict[str, Any]:
    """Start the run and wait for it, except in check mode."""
    params = module.params
    url, dag_id = params["url"], params["dag_id"]
    if not url.startswith("https://"):
        raise AnsibleAWSError(message=f"url must begin with https://, not be {url}: a password goes there.")
    if module.check_mode:
        run = {"dag_id": dag_id, "run_id": None, "state": None, "url": page_of(url, dag_id)}
        return {"changed": True, "dag_run": run}
    arn = params["certificate_arn"]
    api = AirflowApi(url, "\n".join(get_certificate(client(module, "acm"), arn)) if arn else None)
    username, password = credentials(client(module, "secretsmanager"), params["secret_name"])
    patiently(url, lambda: api.log_in(username, password), params["wait_delay"])
    was_paused = ready(api, params)
    # With an id of ours, a request whose answer is lost can be repeated.
    run_id = f"sm2a__{datetime.now(UTC).isoformat()}"
    try:
        patiently(url, lambda: api.start(dag_id, run_id, params["conf"]), params["wait_delay"])
        return {"changed": True, "dag_run": ended(api, run_id, params)}
    finally:
        if was_paused:
            patiently(url, lambda: api.pause(dag_id, True), params["wait_delay"])


def main() -> None:
    """Run the DAG."""
    module = AnsibleAWSModule(
        argument_spec={
            "url": {"type": "str", "required": True},
            "secret_name": {"type": "str", "required": True, "no_log": False},
            "certificate_arn": {"type": "str"},
            "dag_id": {"type": "str", "required": True},
            "conf": {"type": "dict", "default": {}},
            "unpause": {"type": "bool", "default": False},
            "wait_delay": {"type": "int", "default": 5},
            "wait_timeout": {"type": "int", "default": 900},
        },
        supports_check_mode=True,
    )
    exit_with(module, lambda: work(module))


if __name__ == "__main__":
    main()
