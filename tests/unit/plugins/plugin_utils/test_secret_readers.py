# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Who can read a secret when another role of the account is allowed everything."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.filter.secret_policies import secret_policies
from ansible_collections.sm2a.airflow.tests.support.access import allowed

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/"
DEPLOYER = f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/somebody"
GENEROUS = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
COMPONENTS = (
    *("api-server", "scheduler", "dag-processor", "triggerer", "worker", "migrate", "autoscaler"),
    *("worker-team", "worker-other"),
)
# By secret, who is to read it.
READERS = {
    "config/sql_alchemy_conn": ["api-server", "scheduler", "migrate"],
    "config/dag_processor_sql_alchemy_conn": ["dag-processor"],
    "config/triggerer_sql_alchemy_conn": ["triggerer"],
    "config/autoscaler_sql_alchemy_conn": ["autoscaler"],
    "config/scheduler_result_backend": ["scheduler"],
    "config/fernet_key": ["api-server", "dag-processor", "triggerer"],
    "config/jwt_secret": ["api-server", "scheduler"],
    "config/api_secret_key": ["api-server", "triggerer", "worker", "worker-team", "worker-other"],
    "config/result_backend": ["scheduler", "worker", "worker-team", "worker-other"],
    "admin": ["migrate"],
    "database/airflow": ["migrate"],
    "connections/warehouse": ["api-server", "dag-processor", "triggerer", "worker"],
    "variables/limits": ["api-server", "dag-processor", "triggerer", "worker"],
    "groups/team/connections/warehouse": ["worker-team"],
    "groups/team/variables/limits": ["worker-team"],
}


def policy(path: str, caller: str = DEPLOYER, **options: Any) -> dict[str, Any]:
    """The policy of one secret of the environment prod."""
    (secret,) = secret_policies([{"name": f"prod/{path}"}], "prod", caller, **options)
    found: dict[str, Any] = secret["policy"]
    return found


def reads(principal: str, document: dict[str, Any], action: str = "GetSecretValue", **context: str) -> bool:
    """Whether somebody whom IAM allows everything may do it."""
    called = {"aws:PrincipalArn": principal, "aws:PrincipalAccount": principal.split(":")[4], **context}
    return allowed(GENEROUS, f"secretsmanager:{action}", "secret", called, document)


@pytest.mark.parametrize("path", READERS)
@pytest.mark.parametrize("iam_path", ["", "sm2a/"])
def test_only_the_roles_that_need_a_secret_read_it(path: str, iam_path: str) -> None:
    document = policy(path)
    roles = [f"{ROLE}{iam_path}prod-{name}" for name in COMPONENTS]
    assert [role.rpartition("/prod-")[2] for role in roles if reads(role, document)] == sorted(
        READERS[path], key=COMPONENTS.index
    )


@pytest.mark.parametrize("path", READERS)
@pytest.mark.parametrize("name", ["other-application", "prod-eu-api-server", "xprod-worker", "prod-workers", "admin"])
def test_a_generous_role_of_another_application_does_not(path: str, name: str) -> None:
    document = policy(path)
    assert not reads(ROLE + name, document)
    assert not reads(f"arn:aws:iam::{ACCOUNT}:user/{name}", document)


def test_who_deploys_reads_whatever_the_path_of_the_role() -> None:
    for path in READERS:
        assert reads(f"{ROLE}deploy", policy(path))
        assert reads(f"{ROLE}aws-reserved/sso.amazonaws.com/deploy", policy(path))
    person = f"arn:aws:iam::{ACCOUNT}:user/platform/ann"
    assert reads(person, policy("admin", person))
    assert not reads(f"{ROLE}deploy", policy("admin", person))


def test_more_readers_can_be_named_and_who_deploys_is_named_once() -> None:
    operators = f"{ROLE}aws-reserved/*/Operators_*"
    document = policy("admin", readers=[operators, f"{ROLE}deploy", f"{ROLE}*/deploy"])
    assert reads(f"{ROLE}aws-reserved/sso.amazonaws.com/Operators_1234", document)
    named = document["Statement"][1]["Condition"]["ArnNotLike"]["aws:PrincipalArn"]
    assert len(named) == len(set(named))


def test_whoever_may_change_policies_is_not_locked_out_and_services_of_aws_are_left_alone() -> None:
    document = policy("admin")
    for action in ("PutResourcePolicy", "DeleteSecret", "DescribeSecret", "PutSecretValue"):
        assert reads(f"{ROLE}administrator", document, action)
    assert reads(f"{ROLE}any", document, **{"aws:PrincipalIsAWSService": "true"})


def test_other_accounts_are_refused_everything() -> None:
    for restrict in (True, False):
        for action in ("GetSecretValue", "DescribeSecret", "PutResourcePolicy"):
            assert not reads("arn:aws:iam::999999999999:role/prod-migrate", policy("admin", restrict=restrict), action)


def test_without_the_restriction_iam_decides() -> None:
    document = policy("admin", restrict=False)
    assert reads(f"{ROLE}other-application", document)
    assert [statement["Sid"] for statement in document["Statement"]] == ["ThisAccountOnly"]
