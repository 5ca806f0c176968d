# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A control-plane AWS emulator for module tests, and the helpers that run modules against it.

Every test process (pytest-xdist worker) has an emulator of its own; tests of one process share it,
so each test names its resources with ``unique_name``.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from unittest import mock

import boto3
import botocore.loaders
import botocore.session
import pytest
from ansible_collections.sm2a.airflow.tests.support import modules as support
from ansible_collections.sm2a.airflow.tests.support.emulators import aws_endpoint, local_aws

__all__ = ["aws_endpoint"]


@pytest.fixture(scope="session")
def local_aws_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of this project's local AWS without a container engine: what MiniStack lacks is there, one-off tasks end.

    A test file that needs it overrides ``aws_endpoint`` with it.
    """
    with local_aws(tmp_path_factory.mktemp("local_aws")) as url:
        yield url


@pytest.fixture(scope="session", autouse=True)
def shared_service_models() -> Iterator[None]:
    """Parse botocore's models once per test process; every module run makes clients anew and would parse them again."""
    loader = botocore.loaders.create_loader()
    with mock.patch.object(botocore.session, "create_loader", lambda *_arguments: loader):
        yield


@pytest.fixture
def aws_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Test credentials, no profile and no endpoint of the person who runs the tests."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    # Ansible masks a secret key wherever it appears in a module's output: it must not be part of any name.
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-real-secret-key")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)


@pytest.fixture
def run_module(aws_endpoint: str, aws_environment: None) -> support.RunModule:
    """Run a module of this collection against the emulator; region and endpoint are filled in."""

    def run(name: str, args: Mapping[str, Any], check: bool = False, diff: bool = True) -> support.Result:
        connection = {"region": support.REGION, "endpoint_url": aws_endpoint}
        return support.run(name, {**connection, **args}, check=check, diff=diff)

    return run


@pytest.fixture
def ladder(run_module: support.RunModule) -> Callable[..., support.Ladder]:
    """``ladder(name, present, absent, read_state)``: see support.climb."""

    def climb(
        name: str, present: Mapping[str, Any], absent: Mapping[str, Any], read_state: Callable[[], Any]
    ) -> support.Ladder:
        return support.climb(run_module, name, present, absent, read_state)

    return climb


@pytest.fixture
def own_ladder(
    request: pytest.FixtureRequest,
    ladder: Callable[..., support.Ladder],
    present: dict[str, Any],
    absent: dict[str, Any],
    read_state: Callable[[], Any],
) -> Callable[..., support.Ladder]:
    """``own_ladder()`` climbs for the test file's MODULE with the file's fixtures present, absent and read_state.

    Keyword arguments are further options of the resource that is present.
    """
    return lambda **options: ladder(request.module.MODULE, {**present, **options}, absent, read_state)


@pytest.fixture
def made(
    request: pytest.FixtureRequest, run_module: support.RunModule, present: dict[str, Any], absent: dict[str, Any]
) -> Iterator[support.Result]:
    """What the test file's MODULE returned for the file's fixture present; what it made goes after the test."""
    yield run_module(request.module.MODULE, present)
    run_module(request.module.MODULE, absent)


@pytest.fixture
def aws(aws_endpoint: str, aws_environment: None) -> Callable[[str], Any]:
    """``aws("ecs")`` is a plain boto3 client of the emulator, to read what a module really did."""
    return lambda service: boto3.client(service, region_name=support.REGION, endpoint_url=aws_endpoint)


@pytest.fixture
def unique_name() -> str:
    """A resource name that no other test uses."""
    return f"sm2a-test-{uuid.uuid4().hex[:8]}"
