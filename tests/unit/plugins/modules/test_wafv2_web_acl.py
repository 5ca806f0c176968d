# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""wafv2_web_acl and wafv2_web_acl_association: the ladders, every field, lost replies, and who may not be removed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils import wafv2 as api
from ansible_collections.sm2a.airflow.tests.support import modules as support

MODULE = "wafv2_web_acl"
ASSOCIATION = "wafv2_web_acl_association"
COMMON = {"name": "AWSManagedRulesCommonRuleSet", "count_rules": ["SizeRestrictions_BODY"]}


@pytest.fixture(scope="session")
def aws_endpoint(local_aws_endpoint: str) -> str:
    """A web ACL in use stays there, as on AWS."""
    return local_aws_endpoint


@pytest.fixture
def present(unique_name: str) -> dict[str, Any]:
    return {
        "name": unique_name,
        "managed_rule_groups": [COMMON],
        "rate_limit": 2000,
        "login_rate_limit": 100,
        "tags": {"team": "data"},
    }


@pytest.fixture
def absent(unique_name: str) -> dict[str, Any]:
    return {"name": unique_name, "state": "absent"}


@pytest.fixture
def read_state(aws: Callable[[str], Any], unique_name: str) -> Callable[[], dict[str, Any]]:
    """The web ACL with its tags; {} when absent."""
    waf = aws("wafv2")

    def read() -> dict[str, Any]:
        for summary in waf.list_web_acls(Scope="REGIONAL")["WebACLs"]:
            if summary["Name"] == unique_name:
                found = waf.get_web_acl(Name=unique_name, Id=summary["Id"], Scope="REGIONAL")["WebACL"]
                tags = waf.list_tags_for_resource(ResourceARN=summary["ARN"])["TagInfoForResource"]["TagList"]
                return {**found, "tags": {tag["Key"]: tag["Value"] for tag in tags}}
        return {}

    return read


@pytest.fixture
def balancer(aws: Callable[[str], Any], unique_name: str) -> str:
    """ARN of a load balancer."""
    made = aws("elbv2").create_load_balancer(Name=unique_name, Subnets=["subnet-1", "subnet-2"])
    return str(made["LoadBalancers"][0]["LoadBalancerArn"])


@pytest.fixture
def read_association(aws: Callable[[str], Any], balancer: str) -> Callable[[], str | None]:
    def read() -> str | None:
        found = aws("wafv2").get_web_acl_for_resource(ResourceArn=balancer).get("WebACL")
        return str(found["ARN"]) if found else None

    return read


def test_ladder(own_ladder: Callable[..., support.Ladder]) -> None:
    rungs = own_ladder()
    arn = rungs.predicted["web_acl"]["web_acl_arn"]
    assert rungs.predicted["diff"]["after"] == {**rungs.applied["diff"]["after"], "web_acl_arn": arn}


def test_creation_sets_everything(
    run_module: support.RunModule, present: dict[str, Any], read_state: Callable[[], dict[str, Any]]
) -> None:
    run_module(MODULE, present)
    made = read_state()
    assert made["DefaultAction"] == {"Allow": {}}
    login, limit, common = made["Rules"]
    assert limit["Statement"]["RateBasedStatement"] == {
        "Limit": 2000,
        "EvaluationWindowSec": 300,
        "AggregateKeyType": "IP",
    }
    assert login["Action"] == limit["Action"] == {"Block": {}}
    assert login["Statement"]["RateBasedStatement"]["Limit"] == 100
    assert [rule["Priority"] for rule in made["Rules"]] == [0, 1, 2]
    group = common["Statement"]["ManagedRuleGroupStatement"]
    assert (group["VendorName"], group["Name"]) == ("AWS", COMMON["name"])
    assert group["RuleActionOverrides"] == [{"Name": "SizeRestrictions_BODY", "ActionToUse": {"Count": {}}}]
    assert common["OverrideAction"] == {"None": {}}
    assert made["tags"] == {"team": "data"}


def test_the_limit_of_logins_counts_every_spelling_of_their_paths(
    run_module: support.RunModule, present: dict[str, Any], read_state: Callable[[], dict[str, Any]]
) -> None:
    run_module(MODULE, present)
    only = read_state()["Rules"][0]["Statement"]["RateBasedStatement"]["ScopeDownStatement"]
    method, path = (one["ByteMatchStatement"] for one in only["AndStatement"]["Statements"])
    assert (method["SearchString"], method["PositionalConstraint"]) == (b"POST", "EXACTLY")
    assert (path["SearchString"], path["PositionalConstraint"]) == (b"/auth/", "STARTS_WITH")
    assert path["FieldToMatch"] == {"UriPath": {}}
    assert [one["Type"] for one in path["TextTransformations"]] == ["URL_DECODE", "NORMALIZE_PATH", "LOWERCASE"]


@pytest.mark.parametrize(
    "change",
    [
        {"rate_limit": 500},
        {"login_rate_limit": 50},
        {"managed_rule_groups": []},
        {"managed_rule_groups": [{**COMMON, "count_only": True}]},
        {"managed_rule_groups": [{**COMMON, "count_rules": []}]},
        {"managed_rule_groups": [{**COMMON, "vendor": "Fortinet"}]},
        {"managed_rule_groups": [{"name": "AWSManagedRulesKnownBadInputsRuleSet"}, COMMON]},
        {"tags": {"team": "web"}},
    ],
)
def test_every_field_changes_and_settles(
    run_module: support.RunModule,
    present: dict[str, Any],
    read_state: Callable[[], dict[str, Any]],
    change: dict[str, Any],
) -> None:
    run_module(MODULE, present)
    before = read_state()
    support.change_once(run_module, MODULE, {**present, **change}, read_state)
    assert read_state() != before


def test_no_limit(
    run_module: support.RunModule, present: dict[str, Any], read_state: Callable[[], dict[str, Any]]
) -> None:
    run_module(MODULE, present)
    without = {key: value for key, value in present.items() if "rate_limit" not in key}
    support.change_once(run_module, MODULE, without, read_state)
    assert [rule["Name"] for rule in read_state()["Rules"]] == [COMMON["name"]]


def test_association_ladder(
    ladder: Callable[..., support.Ladder],
    run_module: support.RunModule,
    present: dict[str, Any],
    read_association: Callable[[], str | None],
) -> None:
    acl = run_module(MODULE, present)["web_acl"]["web_acl_arn"]
    name = {"load_balancer_name": present["name"]}
    rungs = ladder(ASSOCIATION, {**name, "web_acl_arn": acl}, {**name, "state": "absent"}, read_association)
    assert rungs.predicted["diff"] == rungs.applied["diff"]
    assert rungs.applied["association"]["web_acl_arn"] == acl


def test_another_web_acl_takes_its_place(
    run_module: support.RunModule,
    present: dict[str, Any],
    absent: dict[str, Any],
    read_association: Callable[[], str | None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(api, "IN_USE_RETRIES", 1)
    names = [present["name"], f"{present['name']}-other"]
    acls = [run_module(MODULE, {**present, "name": name})["web_acl"]["web_acl_arn"] for name in names]
    associate = {"load_balancer_name": present["name"], "web_acl_arn": acls[0]}
    run_module(ASSOCIATION, associate)
    with pytest.raises(support.ModuleFailedError, match="WAFAssociatedItem"):
        run_module(MODULE, absent)
    support.change_once(run_module, ASSOCIATION, {**associate, "web_acl_arn": acls[1]}, read_association)
    assert run_module(MODULE, absent)["changed"]


def test_without_a_load_balancer(run_module: support.RunModule, present: dict[str, Any]) -> None:
    options = {"load_balancer_name": present["name"], "web_acl_arn": "arn:aws:wafv2:eu-west-1:1:regional/webacl/a/b"}
    assert run_module(ASSOCIATION, options, check=True)["changed"]
    with pytest.raises(support.ModuleFailedError, match=r"Load balancer .* does not exist"):
        run_module(ASSOCIATION, options)
    assert not run_module(ASSOCIATION, {**options, "state": "absent"})["changed"]


def test_a_stale_token_after_a_lost_reply_is_no_error(
    run_module: support.RunModule, aws: Callable[[str], Any], present: dict[str, Any]
) -> None:
    """The first attempt was done and its reply lost: the second one comes with the old token."""
    run_module(MODULE, present)
    waf = aws("wafv2")
    summary = api.find_summary(waf, present["name"])
    assert summary
    options: dict[str, Any] = {"managed_rule_groups": [], "login_rate_limit": None}
    settings = api.settings_of(present["name"], {**options, "rate_limit": 100})
    api.update_web_acl(waf, summary, settings, summary["LockToken"])
    api.update_web_acl(waf, summary, settings, summary["LockToken"])
    other = api.settings_of(present["name"], {**options, "rate_limit": 200})
    with pytest.raises(Exception, match="change the web ACL"):
        api.update_web_acl(waf, summary, other, summary["LockToken"])
