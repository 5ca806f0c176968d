# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The file that the credential type writes, as botocore reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.credentials import RefreshableCredentials
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

ROLE = "arn:aws:iam::123456789012:role/sm2a-deployer"
KEYS = {"access_key_id": "an-access-key-id", "secret_access_key": "a-secret-access-key"}


@pytest.fixture
def session(configuration: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make a session from the inputs of a credential, with the environment that a job gets and no other."""
    [kind] = configuration["controller_credential_types"]

    def make(**inputs: str) -> botocore.session.Session:
        given = {"region": "eu-west-1", **inputs}
        assert given.keys() <= {field["id"] for field in kind["inputs"]["fields"]}
        assert set(kind["inputs"]["required"]) <= given.keys()
        # As the controller renders it.
        environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
        text = environment.from_string(kind["injectors"]["file"]["template.aws_config"]).render(given)
        path = tmp_path / "config"
        path.write_text(text, encoding="utf-8")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        tower = {"filename": {"aws_config": str(path)}}
        for name, value in kind["injectors"]["env"].items():
            monkeypatch.setenv(name, environment.from_string(value).render(given, tower=tower))
        return botocore.session.Session()

    return make


def test_keys_assume_the_role_and_refresh(session: Any) -> None:
    made = session(role_arn=ROLE, external_id="an-external-id", **KEYS)
    assert made.get_config_variable("region") == "eu-west-1"
    credentials = made.get_credentials()
    assert isinstance(credentials, RefreshableCredentials)
    assert credentials.method == "assume-role"
    assert made.get_scoped_config() == {
        "region": "eu-west-1",
        "role_arn": ROLE,
        "role_session_name": "sm2a-controller",
        "external_id": "an-external-id",
        "source_profile": "source",
    }


@pytest.mark.parametrize("source", ["", "Ec2InstanceMetadata", "EcsContainer"])
def test_a_node_or_pod_assumes_the_role_without_keys(session: Any, source: str) -> None:
    given = {"credential_source": source} if source else {}
    found = session(role_arn=ROLE, **given).get_scoped_config()
    assert found["credential_source"] == (source or "Ec2InstanceMetadata")
    assert "source_profile" not in found


def test_keys_without_a_role_are_used_themselves(session: Any) -> None:
    credentials = session(**KEYS).get_credentials()
    assert (credentials.access_key, credentials.secret_key) == tuple(KEYS.values())


def test_without_a_role_and_keys_it_is_the_role_of_the_node(session: Any) -> None:
    made = session()
    assert made.get_scoped_config() == {"region": "eu-west-1"}
    # Nothing but the metadata of the node is left to ask, which is turned off here.
    assert made.get_credentials() is None


def test_an_endpoint_is_that_of_every_service(session: Any) -> None:
    made = session(endpoint_url="http://127.0.0.1:4566", **KEYS)
    assert made.create_client("sts").meta.endpoint_url == "http://127.0.0.1:4566"


def test_secret_fields_are_marked(configuration: dict[str, Any]) -> None:
    [kind] = configuration["controller_credential_types"]
    secret = {field["id"] for field in kind["inputs"]["fields"] if field.get("secret")}
    assert secret == {"external_id", "secret_access_key"}
