# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What is loaded before the workers are forked is what the modules use, and the forks find it."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from unittest.mock import patch

import boto3
import botocore.loaders
import botocore.session
import pytest
from ansible_collections.sm2a.airflow.plugins.plugin_utils.forked_module import ForkedModule
from ansible_collections.sm2a.airflow.plugins.plugin_utils.forked_process import run_forked
from ansible_collections.sm2a.airflow.plugins.plugin_utils.loaded_libraries import SERVICES, Libraries

PROJECT = Path(__file__).resolve().parents[4]
MODULES = sorted(path.stem for path in (PROJECT / "plugins/modules").glob("*.py"))
# How the modules make their clients: client(module, "sqs"), clients("sqs"), ec2_client(module), route53_client(module).
CLIENT = re.compile(r"""\bclients?\((?:module, )?"([a-z0-9-]+)"|\b(ec2|route53)_client\(""")
KEYS = {"region_name": "eu-west-1", "aws_access_key_id": "none", "aws_secret_access_key": "none"}


@pytest.fixture(autouse=True)
def own_loader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests share one loader, which conftest.py makes."""
    monkeypatch.setattr(botocore.session, "create_loader", botocore.loaders.create_loader)


@pytest.mark.parametrize("module", sorted({*MODULES} - {"validate_variables", "role_inputs", "run_summary"}))
def test_services_are_those_whose_clients_the_module_makes(module: str) -> None:
    source = (PROJECT / f"plugins/modules/{module}.py").read_text(encoding="utf-8")
    assert set(SERVICES[module]) == {one or other for one, other in CLIENT.findall(source)}


@pytest.mark.parametrize("module", sorted(SERVICES))
def test_every_module_is_forked(module: str) -> None:
    assert module in MODULES
    action = importlib.import_module(f"ansible_collections.sm2a.airflow.plugins.action.{module}").ActionModule
    assert issubclass(action, ForkedModule)


def clients_without_files(libraries: Libraries, services: tuple[str, ...]) -> str:
    """Make clients in a fork that can read no model from a file; what went wrong."""

    def make() -> None:
        libraries.use()
        with patch.object(botocore.loaders.JSONFileLoader, "load_file", side_effect=AssertionError("a file is read")):
            for service in services:
                boto3.Session().client(service, **KEYS)

    done = run_forked(make, "clients", PROJECT, {})
    return done.stderr.decode()


def test_forks_find_the_models() -> None:
    libraries = Libraries()
    libraries.load_own("acm_certificate")
    assert clients_without_files(libraries, SERVICES["acm_certificate"]) == ""
    assert "a file is read" in clients_without_files(libraries, ("sqs",))


def test_settings_of_the_user_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "not-there")
    libraries = Libraries()
    libraries.load_own("sqs_queue")
    monkeypatch.delenv("AWS_PROFILE")
    assert clients_without_files(libraries, ("sqs",)) == ""


def test_other_models_are_found_where_the_environment_names_them(tmp_path: Path) -> None:
    libraries = Libraries()
    libraries.load_own("sqs_queue")

    def list_services() -> None:
        libraries.use()
        print("sm2a-test" in boto3.Session().get_available_services())

    (tmp_path / "sm2a-test/2020-01-01").mkdir(parents=True)
    (tmp_path / "sm2a-test/2020-01-01/service-2.json").write_text("{}")
    assert run_forked(list_services, "services", PROJECT, {"AWS_DATA_PATH": str(tmp_path)}).stdout == b"True\n"
    assert run_forked(list_services, "services", PROJECT, {}).stdout == b"False\n"


def test_module_that_cannot_be_loaded_is_left_to_itself() -> None:
    libraries = Libraries()
    with patch.object(importlib, "import_module", side_effect=ImportError("no boto3")):
        libraries.load_own("sqs_queue")
    libraries.use()
