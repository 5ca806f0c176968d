# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""IAM: what keeps the workers of one team from those of another, and their tasks from the rest of Airflow."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from ..control import Verdicts, control
from ..environment import Document, Environment, as_list
from ..policies import actions, condition_keys
from .access import NARROW

COMPONENT, ROLE = "aws:resourcetag/sm2a:component", "aws:resourcetag/sm2a:task_role"
ON_TASKS = ("ecs:updatetaskprotection", "ecs:stoptask")
# A group that there is not: its secrets are those of every group that a role can read without naming it.
ANY_GROUP = "any"


def allowing(environment: Environment, *wanted: str) -> Iterator[tuple[str, list[Document]]]:
    """Each role by the end of its name, with the statements that allow one of these actions, in small letters."""
    found: dict[str, list[Document]] = {}
    for name, statement in environment.role_statements:
        mine = found.setdefault(name.partition("/")[0].removeprefix(f"{environment.name}-"), [])
        patterns = actions(statement)
        if statement["Effect"] == "Allow" and any(fnmatchcase(one, each) for each in patterns for one in wanted):
            mine.append(statement)
    yield from found.items()


def covers(statement: Document, name: str) -> bool:
    """Whether the statement is on the resource with this name, which is what an ARN ends with."""
    patterns = [str(resource).split(":", 5)[-1] for resource in as_list(statement.get("Resource", []))]
    return any(fnmatchcase(name, pattern) for pattern in patterns)


@control("IAM.protection", "A worker protects and stops workers of its own role only", NARROW)
def protection(environment: Environment) -> Verdicts:
    for role, statements in allowing(environment, *ON_TASKS):
        needed = {COMPONENT} if role == "autoscaler" else {COMPONENT, ROLE}
        loose = [one.get("Sid", "a statement") for one in statements if not needed <= condition_keys(one)]
        yield role, f"{', '.join(loose)} is on all tasks" if loose else ""


@control("IAM.send", "Only the scheduler puts tasks into queues", NARROW)
def send(environment: Environment) -> Verdicts:
    for role, statements in allowing(environment, "sqs:sendmessage"):
        sends = [one for one in statements if any(covers(one, queue) for queue in environment.queues)]
        yield role, "may send tasks" if sends and role != "scheduler" else ""


@control("IAM.logs", "Only the web servers read task logs", NARROW)
def read_logs(environment: Environment) -> Verdicts:
    buckets = [name for name in environment.buckets if name.startswith(f"{environment.name}-logs-")]
    for role, statements in allowing(environment, "s3:getobject"):
        reads = [one for one in statements if any(covers(one, f"{bucket}/airflow/dag_id=any") for bucket in buckets)]
        yield role, "may read logs of tasks" if reads and role != "api-server" else ""


@control("IAM.groups", "Secrets of a worker group are read by its own role only", NARROW)
def group_secrets(environment: Environment) -> Verdicts:
    prefix = f"{environment.name}/groups/"
    named = [one["Name"].removeprefix(prefix) for one in environment.secrets if one["Name"].startswith(prefix)]
    groups = sorted({ANY_GROUP, *(name.split("/")[0] for name in named)})
    for role, statements in allowing(environment, "secretsmanager:getsecretvalue"):
        others = [group for group in groups if role != f"worker-{group}"]
        read = [
            group
            for group in others
            if any(covers(one, f"secret:{prefix}{group}/connections/a-000000") for one in statements)
        ]
        yield role, f"reads those of {', '.join(read)}" if read else ""
