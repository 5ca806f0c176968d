# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Celery's settings: JSON and our result backend, whatever Airflow, Celery's defaults or the environment say."""

import importlib
import sys
from configparser import ConfigParser
from pathlib import Path
from types import ModuleType
from typing import Any

import celery
import pytest
import sm2a_runtime
from sm2a_runtime.celery.result_backend import ResultBackend

URI = "postgresql+psycopg2://results:p%40ss@db.internal:5433/airflow_results?sslmode=verify-full"


def settings(monkeypatch: pytest.MonkeyPatch, **airflows: Any) -> dict[str, Any]:
    """What becomes of Airflow's settings."""
    module = ModuleType("default_celery")
    vars(module)["DEFAULT_CELERY_CONFIG"] = {"broker_url": "sqs://", "result_backend": f"db+{URI}", **airflows}
    monkeypatch.setitem(sys.modules, "airflow.providers.celery.executors.default_celery", module)
    monkeypatch.delitem(sys.modules, "sm2a_runtime.celery.configuration", raising=False)
    config: dict[str, Any] = importlib.import_module("sm2a_runtime.celery.configuration").CELERY_CONFIG
    return config


def test_an_application_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    config = settings(monkeypatch, accept_content=["pickle"], task_serializer="pickle", worker_concurrency=4)
    app = celery.Celery("airflow", config_source=config, set_as_current=False)
    assert isinstance(app.backend, ResultBackend)
    assert app.backend.url == URI
    assert app.conf.accept_content == app.conf.result_accept_content == ["json"]
    assert {app.conf.task_serializer, app.conf.result_serializer, app.conf.event_serializer} == {"json"}
    assert app.conf.worker_concurrency == 4


@pytest.mark.parametrize("backend", ["redis://localhost", "rpc://", "cache+memory://", "db", ""])
def test_another_backend_is_refused(monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    with pytest.raises(ValueError, match=r"begin with db\+"):
        settings(monkeypatch, result_backend=backend)


def test_the_environment_does_not_undo_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERY_RESULT_BACKEND", "db+sqlite://")
    with pytest.raises(ValueError, match="CELERY_RESULT_BACKEND is set"):
        settings(monkeypatch)


def test_the_image_names_them() -> None:
    """In its airflow.cfg, and so in every process; the option in the environment is refused (airflow_config)."""
    parser = ConfigParser()
    parser.read(Path(sm2a_runtime.__file__).parents[1] / "airflow.cfg")
    assert parser["celery"]["celery_config_options"] == "sm2a_runtime.celery.configuration.CELERY_CONFIG"
