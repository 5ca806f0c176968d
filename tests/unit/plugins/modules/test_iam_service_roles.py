# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""iam_service_roles against the emulator."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support.modules import Ladder, ModuleFailedError, RunModule
from botocore.httpsession import URLLib3Session

Aws = Callable[[str], Any]
MODULE = "iam_service_roles"
TRUST = [
    {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": "ecs-tasks.amazonaws.com"},
        "Condition": {"StringEquals": {"aws:SourceAccount": "000000000000"}},
    }
]
STATEMENT = {"Effect": "Allow", "Action": ["sqs:SendMessage", "sqs:ReceiveMessage"], "Resource": "arn:aws:sqs:*:*:q"}
BOUNDARY = "arn:aws:iam::000000000000:policy/boundary"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
OTHER_BOUNDARY = "arn:aws:iam::aws:policy/PowerUserAccess"


def full(*names: str) -> dict[str, Any]:
    """Arguments that set every option."""
    role = {"description": "For a test", "statements": [STATEMENT], "managed_policy_arns": [READ_ONLY]}
    roles = [{"name": name, **role} for name in names]
    return {
        "roles": roles,
        "trust_statements": TRUST,
        "permissions_boundary": BOUNDARY,
        "tags": {"team": "data"},
    }


def describe(aws: Aws, name: str) -> dict[str, Any]:
    """The role with its policies in the API's own words; {} when there is none."""
    iam = aws("iam")
    try:
        role = iam.get_role(RoleName=name)["Role"]
    except iam.exceptions.NoSuchEntityException:
        return {}
    policies = iam.list_role_policies(RoleName=name)["PolicyNames"]
    return {
        **role,
        "Inline": {each: iam.get_role_policy(RoleName=name, PolicyName=each)["PolicyDocument"] for each in policies},
        "Attached": iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"],
    }


def test_ladder_of_two_roles(ladder: Callable[..., Ladder], aws: Aws, unique_name: str) -> None:
    names = [f"{unique_name}-a", f"{unique_name}-b"]
    results = ladder(
        MODULE,
        {**full(*names), "path": "/sm2a/"},
        {"roles": [{"name": name} for name in names], "path": "/sm2a/", "state": "absent"},
        lambda: [describe(aws, name) for name in names],
    )
    assert list(results.applied["arns"]) == names
    assert results.applied["arns"][names[0]] == f"arn:aws:iam::000000000000:role/sm2a/{names[0]}"
    assert results.repeated["arns"] == results.applied["arns"]


OF_ROLE = ("statements", "description", "managed_policy_arns")
CHANGES: dict[str, dict[str, Any]] = {
    "trust": {"trust_statements": [{**TRUST[0], "Condition": {}}]},
    "boundary": {"permissions_boundary": OTHER_BOUNDARY},
    "boundary removed": {"permissions_boundary": ""},
    "tags": {"tags": {"team": "other"}},
    "statements": {"statements": [{**STATEMENT, "Resource": "arn:aws:sqs:*:*:other"}]},
    "no statements": {"statements": []},
    "description": {"description": "Other"},
    "managed policies": {"managed_policy_arns": [OTHER_BOUNDARY]},
    "no managed policy": {"managed_policy_arns": []},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_every_option_is_compared_and_enforced(
    run_module: RunModule, aws: Aws, unique_name: str, change: dict[str, Any]
) -> None:
    args = full(unique_name)
    run_module(MODULE, args)
    before = describe(aws, unique_name)
    of_role = {key: value for key, value in change.items() if key in OF_ROLE}
    changed = {**args, **{key: value for key, value in change.items() if key not in of_role}}
    changed["roles"] = [{**args["roles"][0], **of_role}]
    assert run_module(MODULE, changed, check=True)["changed"]
    assert describe(aws, unique_name) == before
    assert run_module(MODULE, changed)["changed"]
    assert describe(aws, unique_name) != before
    assert not run_module(MODULE, changed)["changed"]


def test_policies_added_by_hand_are_removed(run_module: RunModule, aws: Aws, unique_name: str) -> None:
    run_module(MODULE, full(unique_name))
    before = describe(aws, unique_name)
    iam = aws("iam")
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_role_policy(RoleName=unique_name, PolicyName="more", PolicyDocument=json.dumps(everything))
    iam.attach_role_policy(RoleName=unique_name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    assert run_module(MODULE, full(unique_name), check=True)["changed"]
    assert run_module(MODULE, full(unique_name))["changed"]
    after = describe(aws, unique_name)
    assert (after["Inline"], after["Attached"]) == (before["Inline"], before["Attached"])


def test_a_policy_in_other_words_is_the_same(run_module: RunModule, unique_name: str) -> None:
    run_module(MODULE, full(unique_name))
    same = full(unique_name)
    same["roles"][0]["statements"] = [{**STATEMENT, "Action": ["sqs:ReceiveMessage", "sqs:SendMessage"]}]
    assert not run_module(MODULE, same)["changed"]
    role = {"name": unique_name, "statements": [STATEMENT], "managed_policy_arns": [READ_ONLY]}
    unset = {"roles": [role], "trust_statements": TRUST}
    assert not run_module(MODULE, unset)["changed"]


def test_another_path_for_an_existing_role_is_refused(run_module: RunModule, unique_name: str) -> None:
    run_module(MODULE, full(unique_name))
    for check in (True, False):
        with pytest.raises(ModuleFailedError, match=f"{unique_name} has the path /, which AWS cannot change"):
            run_module(MODULE, {**full(unique_name), "path": "/other/"}, check=check)


def test_unlisted_roles_of_this_environment_are_purged(run_module: RunModule, aws: Aws, unique_name: str) -> None:
    ours, others, kept = f"{unique_name}-worker-old", f"{unique_name}-worker-theirs", f"{unique_name}-worker-new"
    run_module(MODULE, full(ours, kept))
    run_module(MODULE, {**full(others), "tags": {"team": "other"}})
    args = {**full(kept), "purge_name_prefix": f"{unique_name}-worker-", "purge_where_tagged": {"team": "data"}}
    predicted = run_module(MODULE, args, check=True)
    assert predicted["changed"] and describe(aws, ours)
    assert run_module(MODULE, args)["diff"] == predicted["diff"]
    assert [bool(describe(aws, name)) for name in (ours, others, kept)] == [False, True, True]
    assert not run_module(MODULE, args)["changed"]
    purge = {key: args[key] for key in ("purge_name_prefix", "purge_where_tagged")}
    removal = {"roles": [], "state": "absent", **purge}
    assert not run_module(MODULE, {**removal, "purge_except": [kept]})["changed"]
    assert run_module(MODULE, removal)["changed"]


def test_what_holds_a_role_is_named(run_module: RunModule, aws: Aws, unique_name: str) -> None:
    run_module(MODULE, full(unique_name))
    iam = aws("iam")
    iam.create_instance_profile(InstanceProfileName=f"{unique_name}-profile")
    iam.add_role_to_instance_profile(InstanceProfileName=f"{unique_name}-profile", RoleName=unique_name)
    try:
        with pytest.raises(ModuleFailedError, match=f"it is in the instance profile {unique_name}-profile"):
            run_module(MODULE, {"roles": [{"name": unique_name}], "state": "absent"})
    finally:
        iam.remove_role_from_instance_profile(InstanceProfileName=f"{unique_name}-profile", RoleName=unique_name)
    assert run_module(MODULE, {"roles": [{"name": unique_name}], "state": "absent"})["changed"]


def test_the_boundary_comes_before_everything_that_may_depend_on_it(
    run_module: RunModule, aws: Aws, unique_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may only change roles with the boundary can give it to a role that has none."""
    run_module(MODULE, {"roles": [{"name": unique_name}], "trust_statements": []})
    real, called = URLLib3Session.send, list[str]()

    def send(session: URLLib3Session, request: Any) -> Any:
        called.extend(re.findall(r"\bAction=(\w+)", str(request.body)))
        return real(session, request)

    with monkeypatch.context() as watched:
        watched.setattr(URLLib3Session, "send", send)
        run_module(MODULE, full(unique_name))
    changes = [action for action in called if not action.startswith(("Get", "List"))]
    assert changes[0] == "PutRolePermissionsBoundary"
    assert {"UpdateAssumeRolePolicy", "PutRolePolicy", "AttachRolePolicy"} < set(changes)
    assert run_module(MODULE, {"roles": [{"name": unique_name}], "state": "absent"})["changed"]
