# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which component reads which secret: for what task roles are allowed, and for what secrets refuse. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# Last parts of the names of the secrets below <name>/config that a component reads.
CONFIGURATION: dict[str, tuple[str, ...]] = {
    "api_server": ("sql_alchemy_conn", "fernet_key", "jwt_secret", "api_secret_key"),
    # result_backend: for a revision of an earlier release to which ECS may go back.
    "scheduler": ("sql_alchemy_conn", "jwt_secret", "scheduler_result_backend", "result_backend"),
    "dag_processor": ("dag_processor_sql_alchemy_conn", "fernet_key"),
    "triggerer": ("triggerer_sql_alchemy_conn", "fernet_key", "api_secret_key"),
    "worker": ("api_secret_key", "result_backend"),
    "migrate": ("sql_alchemy_conn",),
    "autoscaler": ("autoscaler_sql_alchemy_conn",),
}
# Connections and variables that are no group's own. Groups with a role of their own ask the api-server for these.
SHARED_READERS = ("api_server", "dag_processor", "triggerer", "worker")
# Also roles of groups that are gone: their workers drain with them.
EVERY_GROUP = "worker-*"


def readers(path: str) -> list[str]:
    """The task roles that read ``<environment>/<path>``, by what follows ``<environment>-`` in their names."""
    kind, _slash, rest = path.partition("/")
    if kind == "groups":
        return [f"worker-{rest.partition('/')[0]}"]
    if kind == "config":
        components = [component for component, names in CONFIGURATION.items() if rest in names]
    else:
        components = list(SHARED_READERS) if kind in ("connections", "variables") else ["migrate"]
    names = [component.replace("_", "-") for component in components]
    return [*names, EVERY_GROUP] if kind == "config" and "worker" in components else names


def principal_patterns(arn: str) -> list[str]:
    """A caller as ``aws:PrincipalArn`` has it: of a session its role, whose path the ARN of STS does not tell."""
    head, _type, session = arn.partition(":assumed-role/")
    if not session:
        return [arn]
    partition, account = head.split(":")[1], head.split(":")[4]
    return role_patterns(session.partition("/")[0], partition, account)


def role_patterns(name: str, partition: str, account: str) -> list[str]:
    """A role by its name, which is unique in an account whatever its path."""
    return [f"arn:{partition}:iam::{account}:role/{path}{name}" for path in ("", "*/")]


def resource_policy(path: str, environment: str, caller: str, restrict: bool, more: Sequence[str]) -> dict[str, Any]:
    """The policy of a secret. It only denies, so IAM has to allow; the roles in its conditions need not exist yet."""
    partition, account = caller.split(":")[1], caller.split(":")[4]
    statements = [_deny("ThisAccountOnly", "secretsmanager:*", {"StringNotEquals": {"aws:PrincipalAccount": account}})]
    if restrict:
        roles = [role_patterns(f"{environment}-{name}", partition, account) for name in readers(path)]
        arns = [*(pattern for patterns in roles for pattern in patterns), *more]
        # Who deploys compares and composes values.
        arns += [pattern for pattern in principal_patterns(caller) if pattern not in arns]
        statements.append(
            _deny("NamedReadersOnly", "secretsmanager:GetSecretValue", {"ArnNotLike": {"aws:PrincipalArn": arns}})
        )
    return {"Version": "2012-10-17", "Statement": statements}


def _deny(sid: str, action: str, condition: dict[str, Any]) -> dict[str, Any]:
    """A refusal that leaves AWS's own services alone: the one that rotates a secret, for instance."""
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": "*",
        "Condition": {**condition, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}},
    }
