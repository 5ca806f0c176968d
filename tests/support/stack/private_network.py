# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which VPC endpoints the tasks of an environment need where nothing else leads to AWS. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.sm2a.airflow.tests.support.stack.local_aws_api import TaskCall

# Endpoints of a service that has another name than its calls are signed for, or several.
ENDPOINTS = {"ecr": ("ecr.api", "ecr.dkr")}
# Layers of images lie in S3: https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html
PULL = ("ecr.api", "ecr.dkr", "s3")
# In Regions since December 2023, of every task: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/vpc-endpoints.html
FARGATE = ("ecs", "ecs-agent", "ecs-telemetry")
EXEC = "ssmmessages"
LOG_DRIVERS = {"awslogs": "logs"}

# Endpoint -> who needs it.
Needs = Iterator[tuple[str, str]]


def of_calls(calls: Iterable[TaskCall]) -> Needs:
    """What tasks call themselves."""
    for call in calls:
        for endpoint in ENDPOINTS.get(call.service, (call.service,)):
            yield endpoint, f"tasks with the role {call.role}"


def of_task_definition(definition: Mapping[str, Any], execute_command: bool = False) -> Needs:
    """What Fargate calls through the task's network to start and keep it: images, secrets, logs, sessions.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/platform-version-migration.html
    """
    who = f"Fargate for {definition['family']}"
    needed = [*FARGATE, *([EXEC] if execute_command else [])]
    for container in definition["containerDefinitions"]:
        needed += PULL if ".dkr.ecr." in container["image"] else ()
        driver = (container.get("logConfiguration") or {}).get("logDriver")
        needed += [LOG_DRIVERS[driver]] if driver in LOG_DRIVERS else []
        # ARNs name the service: secretsmanager or ssm.
        needed += [secret["valueFrom"].split(":")[2] for secret in container.get("secrets") or []]
        needed += ["secretsmanager"] if container.get("repositoryCredentials") else []
        needed += ["s3"] if container.get("environmentFiles") else []
    for endpoint in dict.fromkeys(needed):
        yield endpoint, who


def lacking(needs: Iterable[tuple[str, str]], endpoints: Collection[str]) -> dict[str, list[str]]:
    """The services that have no endpoint, and who needs each."""
    found: dict[str, set[str]] = {}
    for endpoint, who in needs:
        if endpoint not in endpoints:
            found.setdefault(endpoint, set()).add(who)
    return {endpoint: sorted(who) for endpoint, who in sorted(found.items())}
