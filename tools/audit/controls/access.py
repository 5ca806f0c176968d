# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""IAM: the roles of the tasks."""

from __future__ import annotations

from typing import Any

from ..control import Verdicts, control
from ..environment import Environment, statements
from ..policies import actions, condition_keys, on_everything

NARROW = "Name the actions and the ARNs in roles/cluster, or in policy_statements of the worker group."
DECRYPTION = {"kms:decrypt", "kms:reencryptfrom", "kms:*", "*"}
# These know no resources (AWS service authorization reference).
WITHOUT_RESOURCES = ("ecr:getauthorizationtoken", "ssmmessages:", "cloudwatch:putmetricdata", "logs:describeloggroups")
# Names what a call is about that takes no ARN, such as ecs:ListTasks.
NAMED_BY_CONDITION = {"ecs:cluster"}
# Either keeps a service of AWS from using the role for somebody else.
CONFUSED_DEPUTY = {"aws:sourceaccount", "aws:sourcearn"}


def each(environment: Environment, kind: str) -> Verdicts:
    """A verdict for each policy of each role, with the actions that are of ``kind``."""
    found: dict[str, list[str]] = {}
    for name, statement in environment.role_statements:
        found.setdefault(name, [])
        if statement["Effect"] == "Allow":
            found[name] += [action for action in actions(statement) if is_of(kind, action, statement)]
    for name, told in found.items():
        yield name, f"allows {', '.join(told)}" if told else ""


def is_of(kind: str, action: str, statement: dict[str, Any]) -> bool:
    everywhere = on_everything(statement)
    if kind == "everything":
        return everywhere and action in ("*", "*:*")
    if kind == "service":
        return action in ("*", "*:*") or action.endswith(":*")
    if kind == "decrypt":
        return everywhere and action in DECRYPTION
    named = action.startswith(WITHOUT_RESOURCES) or condition_keys(statement) & NAMED_BY_CONDITION
    return everywhere and not named


@control("IAM.1", "No role may do everything", NARROW)
def everything(environment: Environment) -> Verdicts:
    yield from each(environment, "everything")


@control("IAM.21", "No role may do all that a service can", NARROW)
def whole_service(environment: Environment) -> Verdicts:
    yield from each(environment, "service")


@control("KMS.2", "No role may decrypt with every key", NARROW)
def decrypt(environment: Environment) -> Verdicts:
    yield from each(environment, "decrypt")


@control("IAM.resource", "Actions are on named resources", NARROW)
def named_resources(environment: Environment) -> Verdicts:
    yield from each(environment, "resource")


@control("IAM.trust", "Services assume roles only for this account", "Run site.yml: the role cluster sets the trust.")
def trust(environment: Environment) -> Verdicts:
    for role in environment.roles:
        loose = [
            one["Principal"]
            for one in statements(role["AssumeRolePolicyDocument"])
            if one["Effect"] == "Allow" and not condition_keys(one) & CONFUSED_DEPUTY
        ]
        yield role["RoleName"], f"{loose} without aws:SourceAccount" if loose else ""


@control("IAM.attached", "No managed policy of AWS that is an administrator's", NARROW)
def managed_policies(environment: Environment) -> Verdicts:
    for role in environment.roles:
        name = role["RoleName"]
        attached = environment.pages("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=name)
        wide = [
            one["PolicyName"]
            for one in attached
            if one["PolicyName"].endswith(("AdministratorAccess", "FullAccess", "PowerUserAccess"))
        ]
        yield name, f"has {', '.join(wide)}" if wide else ""
