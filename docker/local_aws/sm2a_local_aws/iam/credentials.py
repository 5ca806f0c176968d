# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Credentials of tasks: each gets a session of its task role, which ends with the task.

They are environment variables of its containers, for botocore takes no credentials over plain HTTP from the bridge:
who may look into the container engine can read them.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from typing import Any

from ministack.services import ecs, iam, sts

from sm2a_local_aws.patching.points import relies_on

relies_on("ministack.services.sts", {"register_session": "a84ec986ec01"})

KEY_CHARACTERS = string.ascii_uppercase + "234567"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AccessKeyId",
    "AWS_SECRET_ACCESS_KEY": "SecretAccessKey",
    "AWS_SESSION_TOKEN": "SessionToken",
}
ENDED = ("DEPROVISIONING", "STOPPED")


def environment(task: Mapping[str, Any], task_definition: Mapping[str, Any]) -> dict[str, str]:
    """The variables with a task's credentials; none without a task role, as on AWS."""
    role_arn = role_of(task, task_definition)
    if not role_arn:
        return {}
    found = of_task(str(task["taskArn"]), role_arn)
    return {variable: found[name] for variable, name in ENVIRONMENT.items()}


def role_of(task: Mapping[str, Any], task_definition: Mapping[str, Any]) -> str:
    """The ARN of the task role, "" without one."""
    overrides = task.get("overrides") or {}
    return str(overrides.get("taskRoleArn") or task_definition.get("taskRoleArn") or "")


def of_task(task_arn: str, role_arn: str) -> dict[str, str]:
    """The credentials of a task, made when they are first asked for: all its containers have the same."""
    for key, session in list(sts._sessions.items()):
        if session.get("TaskArn") == task_arn:
            return {"AccessKeyId": key, **{name: session[name] for name in ("SecretAccessKey", "SessionToken")}}
    made = {
        "AccessKeyId": "ASIA" + "".join(secrets.choice(KEY_CHARACTERS) for _ in range(16)),
        "SecretAccessKey": secrets.token_urlsafe(30),
        "SessionToken": secrets.token_urlsafe(96),
    }
    sts.register_session(made["AccessKeyId"], {**_session(task_arn, role_arn), **made})
    return made


def _session(task_arn: str, role_arn: str) -> dict[str, Any]:
    """ECS names the session after the task."""
    _arn, partition, _iam, _region, account, resource = role_arn.split(":", 5)
    role, task_id = resource.rpartition("/")[2], task_arn.rpartition("/")[2]
    identifier = (iam._roles.get(role) or {}).get("RoleId", "")
    return {
        "Arn": f"arn:{partition}:sts::{account}:assumed-role/{role}/{task_id}",
        "UserId": f"{identifier}:{task_id}",
        "AccountId": account,
        "PrincipalType": "AssumedRole",
        "TaskArn": task_arn,
    }


def have_ended(access_key: str) -> bool:
    """Whether these are credentials of a task that is over; they are forgotten then."""
    session = sts._sessions.get(access_key) or {}
    task_arn = session.get("TaskArn")
    if task_arn is None:
        return False
    _arn, _aws, _ecs, region, account, _resource = task_arn.split(":", 5)
    task = ecs._tasks.get_scoped(account, region, task_arn)
    ended = task is None or task.get("lastStatus") in ENDED
    if ended:
        sts._sessions.pop(access_key, None)
    return ended
