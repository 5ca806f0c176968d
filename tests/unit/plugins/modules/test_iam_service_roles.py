# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""iam_service_roles against the emulator."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.unit.plugins.support import Ladder, RunModule

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
OTHER_BOUNDARY = "arn:aws:iam::aws:policy/PowerUserAccess"


def full(*names: str) -> dict[str, Any]:
    """Arguments that set every option."""
    roles = [{"name": name, "description": "For a test", "statements": [STATEMENT]} for name in names]
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
        full(*names),
        {"roles": [{"name": name} for name in names], "state": "absent"},
        lambda: [describe(aws, name) for name in names],
    )
    assert list(results.applied["arns"]) == names
    assert results.applied["arns"][names[0]] == f"arn:aws:iam::000000000000:role/{names[0]}"
    assert results.repeated["arns"] == results.applied["arns"]


CHANGES: dict[str, dict[str, Any]] = {
    "trust": {"trust_statements": [{**TRUST[0], "Condition": {}}]},
    "boundary": {"permissions_boundary": OTHER_BOUNDARY},
    "boundary removed": {"permissions_boundary": ""},
    "tags": {"tags": {"team": "other"}},
    "statements": {"statements": [{**STATEMENT, "Resource": "arn:aws:sqs:*:*:other"}]},
    "no statements": {"statements": []},
    "description": {"description": "Other"},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_every_option_is_compared_and_enforced(
    run_module: RunModule, aws: Aws, unique_name: str, change: dict[str, Any]
) -> None:
    args = full(unique_name)
    run_module(MODULE, args)
    before = describe(aws, unique_name)
    of_role = {key: value for key, value in change.items() if key in ("statements", "description")}
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
    assert (after["Inline"], after["Attached"]) == (before["Inline"], [])


def test_a_policy_in_other_words_is_the_same(run_module: RunModule, unique_name: str) -> None:
    run_module(MODULE, full(unique_name))
    same = full(unique_name)
    same["roles"][0]["statements"] = [{**STATEMENT, "Action": ["sqs:ReceiveMessage", "sqs:SendMessage"]}]
    assert not run_module(MODULE, same)["changed"]
    unset = {"roles": [{"name": unique_name, "statements": [STATEMENT]}], "trust_statements": TRUST}
    assert not run_module(MODULE, unset)["changed"]
