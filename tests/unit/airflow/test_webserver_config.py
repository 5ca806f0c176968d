# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Workers know [api] secret_key; sign-in must not be signed with it."""

import runpy
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import sm2a_runtime

FILE = Path(sm2a_runtime.__file__).parents[1] / "webserver_config.py"


def load(monkeypatch: pytest.MonkeyPatch, options: dict[tuple[str, str], str]) -> dict[str, Any]:
    """The settings that the file makes when Airflow's options are these."""
    configuration = ModuleType("airflow.configuration")
    vars(configuration)["conf"] = SimpleNamespace(
        get=lambda section, key, fallback: options.get((section, key), fallback)
    )
    monkeypatch.setitem(sys.modules, "airflow", ModuleType("airflow"))
    monkeypatch.setitem(sys.modules, "airflow.configuration", configuration)
    manager = ModuleType("sm2a_runtime.front_door.security_manager")
    vars(manager)["SecurityManager"] = "limited"
    monkeypatch.setitem(sys.modules, "sm2a_runtime.front_door.security_manager", manager)
    return runpy.run_path(str(FILE))


def test_the_key_follows_the_jwt_secret_and_hides_it(monkeypatch: pytest.MonkeyPatch) -> None:
    one = load(monkeypatch, {("api_auth", "jwt_secret"): "first", ("api", "secret_key"): "worker"})["SECRET_KEY"]
    same = load(monkeypatch, {("api_auth", "jwt_secret"): "first", ("api", "secret_key"): "other"})["SECRET_KEY"]
    other = load(monkeypatch, {("api_auth", "jwt_secret"): "second", ("api", "secret_key"): "worker"})["SECRET_KEY"]
    assert one == same != other
    assert "first" not in one
    assert len(one) >= 64


def test_without_a_jwt_secret_airflow_keeps_its_own_key(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "SECRET_KEY" not in load(monkeypatch, {})


def test_passwords_are_checked_with_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, {})["SECURITY_MANAGER_CLASS"] == "limited"
