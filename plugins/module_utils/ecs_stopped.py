# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Why a task stopped: ECS's reason, exit codes, and the last lines that the container logged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils import ecs_api
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs_compare import revision_name

# A service stops tasks by itself all the time; these reasons explain no failure.
ORDINARY_STOP_CODES = ("ServiceSchedulerInitiated",)
UNHEALTHY = "health check"


def describe_end(
    task: Mapping[str, Any], logs_for_region: Callable[[str], Any], ecs: Any, lines: int
) -> dict[str, Any]:
    """What a stopped task left behind.

    ``task`` (id), ``task_definition``, ``stopped_reason``, ``exit_code`` (None when the container never ran),
    ``containers`` [{name, exit_code, reason}] and ``log_lines`` of the container that ended the task.
    """
    containers = [
        {"name": item["name"], "exit_code": item.get("exitCode"), "reason": item.get("reason") or ""}
        for item in task.get("containers") or []
    ]
    guilty = culprit(containers)
    return {
        "task": str(task["taskArn"]).rsplit("/", 1)[-1],
        "task_definition": revision_name(str(task["taskDefinitionArn"])),
        "stopped_reason": task.get("stoppedReason") or "",
        "exit_code": guilty.get("exit_code"),
        "containers": containers,
        "log_lines": log_lines(task, str(guilty.get("name", "")), logs_for_region, ecs, lines),
    }


def culprit(containers: list[dict[str, Any]]) -> dict[str, Any]:
    """The container that explains the end: one that failed, else one that never started, else the first."""
    failed = [item for item in containers if item["exit_code"]]
    never_started = [item for item in containers if item["exit_code"] is None]
    return next(iter(failed + never_started + containers), {})


def log_lines(
    task: Mapping[str, Any], container: str, logs_for_region: Callable[[str], Any], ecs: Any, count: int
) -> list[str]:
    """The last lines of one container under the awslogs driver; [] for another driver or when they cannot be read.

    The lines only enrich an error message, so a refused read must not hide that error.
    """
    try:
        definition = ecs_api.describe_revision(ecs, str(task["taskDefinitionArn"]))
        found = [item for item in (definition or {}).get("containerDefinitions", []) if item["name"] == container]
        configuration = found[0].get("logConfiguration") or {} if found else {}
        options = configuration.get("options") or {}
        if configuration.get("logDriver") != "awslogs" or "awslogs-stream-prefix" not in options:
            return []
        task_id = str(task["taskArn"]).rsplit("/", 1)[-1]
        stream = f"{options['awslogs-stream-prefix']}/{container}/{task_id}"
        logs = logs_for_region(options["awslogs-region"])
        lines: list[str] = ecs_api.last_log_lines(logs, options["awslogs-group"], stream, count)
        return lines
    except AnsibleAWSError:
        return []


def sentence(end: Mapping[str, Any]) -> str:
    """One line about a stopped task, and its log lines below."""
    parts = [f"task {end['task']} of {end['task_definition']} stopped"]
    if end["exit_code"] is not None:
        parts.append(f"with exit code {end['exit_code']}")
    if end["stopped_reason"]:
        parts.append(f"({end['stopped_reason']})")
    text = " ".join(parts)
    reasons = "; ".join(f"{item['name']}: {item['reason']}" for item in end["containers"] if item["reason"])
    if reasons:
        text += f". {reasons}"
    if end["log_lines"]:
        text += ". Last log lines:\n" + "\n".join(end["log_lines"])
    return text


def failed_tasks_of_service(ecs: Any, cluster: str, service: str, deployments: set[str]) -> list[dict[str, Any]]:
    """Stopped tasks of a service, latest first, that ended by themselves or by a failed health check.

    Tasks of the given deployment ids are preferred; ECS forgets stopped tasks after an hour.
    """
    arns = ecs_api.list_tasks(ecs, cluster=cluster, serviceName=service, desiredStatus="STOPPED")
    tasks = [task for task in ecs_api.describe_tasks(ecs, cluster, arns) if _is_failure(task)]
    tasks.sort(key=lambda task: str(task.get("stoppedAt") or task.get("createdAt") or ""), reverse=True)
    mine = [task for task in tasks if task.get("startedBy") in deployments]
    return mine or tasks


def _is_failure(task: Mapping[str, Any]) -> bool:
    if task.get("lastStatus") not in ("STOPPED", "DEPROVISIONING", "STOPPING", "DEACTIVATING"):
        return False
    reason = str(task.get("stoppedReason") or "").lower()
    return task.get("stopCode") not in ORDINARY_STOP_CODES or UNHEALTHY in reason
