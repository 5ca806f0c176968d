# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Listeners of elbv2_load_balancer: OpenID Connect, the way of the client secret, rules that need no login, tags."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.elbv2 import oidc as elbv2_oidc
from ansible_collections.sm2a.airflow.tests.support import modules as support

MODULE = "elbv2_load_balancer"
CERTIFICATE = "arn:aws:acm:eu-west-1:000000000000:certificate/01234567-89ab-cdef-0123-456789abcdef"
SECRETS = ["canary-first-client-secret", "canary-second-client-secret"]
RULES = [{"priority": 1, "path_patterns": ["/api/v2/*"]}, {"priority": 2, "path_patterns": ["/auth/token"]}]


@pytest.fixture(scope="session")
def aws_endpoint(local_aws_endpoint: str) -> str:
    """Authentication has rules there, as on AWS."""
    return local_aws_endpoint


@pytest.fixture
def secret(aws: Callable[[str], Any], unique_name: str) -> str:
    """Name of the secret with the client secret."""
    aws("secretsmanager").create_secret(Name=unique_name, SecretString=json.dumps({"client_secret": SECRETS[0]}))
    return unique_name


@pytest.fixture
def oidc(secret: str) -> dict[str, Any]:
    return {
        "issuer": "https://login.example.com",
        "authorization_endpoint": "https://login.example.com/authorize",
        "token_endpoint": "https://login.example.com/token",
        "user_info_endpoint": "https://login.example.com/userinfo",
        "client_id": "airflow",
        "client_secret_name": secret,
        "client_secret_key": "client_secret",
    }


@pytest.fixture
def https(aws: Callable[[str], Any], unique_name: str, oidc: dict[str, Any]) -> dict[str, Any]:
    """An HTTPS listener with authentication and two rules."""
    group = {"Name": unique_name, "Protocol": "HTTP", "Port": 8080, "VpcId": "vpc-1", "TargetType": "ip"}
    made = aws("elbv2").create_target_group(**group)["TargetGroups"][0]["TargetGroupArn"]
    return {
        "port": 8443,
        "protocol": "HTTPS",
        "certificate_arn": CERTIFICATE,
        "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
        "target_group_arn": made,
        "authenticate_oidc": oidc,
        "rules": RULES,
    }


@pytest.fixture
def present(unique_name: str, https: dict[str, Any]) -> dict[str, Any]:
    subnets = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
    return {
        "name": unique_name,
        "subnet_ids": subnets,
        "security_group_ids": ["sg-0123456789abcdef0"],
        "listeners": [https],
        "tags": {"team": "data"},
    }


@pytest.fixture
def absent(unique_name: str) -> dict[str, Any]:
    return {"name": unique_name, "state": "absent"}


@pytest.fixture
def read_state(aws: Callable[[str], Any], unique_name: str) -> Callable[[], dict[str, Any]]:
    """The listener with its rules by priority and all tags; {} when there is none."""
    elbv2 = aws("elbv2")

    def read() -> dict[str, Any]:
        balancers = elbv2.describe_load_balancers()["LoadBalancers"]
        arns = [one["LoadBalancerArn"] for one in balancers if one["LoadBalancerName"] == unique_name]
        if not arns:
            return {}
        [listener] = elbv2.describe_listeners(LoadBalancerArn=arns[0])["Listeners"]
        rules = elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
        named = [listener["ListenerArn"], *(one["RuleArn"] for one in rules if not one["IsDefault"])]
        described = elbv2.describe_tags(ResourceArns=named)["TagDescriptions"]
        return {
            "actions": listener["DefaultActions"],
            "rules": {one["Priority"]: one for one in rules},
            "tags": {one["ResourceArn"]: {tag["Key"]: tag["Value"] for tag in one["Tags"]} for one in described},
        }

    return read


def with_listener(present: dict[str, Any], **change: Any) -> dict[str, Any]:
    return {**present, "listeners": [{**present["listeners"][0], **change}]}


def test_ladder(own_ladder: Callable[..., support.Ladder]) -> None:
    rungs = own_ladder()
    arn = rungs.predicted["load_balancer"]["load_balancer_arn"]
    assert rungs.predicted["diff"]["after"] == {**rungs.applied["diff"]["after"], "load_balancer_arn": arn}
    for rung in (rungs.predicted, rungs.applied, rungs.repeated, rungs.removed):
        assert "canary" not in json.dumps(rung)


def test_creation_sets_everything(
    run_module: support.RunModule,
    aws: Callable[[str], Any],
    present: dict[str, Any],
    read_state: Callable[[], dict[str, Any]],
    secret: str,
) -> None:
    run_module(MODULE, present)
    made = read_state()
    authenticate, forward = made["actions"]
    assert (authenticate["Type"], forward["Type"]) == ("authenticate-oidc", "forward")
    config = authenticate["AuthenticateOidcConfig"]
    assert config["TokenEndpoint"] == "https://login.example.com/token"
    assert config["SessionTimeout"] == 604800
    assert set(made["rules"]) == {"1", "2", "default"}
    rule = made["rules"]["1"]
    assert rule["Conditions"][0]["Values"] == ["/api/v2/*"]
    assert [action["Type"] for action in rule["Actions"]] == ["forward"], "no authentication there"
    [version] = aws("secretsmanager").describe_secret(SecretId=secret)["VersionIdsToStages"]
    listener_tags, *rule_tags = made["tags"].values()
    assert listener_tags == {"team": "data", elbv2_oidc.VERSION_TAG: version}
    assert rule_tags == [{"team": "data"}] * 2


def changes(https: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """One change of each managed field."""
    oidc = https["authenticate_oidc"]
    given = {
        "issuer": "https://other.example.com",
        "authorization_endpoint": "https://other.example.com/authorize",
        "token_endpoint": "https://other.example.com/token",
        "user_info_endpoint": "https://other.example.com/userinfo",
        "client_id": "other",
        "scope": "openid email",
        "session_cookie_name": "other",
        "session_timeout_seconds": 3600,
        "on_unauthenticated_request": "deny",
    }
    return {
        **{option: {"authenticate_oidc": {**oidc, option: value}} for option, value in given.items()},
        "one rule less": {"rules": RULES[:1]},
        "one rule more": {"rules": [*RULES, {"priority": 3, "path_patterns": ["/more", "/most"]}]},
        "another path": {"rules": [{"priority": 1, "path_patterns": ["/other"]}, RULES[1]]},
        "no rules": {"rules": []},
    }


def test_every_field_changes_and_settles(
    run_module: support.RunModule, present: dict[str, Any], read_state: Callable[[], dict[str, Any]]
) -> None:
    run_module(MODULE, present)
    for field, change in changes(present["listeners"][0]).items():
        before = read_state()
        options = with_listener(present, **change)
        support.change_once(run_module, MODULE, options, read_state)
        assert read_state() != before, field
        assert run_module(MODULE, present)["changed"], field
    assert not run_module(MODULE, present)["changed"]


def test_tags_and_rules_drift(
    run_module: support.RunModule,
    aws: Callable[[str], Any],
    present: dict[str, Any],
    read_state: Callable[[], dict[str, Any]],
) -> None:
    run_module(MODULE, present)
    made = read_state()
    elbv2 = aws("elbv2")
    for arn in made["tags"]:
        elbv2.add_tags(ResourceArns=[arn], Tags=[{"Key": "team", "Value": "other"}, {"Key": "more", "Value": "1"}])
    elbv2.modify_rule(RuleArn=made["rules"]["1"]["RuleArn"], Conditions=[{"Field": "path-pattern", "Values": ["/*"]}])
    elbv2.delete_rule(RuleArn=made["rules"]["2"]["RuleArn"])
    support.change_once(run_module, MODULE, present, read_state)
    repaired = read_state()
    made["rules"]["2"]["RuleArn"] = repaired["rules"]["2"]["RuleArn"]
    assert repaired["rules"] == made["rules"]
    assert list(repaired["tags"].values()) == list(made["tags"].values())


def test_rules_and_tags_that_are_not_set_are_left_alone(
    run_module: support.RunModule, present: dict[str, Any], read_state: Callable[[], dict[str, Any]]
) -> None:
    run_module(MODULE, present)
    made = read_state()
    bare = {key: value for key, value in with_listener(present).items() if key != "tags"}
    bare["listeners"][0].pop("rules")
    assert not run_module(MODULE, bare)["changed"]
    assert read_state() == made


def test_authentication_comes_and_goes(
    run_module: support.RunModule, present: dict[str, Any], read_state: Callable[[], dict[str, Any]]
) -> None:
    listener = {key: value for key, value in present["listeners"][0].items() if key != "authenticate_oidc"}
    without = {**present, "listeners": [{**listener, "rules": []}]}
    run_module(MODULE, without)
    bare = read_state()
    support.change_once(run_module, MODULE, present, read_state)
    assert len(read_state()["actions"]) == 2
    support.change_once(run_module, MODULE, without, read_state)
    assert read_state() == bare


class Recorder:
    """A client whose calls are kept."""

    def __init__(self, real: Any) -> None:
        self.real = real
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.real, name)
        if not name.startswith(("modify", "get_secret_value")):
            return found

        def called(**request: Any) -> Any:
            self.calls.append((name, request))
            return found(**request)

        return called


def test_the_secret_is_read_for_a_new_version_only(
    run_module: support.RunModule,
    aws: Callable[[str], Any],
    present: dict[str, Any],
    secret: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run_module(MODULE, present)
    elbv2, secrets = Recorder(aws("elbv2")), Recorder(aws("secretsmanager"))
    monkeypatch.setattr(
        "ansible_collections.sm2a.airflow.plugins.modules.elbv2_load_balancer.client",
        lambda _module, service: elbv2 if service == "elbv2" else secrets,
    )
    oidc = present["listeners"][0]["authenticate_oidc"]
    run_module(MODULE, with_listener(present, authenticate_oidc={**oidc, "client_id": "other"}))
    [(_name, request)] = elbv2.calls
    config = request["DefaultActions"][0]["AuthenticateOidcConfig"]
    assert config["UseExistingClientSecret"]
    assert "ClientSecret" not in config
    assert secrets.calls == []
    run_module(MODULE, present)
    aws("secretsmanager").put_secret_value(SecretId=secret, SecretString=json.dumps({"client_secret": SECRETS[1]}))
    elbv2.calls.clear()
    result = run_module(MODULE, present)
    assert result["changed"]
    assert "canary" not in json.dumps(result)
    assert elbv2.calls[0][1]["DefaultActions"][0]["AuthenticateOidcConfig"]["ClientSecret"] == SECRETS[1]
    assert len(secrets.calls) == 1
    assert not run_module(MODULE, present)["changed"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"client_secret_name": "unknown"}, "Secret unknown must hold the client secret .*, but has no value"),
        ({"client_secret_key": "other"}, "must be a JSON object with the key other"),
    ],
)
def test_a_wrong_secret_is_named(
    run_module: support.RunModule, present: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    oidc = {**present["listeners"][0]["authenticate_oidc"], **change}
    with pytest.raises(support.ModuleFailedError, match=message) as failure:
        run_module(MODULE, with_listener(present, authenticate_oidc=oidc))
    assert "canary" not in json.dumps(failure.value.result)


def test_a_plain_text_secret(
    run_module: support.RunModule, aws: Callable[[str], Any], present: dict[str, Any], secret: str
) -> None:
    aws("secretsmanager").put_secret_value(SecretId=secret, SecretString=SECRETS[0])
    oidc = {key: value for key, value in present["listeners"][0]["authenticate_oidc"].items() if "key" not in key}
    assert run_module(MODULE, with_listener(present, authenticate_oidc=oidc))["changed"]
