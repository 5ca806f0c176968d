# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""secretsmanager_secret and secretsmanager_secret_info against the emulator. No value may ever come out of them."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils.secretsmanager import api
from ansible_collections.sm2a.airflow.plugins.module_utils.secretsmanager import values as secret_values
from ansible_collections.sm2a.airflow.tests.support import modules as support
from ansible_collections.sm2a.airflow.tests.support.access import allowed
from ansible_collections.sm2a.airflow.tests.unit.plugins.lost_replies import lose_replies
from botocore.exceptions import ClientError

Aws = Callable[[str], Any]
GIVEN = "postgres://reader:Tr0ub4dor@warehouse"


def value(aws: Aws, name: str) -> str:
    """The stored value."""
    text: str = aws("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
    return text


def everything(name: str) -> dict[str, Any]:
    """One secret of every kind; the composed one follows its source."""
    return {
        "secrets": [
            {"name": f"{name}/fernet", "description": "Encrypts connections", "generate": {"kind": "fernet_key"}},
            {"name": f"{name}/user", "generate_json": {"username": "airflow", "password": {"generate": "password"}}},
            {
                "name": f"{name}/uri",
                "compose": {"source": f"{name}/user", "template": "postgresql://{username}:{password}@db:5432/a"},
            },
            {"name": f"{name}/given", "value": GIVEN},
        ],
        "tags": {"team": "data"},
    }


def names(name: str) -> list[str]:
    return [secret["name"] for secret in everything(name)["secrets"]]


def read_all(aws: Aws, name: str) -> dict[str, Any]:
    """Value, metadata and tags of every secret that is there and not scheduled for deletion."""
    found = {}
    for each in names(name):
        secret = api.describe_secret(aws("secretsmanager"), each)
        if secret and not secret.get("DeletedDate"):
            found[each] = (value(aws, each), api.view(secret))
    return found


def assert_nothing_leaks(result: support.Result, values: list[str]) -> None:
    """No stored value, nor a password inside one, is part of what the module printed."""
    printed = json.dumps(result)
    for each in values:
        parts = [each, unquote(each)]
        if each.startswith("{"):
            parts += [json.loads(each)["password"]]
        for part in parts:
            assert part not in printed


@pytest.mark.parametrize("removal", [{"recovery_window_in_days": 7}, {"force": True}])
def test_ladder(ladder: Callable[..., support.Ladder], aws: Aws, unique_name: str, removal: dict[str, Any]) -> None:
    seen: list[str] = []

    def read() -> dict[str, Any]:
        state = read_all(aws, unique_name)
        seen.extend(text for text, _ in state.values())
        return state

    absent = {"state": "absent", "secrets": [{"name": each} for each in names(unique_name)], **removal}
    rungs = ladder("secretsmanager_secret", everything(unique_name), absent, read)

    assert len(seen) >= 4
    for result in (rungs.predicted, rungs.applied, rungs.repeated, rungs.removed):
        assert_nothing_leaks(result, seen)
    assert [secret["name"] for secret in rungs.predicted["secrets"]] == names(unique_name)
    assert all(secret["arn"].startswith("arn:aws:secretsmanager:") for secret in rungs.predicted["secrets"])


def test_generated_values_are_real(run_module: support.RunModule, aws: Aws, unique_name: str) -> None:
    run_module("secretsmanager_secret", everything(unique_name))
    fernet = value(aws, f"{unique_name}/fernet")
    assert len(base64.urlsafe_b64decode(fernet)) == 32
    user = json.loads(value(aws, f"{unique_name}/user"))
    assert user["username"] == "airflow"
    assert re.fullmatch(r"[A-Za-z0-9]{32}", user["password"])
    assert value(aws, f"{unique_name}/uri") == f"postgresql://airflow:{user['password']}@db:5432/a"


def test_pending_deletion_is_restored_with_its_value(run_module: support.RunModule, aws: Aws, unique_name: str) -> None:
    present = everything(unique_name)
    run_module("secretsmanager_secret", present)
    before = read_all(aws, unique_name)
    run_module("secretsmanager_secret", {"state": "absent", "secrets": [{"name": each} for each in names(unique_name)]})
    assert not read_all(aws, unique_name)

    predicted = run_module("secretsmanager_secret", present, check=True)
    restored = run_module("secretsmanager_secret", present)
    assert predicted["changed"] and restored["changed"]
    assert predicted["diff"] == restored["diff"]
    assert read_all(aws, unique_name) == before


def test_composed_value_follows_source_and_template(run_module: support.RunModule, aws: Aws, unique_name: str) -> None:
    present = everything(unique_name)
    run_module("secretsmanager_secret", present)
    awkward = {"username": "airflow", "password": "p@ss/w:rd?#{}"}
    aws("secretsmanager").put_secret_value(SecretId=f"{unique_name}/user", SecretString=json.dumps(awkward))

    predicted = run_module("secretsmanager_secret", present, check=True)
    assert [secret["changed"] for secret in predicted["secrets"]] == [False, False, True, False]
    result = run_module("secretsmanager_secret", present)
    assert [secret["changed"] for secret in result["secrets"]] == [False, False, True, False]
    assert value(aws, f"{unique_name}/uri") == "postgresql://airflow:p%40ss%2Fw%3Ard%3F%23%7B%7D@db:5432/a"
    assert_nothing_leaks(result, [value(aws, each) for each in names(unique_name)])

    present["secrets"][2]["compose"]["template"] += "?sslmode=require"
    assert run_module("secretsmanager_secret", present, check=True)["changed"]
    run_module("secretsmanager_secret", present)
    assert value(aws, f"{unique_name}/uri").endswith("/a?sslmode=require")
    assert not run_module("secretsmanager_secret", present)["changed"]


def test_json_template_sets_literals_and_keeps_the_rest(
    run_module: support.RunModule, aws: Aws, unique_name: str
) -> None:
    def apply(template: dict[str, Any]) -> bool:
        result = run_module("secretsmanager_secret", {"secrets": [{"name": unique_name, "generate_json": template}]})
        return bool(result["changed"])

    assert apply({"username": "first", "password": {"generate": "password"}})
    password = json.loads(value(aws, unique_name))["password"]
    assert apply(
        {"username": "second", "password": {"generate": "token", "length": 5}, "pin": {"generate": "password"}}
    )
    stored = json.loads(value(aws, unique_name))
    assert (stored["username"], stored["password"], len(stored["pin"])) == ("second", password, 32)
    assert not apply({"username": "second"})


def test_given_value_is_compared_by_meaning(run_module: support.RunModule, aws: Aws, unique_name: str) -> None:
    def apply(given: Any) -> support.Result:
        return run_module("secretsmanager_secret", {"secrets": [{"name": unique_name, "value": given}]})

    assert apply({"login": "user-of-smtp", "password": "correct horse"})["changed"]
    assert not apply('{"password": "correct horse",  "login": "user-of-smtp"}')["changed"]
    changed = apply({"login": "user-of-smtp", "password": "battery staple"})
    assert changed["changed"]
    assert_nothing_leaks(changed, [value(aws, unique_name), "battery staple", "user-of-smtp"])


def test_metadata_is_changed_without_touching_the_value(
    run_module: support.RunModule, aws: Aws, unique_name: str
) -> None:
    secret = {"name": unique_name, "generate": {"kind": "token"}}
    run_module("secretsmanager_secret", {"secrets": [secret], "tags": {"a": "1"}})
    stored = value(aws, unique_name)
    change = {
        "secrets": [{"name": unique_name, "description": "Signs sessions"}],
        "kms_key_id": "alias/sm2a",
        "tags": {"b": 2},
    }
    assert run_module("secretsmanager_secret", change, check=True)["changed"]
    result = run_module("secretsmanager_secret", change)
    after = api.view(aws("secretsmanager").describe_secret(SecretId=unique_name))
    assert (after["description"], after["kms_key_id"], after["tags"]) == ("Signs sessions", "alias/sm2a", {"b": "2"})
    assert value(aws, unique_name) == stored
    assert result["secrets"][0]["version_id"] == after["version_id"]
    assert not run_module("secretsmanager_secret", change)["changed"]


def test_resource_policy_is_set_and_removed(run_module: support.RunModule, aws: Aws, unique_name: str) -> None:
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "secretsmanager:*",
                "Resource": "*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }

    def apply(wanted: Any, check: bool = False) -> bool:
        secret = {"name": unique_name, "generate": {"kind": "token"}, "policy": wanted}
        return bool(run_module("secretsmanager_secret", {"secrets": [secret]}, check=check)["changed"])

    def stored() -> Any:
        return api.resource_policy(aws("secretsmanager"), unique_name)

    assert apply(policy)
    assert stored() == policy
    assert not apply(json.dumps(policy))
    assert apply({}, check=True)
    assert stored() == policy
    assert apply({})
    assert stored() == {}
    assert not apply({})


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        ({"description": "nothing to create it with"}, "does not exist, and no value for its creation"),
        (
            {"compose": {"source": "sm2a-nowhere", "template": "{a}"}},
            "sm2a-nowhere, from which other secrets are composed",
        ),
        ({"generate": {"kind": "password", "characters": "aaa"}}, "two distinct characters"),
        ({"generate_json": {"password": {"generate": "pin"}}}, "Cannot generate 'pin'"),
        ({"generate": {"kind": "token"}, "value": "two sources"}, "mutually exclusive"),
        ({"value_from": {}}, "one of the following is required"),
        ({"value_from": {"environment": "HOME", "file": "/etc/hostname"}}, "mutually exclusive"),
        ({"value_from": {"environment": "SM2A_NOWHERE"}}, "Environment variable SM2A_NOWHERE, the source of secret"),
        ({"value_from": {"file": "/nonexistent/secret"}}, "No such file or directory"),
        ({"value_from": {"file": "relative"}}, "must be an absolute path"),
        ({"value_from": {"secret": "sm2a-nowhere"}}, "Secret sm2a-nowhere, the source of secret"),
    ],
)
def test_errors_say_what_is_wrong(
    run_module: support.RunModule, unique_name: str, secret: dict[str, Any], message: str
) -> None:
    with pytest.raises(support.ModuleFailedError, match=message):
        run_module("secretsmanager_secret", {"secrets": [{"name": unique_name, **secret}]})


def test_errors_name_the_missing_key_and_no_value(run_module: support.RunModule, unique_name: str) -> None:
    present = everything(unique_name)
    present["secrets"][2]["compose"]["template"] = "{username}:{passphrase}"
    with pytest.raises(support.ModuleFailedError, match="has no key passphrase") as failure:
        run_module("secretsmanager_secret", present)
    assert_nothing_leaks(failure.value.result, [GIVEN])


def test_a_lost_reply_to_creation_keeps_the_first_value(
    run_module: support.RunModule, aws: Aws, unique_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run creates the secret between the look and the creation: its value stays."""
    aws("secretsmanager").create_secret(Name=unique_name, SecretString="the first value")
    real, calls = api.describe_secret, []

    def first_call_sees_nothing(client: Any, name: str) -> Any:
        calls.append(name)
        return None if len(calls) == 1 else real(client, name)

    monkeypatch.setattr(api, "describe_secret", first_call_sees_nothing)
    run_module("secretsmanager_secret", {"secrets": [{"name": unique_name, "generate": {"kind": "token"}}]})
    assert value(aws, unique_name) == "the first value"


@pytest.mark.parametrize("source", ["environment", "file", "secret", "key"])
def test_a_value_is_taken_from_its_source(
    run_module: support.RunModule, aws: Aws, unique_name: str, tmp_path: Path, *, source: str, monkeypatch: Any
) -> None:
    """Taken once, taken again when the source changes, and shown nowhere."""
    values = [f"postgresql://reader:{word}-{unique_name}@warehouse" for word in ("first", "second")]
    other = aws("secretsmanager").create_secret(Name=f"{unique_name}-other", SecretString="{}")["ARN"]

    def put(text: str) -> dict[str, str]:
        if source == "environment":
            monkeypatch.setenv("SM2A_WAREHOUSE", text)
            return {"environment": "SM2A_WAREHOUSE"}
        if source == "file":
            (tmp_path / "warehouse").write_text(f"{text}\n")
            return {"file": str(tmp_path / "warehouse")}
        inside = json.dumps({"uri": text, "more": 1})
        aws("secretsmanager").put_secret_value(SecretId=other, SecretString=inside if source == "key" else text)
        return {"secret": other, **({"key": "uri"} if source == "key" else {})}

    for text in values:
        secret = {"name": unique_name, "value_from": put(text)}
        result = run_module("secretsmanager_secret", {"secrets": [secret]}, check=True)
        assert result["changed"]
        result = run_module("secretsmanager_secret", {"secrets": [secret]})
        assert result["changed"]
        assert value(aws, unique_name) == text
        assert_nothing_leaks(result, values)
        assert not run_module("secretsmanager_secret", {"secrets": [secret]})["changed"]


def test_errors_about_a_source_show_no_value(run_module: support.RunModule, aws: Aws, unique_name: str) -> None:
    aws("secretsmanager").create_secret(Name=f"{unique_name}-other", SecretString='{"password": "Tr0ub4dor"}')
    source = {"secret": f"{unique_name}-other", "key": "passphrase"}
    with pytest.raises(support.ModuleFailedError, match="has no key passphrase") as failure:
        run_module("secretsmanager_secret", {"secrets": [{"name": unique_name, "value_from": source}]})
    assert_nothing_leaks(failure.value.result, ["Tr0ub4dor"])


def test_a_secret_has_tags_of_its_own(run_module: support.RunModule, aws: Aws, unique_name: str) -> None:
    secret = {"name": unique_name, "generate": {"kind": "token"}, "tags": {"source": "generated"}}
    present = {"secrets": [secret], "tags": {"team": "data"}}
    run_module("secretsmanager_secret", present)
    tags = api.view(aws("secretsmanager").describe_secret(SecretId=unique_name))["tags"]
    assert tags == {"team": "data", "source": "generated"}
    assert not run_module("secretsmanager_secret", present)["changed"]
    run_module("secretsmanager_secret", {"secrets": [{**secret, "tags": {}}], "tags": {"team": "data"}})
    tags = api.view(aws("secretsmanager").describe_secret(SecretId=unique_name))["tags"]
    assert tags == {"team": "data"}


@pytest.mark.parametrize("operation", ["CreateSecret", "PutSecretValue", "PutResourcePolicy", "RestoreSecret"])
def test_a_lost_reply_changes_nothing_twice(
    run_module: support.RunModule, aws: Aws, unique_name: str, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """botocore repeats CreateSecret and PutSecretValue with the token of the first attempt."""
    policy = support.deny_without_tls("secretsmanager:*", "*")
    secret = {"name": unique_name, "value": "the first value of it", "policy": policy}
    present = {"secrets": [secret]}
    if operation == "PutSecretValue":
        run_module("secretsmanager_secret", present)
        secret["value"] = "the second value of it"
    if operation == "RestoreSecret":
        run_module("secretsmanager_secret", present)
        run_module("secretsmanager_secret", {"state": "absent", "secrets": [{"name": unique_name}]})
    lost = lose_replies(monkeypatch, f"secretsmanager.{operation}")
    assert run_module("secretsmanager_secret", present)["changed"]
    assert len(lost) == 1
    assert value(aws, unique_name) == secret["value"]
    assert not run_module("secretsmanager_secret", present)["changed"]


def test_a_lost_reply_to_deletion_is_survived(
    run_module: support.RunModule, aws: Aws, unique_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_module("secretsmanager_secret", {"secrets": [{"name": unique_name, "value": "a value"}]})
    lost = lose_replies(monkeypatch, "secretsmanager.DeleteSecret")
    assert run_module("secretsmanager_secret", {"state": "absent", "secrets": [{"name": unique_name}]})["changed"]
    assert len(lost) == 1
    assert aws("secretsmanager").describe_secret(SecretId=unique_name)["DeletedDate"]


def test_generation_honours_length_and_characters() -> None:
    assert re.fullmatch(r"[xy]{40}", secret_values.generate("password", 40, "xy"))
    assert re.fullmatch(r"[A-Za-z0-9_-]{64}", secret_values.generate("token"))
    assert secret_values.generate("password") != secret_values.generate("password")


def test_info_finds_by_name_prefix_and_tags(run_module: support.RunModule, unique_name: str) -> None:
    run_module("secretsmanager_secret", everything(unique_name))
    gone = f"{unique_name}/given"
    run_module("secretsmanager_secret", {"state": "absent", "secrets": [{"name": gone}]})

    def found(**arguments: Any) -> list[str]:
        return [secret["name"] for secret in run_module("secretsmanager_secret_info", arguments)["secrets"]]

    present = sorted(set(names(unique_name)) - {gone})
    assert sorted(found(name_prefix=f"{unique_name}/")) == present
    assert found(name_prefix=f"{unique_name}/", tags={"team": "other"}) == []
    assert found(names=[present[0], gone, "sm2a-nowhere"]) == present[:1]


class Reader:
    """Whom IAM allows everything, but the policy of a secret may not, for ``late`` reads more after it has changed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, arn: str) -> None:
        self.arn, self.late, self.slept = arn, 0, list[float]()
        self._read = api.secret_value
        monkeypatch.setattr(api, "secret_value", self.secret_value)
        monkeypatch.setattr(time, "sleep", self.slept.append)

    def secret_value(self, client: Any, name: str) -> str | None:
        everything = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
        policy = api.resource_policy(client, name)
        may = allowed(everything, "secretsmanager:GetSecretValue", name, {"aws:PrincipalArn": self.arn}, policy or None)
        if may and self.late:
            self.late, may = self.late - 1, False
        if not may:
            denied = {"Error": {"Code": "AccessDeniedException", "Message": "explicit deny in a resource-based policy"}}
            raise AnsibleAWSError(message="Failed to read", exception=ClientError(denied, "GetSecretValue"))
        return self._read(client, name)


def read_by(*arns: str) -> dict[str, Any]:
    """A policy that names the readers of a secret."""
    condition = {"ArnNotLike": {"aws:PrincipalArn": list(arns)}}
    read = {"Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*", "Condition": condition}
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", **read}]}


def test_a_new_deployer_becomes_a_reader_before_values_are_compared(
    run_module: support.RunModule, aws: Aws, unique_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob = "arn:aws:iam::000000000000:user/ann", "arn:aws:iam::000000000000:user/bob"

    def deploy(who: str, check: bool = False) -> dict[str, Any]:
        user = {"name": f"{unique_name}/user", "generate_json": {"password": {"generate": "password"}}}
        uri = {
            "name": f"{unique_name}/uri",
            "compose": {"source": f"{unique_name}/user", "template": "db://{password}"},
        }
        given = {"name": f"{unique_name}/given", "value": GIVEN}
        secrets = [{**secret, "policy": read_by(who)} for secret in (user, uri, given)]
        return run_module("secretsmanager_secret", {"secrets": secrets}, check=check)

    reader = Reader(monkeypatch, ann)
    first = deploy(ann)
    reader.arn, reader.late = bob, 2
    checked = deploy(bob, check=True)
    assert [secret["changed"] for secret in checked["secrets"]] == [True] * 3
    assert any("is not compared" in str(warning) for warning in checked.get("warnings", []))
    assert api.resource_policy(aws("secretsmanager"), f"{unique_name}/given") == read_by(ann)
    second = deploy(bob)
    assert reader.slept, "a policy takes a moment to reach all of Secrets Manager"
    versions = [[secret["version_id"] for secret in run["secrets"]] for run in (first, checked, second)]
    assert versions == [versions[0]] * 3
    assert not deploy(bob)["changed"]


def test_who_is_no_reader_is_refused(
    run_module: support.RunModule, unique_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = {"name": unique_name, "value": GIVEN, "policy": read_by("arn:aws:iam::000000000000:user/ann")}
    run_module("secretsmanager_secret", {"secrets": [secret]})
    reader = Reader(monkeypatch, "arn:aws:iam::000000000000:user/bob")
    for check in (False, True):
        with pytest.raises(support.ModuleFailedError, match="Failed to read"):
            run_module("secretsmanager_secret", {"secrets": [secret]}, check=check)
    assert not reader.slept


def test_info_makes_up_what_check_mode_did_not_create(run_module: support.RunModule, unique_name: str) -> None:
    [secret] = support.placeholders(run_module, "secretsmanager_secret_info", {"names": [unique_name]}, "secrets")
    predicted = run_module("secretsmanager_secret", {"secrets": [{"name": unique_name, "value": "v"}]}, check=True)
    assert secret["arn"] == predicted["secrets"][0]["arn"]
    assert secret["arn"].startswith(f"arn:aws:secretsmanager:{support.REGION}:{support.ACCOUNT}:secret:{unique_name}-")
