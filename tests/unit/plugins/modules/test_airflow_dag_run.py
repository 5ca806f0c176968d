# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""airflow_dag_run against a stand-in for Airflow, with its secret and its certificate in the local AWS."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.modules import airflow_dag_run
from ansible_collections.sm2a.airflow.tests.support import modules as support
from ansible_collections.sm2a.airflow.tests.support.airflow_stand_in import DAG, TOKEN, USER, Airflow, serving
from ansible_collections.sm2a.airflow.tests.support.certificate import Authority

MODULE = "airflow_dag_run"
PAIR = Authority("airflow").issue("127.0.0.1")


@pytest.fixture(scope="session")
def aws_endpoint(local_aws_endpoint: str) -> str:
    """With certificates."""
    return local_aws_endpoint


@pytest.fixture
def airflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Airflow]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving(PAIR, tmp_path) as server:
        yield server


@pytest.fixture
def secret(aws: Callable[[str], Any], unique_name: str) -> str:
    aws("secretsmanager").create_secret(Name=f"{unique_name}/admin", SecretString=json.dumps(USER))
    return f"{unique_name}/admin"


@pytest.fixture
def options(airflow: Airflow, aws: Callable[[str], Any], secret: str) -> dict[str, Any]:
    """Those of a run that succeeds."""
    made = aws("acm").import_certificate(Certificate=PAIR.certificate, PrivateKey=PAIR.private_key)
    return {
        "url": airflow.url,
        "secret_name": secret,
        "certificate_arn": made["CertificateArn"],
        "dag_id": DAG,
        "unpause": True,
        "wait_delay": 0,
        "wait_timeout": 20,
    }


def refusal(run_module: support.RunModule, options: dict[str, Any], **others: Any) -> str:
    """The message of the failure; it has neither the password nor the token."""
    with pytest.raises(support.ModuleFailedError) as failure:
        run_module(MODULE, {**options, **others})
    told = json.dumps(failure.value.result)
    assert USER["password"] not in told
    assert TOKEN not in told
    return str(failure.value.result["msg"])


def test_a_run_is_started_once_and_waited_for(
    run_module: support.RunModule, airflow: Airflow, options: dict[str, Any]
) -> None:
    result = run_module(MODULE, {**options, "conf": {"tasks": 2}})
    [run_id] = airflow.runs
    assert result["changed"]
    assert result["dag_run"] == {
        "dag_id": DAG,
        "run_id": run_id,
        "state": "success",
        "url": f"{airflow.url}/dags/{DAG}/runs/{run_id}",
    }
    assert airflow.runs == {run_id: {"tasks": 2}}
    assert airflow.paused, "it was paused before"
    assert USER["password"] not in json.dumps(result)


def test_check_mode_asks_airflow_nothing(
    run_module: support.RunModule, airflow: Airflow, options: dict[str, Any]
) -> None:
    result = run_module(MODULE, options, check=True)
    assert result["changed"]
    assert result["dag_run"] == {"dag_id": DAG, "run_id": None, "state": None, "url": f"{airflow.url}/dags/{DAG}"}
    assert airflow.asked == []


def test_lost_answers_start_no_second_run(
    run_module: support.RunModule, airflow: Airflow, options: dict[str, Any]
) -> None:
    airflow.broken, airflow.unknown, airflow.loses_start = 2, 2, True
    assert run_module(MODULE, options)["dag_run"]["state"] == "success"
    assert len(airflow.runs) == 1
    assert len([asked for asked in airflow.asked if asked.startswith("POST /api")]) == 2


def test_a_failed_run_names_its_tasks(run_module: support.RunModule, airflow: Airflow, options: dict[str, Any]) -> None:
    airflow.states = ["running", "failed"]
    said = refusal(run_module, options)
    assert "is failed; failed tasks: add, square. Their logs are at https://127.0.0.1:" in said
    assert airflow.paused, "it was paused before"


def test_a_dag_that_was_not_paused_stays_so(
    run_module: support.RunModule, airflow: Airflow, options: dict[str, Any]
) -> None:
    airflow.paused = False
    run_module(MODULE, options)
    assert not airflow.paused


@pytest.mark.parametrize(
    ("state", "said"), [("running", "is still running after 1 seconds"), ("deleted", "is deleted")]
)
def test_a_run_that_does_not_succeed(
    run_module: support.RunModule, airflow: Airflow, options: dict[str, Any], state: str, said: str
) -> None:
    airflow.states = [state]
    assert said in refusal(run_module, options, wait_timeout=1)


def test_a_dag_that_airflow_does_not_know(
    run_module: support.RunModule, airflow: Airflow, options: dict[str, Any]
) -> None:
    airflow.unknown = 10**6
    assert f"Airflow does not know the DAG {DAG} after 1 seconds" in refusal(run_module, options, wait_timeout=1)
    assert airflow.runs == {}


def test_a_paused_dag_is_left_paused_unless_told_otherwise(
    run_module: support.RunModule, airflow: Airflow, options: dict[str, Any]
) -> None:
    assert "is paused" in refusal(run_module, options, unpause=False)
    assert (airflow.paused, airflow.runs) == (True, {})


@pytest.mark.parametrize(
    ("status", "said"), [(401, "another password"), (302, "load_balancer_oidc"), (403, "role Op"), (421, "this name")]
)
def test_a_login_that_is_refused(
    run_module: support.RunModule, airflow: Airflow, options: dict[str, Any], status: int, said: str
) -> None:
    airflow.login_status = status
    assert said in refusal(run_module, options)


def test_a_certificate_that_nobody_trusts(
    run_module: support.RunModule, airflow: Airflow, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(airflow_dag_run, "LONGEST_SILENCE", 0)
    said = refusal(run_module, {name: value for name, value in options.items() if name != "certificate_arn"})
    assert "does not answer" in said
    assert "certificate verify failed" in said
    assert airflow.asked == []


def test_a_secret_that_is_not_there(run_module: support.RunModule, options: dict[str, Any], unique_name: str) -> None:
    assert "there is no such secret" in refusal(run_module, options, secret_name=f"{unique_name}/other")


def test_a_secret_without_a_user(
    run_module: support.RunModule, aws: Callable[[str], Any], options: dict[str, Any], secret: str
) -> None:
    aws("secretsmanager").put_secret_value(SecretId=secret, SecretString=USER["password"])
    assert "no JSON with username" in refusal(run_module, options)


def test_a_password_goes_through_tls_only(run_module: support.RunModule, options: dict[str, Any]) -> None:
    assert "must begin with https://" in refusal(run_module, options, url="http://airflow.example.com")
