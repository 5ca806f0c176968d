# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Why a task stopped: ECS's reason, exit codes, and the last lines that the container logged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs import api
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs.compare import revision_name

# A service stops tasks by itself all the time; such an end explains no failure, unless a health check was the cause.
ORDINARY_STOP_CODE = "ServiceSchedulerInitiated"
UNHEALTHY = "health check"


@dataclass(frozen=True)
class Reader:
    """Reads what a stopped task left behind; ``logs`` makes the CloudWatch Logs client when it is needed."""

    ecs: Any
    logs: Callable[[], Any]
    lines: int

    def end_of(self, task: Mapping[str, Any], counted: list[str] | None = None) -> dict[str, Any]:
        """How a task ended: ``task`` (id), ``task_definition``, ``stopped_reason``, ``container``, ``exit_code``,
        ``containers`` [{name, exit_code, reason}] and ``log_lines``.

        ``container`` is the one that ended the task (of those named in ``counted``); its ``exit_code`` is None
        when it never ran.
        """
        containers = [
            {"name": item["name"], "exit_code": item.get("exitCode"), "reason": item.get("reason") or ""}
            for item in task.get("containers") or []
        ]
        guilty = culprit([item for item in containers if counted is None or item["name"] in counted])
        return {
            "task": task_id(task),
            "task_definition": revision_name(str(task["taskDefinitionArn"])),
            "stopped_reason": task.get("stoppedReason") or "",
            "container": guilty.get("name", ""),
            "exit_code": guilty.get("exit_code"),
            "containers": containers,
            "log_lines": self.log_lines(task, str(guilty.get("name", ""))),
        }

    def log_lines(self, task: Mapping[str, Any], container: str) -> list[str]:
        """The container's last lines under the awslogs driver; [] for another driver or when they cannot be read.

        They only enrich another message, so a refused read must not take its place.
        """
        try:
            definition = api.describe_revision(self.ecs, str(task["taskDefinitionArn"])) or {}
            found = [item for item in definition.get("containerDefinitions", []) if item["name"] == container]
            configuration = (found[0].get("logConfiguration") if found else None) or {}
            options = configuration.get("options") or {}
            if configuration.get("logDriver") != "awslogs" or "awslogs-stream-prefix" not in options:
                return []
            stream = f"{options['awslogs-stream-prefix']}/{container}/{task_id(task)}"
            lines: list[str] = api.last_log_lines(self.logs(), options["awslogs-group"], stream, self.lines)
            return lines
        except AnsibleAWSError:
            return []

    def failure_of_service(self, cluster: str, service: str, deployment: str) -> dict[str, Any] | None:
        """The latest task of a service that ended by itself or by a failed health check; None when ECS knows none.

        Tasks of ``deployment`` come first. ECS forgets stopped tasks after about an hour.
        """
        arns = api.list_tasks(self.ecs, cluster=cluster, serviceName=service, desiredStatus="STOPPED")
        tasks = [task for task in api.describe_tasks(self.ecs, cluster, arns) if is_failure(task)]
        tasks.sort(key=lambda task: str(task.get("stoppedAt") or task.get("createdAt") or ""), reverse=True)
        mine = [task for task in tasks if task.get("startedBy") == deployment]
        return next((self.end_of(task) for task in mine or tasks), None)


def task_id(task: Mapping[str, Any]) -> str:
    """The last part of a task's ARN."""
    return str(task["taskArn"]).rsplit("/", 1)[-1]


def culprit(containers: list[dict[str, Any]]) -> dict[str, Any]:
    """The container that explains the end: one that failed, else one that never ran, else the first; {} of none."""
    failed = [item for item in containers if item["exit_code"]]
    never_ran = [item for item in containers if item["exit_code"] is None]
    return next(iter(failed + never_ran + containers), {})


def is_failure(task: Mapping[str, Any]) -> bool:
    """Whether a task of a service that is to be STOPPED got there by a fault."""
    reason = str(task.get("stoppedReason") or "").lower()
    return task.get("stopCode") != ORDINARY_STOP_CODE or UNHEALTHY in reason


def sentence(end: Mapping[str, Any]) -> str:
    """One line about a stopped task, and its log lines below."""
    text = f"task {end['task']} of {end['task_definition']} stopped"
    if end["exit_code"] is not None:
        text += f", container {end['container']} with exit code {end['exit_code']}"
    reasons = [end["stopped_reason"], *(f"{item['name']}: {item['reason']}" for item in end["containers"])]
    told = "; ".join(reason for reason in reasons if reason and not reason.endswith(": "))
    text += f" ({told})" if told else ""
    if end["log_lines"]:
        text += ". Last log lines:\n" + "\n".join(end["log_lines"])
    return text
