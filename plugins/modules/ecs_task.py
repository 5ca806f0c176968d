#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ecs_task
version_added: 0.1.0
short_description: Run a one-off Amazon ECS task and wait for its end
description:
  - Run one task and wait until it has stopped. Fails, with the stopped reason, the exit code and the last log lines,
    unless every essential container ended with exit code 0.
  - With O(run_once=true) the task runs only when this revision of the task definition has not yet completed it. The
    record is a tag on the revision, written after success only. An interrupted or failed run leaves none and is run
    again; a run that is still going on is waited for instead of starting another.
author:
  - SM2A contributors (@sm2a)
options:
  cluster:
    description: Name or ARN of the cluster.
    type: str
    required: true
  task_definition:
    description: Family (its latest active revision), family and revision, or ARN.
    type: str
    required: true
  run_once:
    description: Run the task only when this revision has no record of a completed run with the same overrides and key.
    type: bool
    default: false
  run_once_key:
    description: Anything else on which the task's result depends; another key is another run.
    type: str
    default: ""
  launch_type:
    description: Launch type; excludes O(capacity_provider_strategy).
    type: str
  capacity_provider_strategy:
    description: Items with C(capacity_provider), C(weight), C(base).
    type: list
    elements: dict
  platform_version:
    description: Fargate platform version.
    type: str
  network_configuration:
    description: Where the task is attached.
    type: dict
    suboptions:
      subnets:
        description: Ids of subnets.
        type: list
        elements: str
        required: true
      security_groups:
        description: Ids of security groups.
        type: list
        elements: str
      assign_public_ip:
        description: Whether the task gets a public address.
        type: bool
  overrides:
    description: Overrides as in the API, in snake_case, for example C(container_overrides).
    type: dict
    default: {}
  container:
    description: The one container whose end counts, instead of every essential one.
    type: str
  wait_timeout:
    description: Seconds to wait for the end of the task. A task that takes longer is left running.
    type: int
    default: 1800
  tags:
    description: Tags of the task.
    type: dict
    aliases: [resource_tags]
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - sm2a.airflow.attributes
  - sm2a.airflow.ecs_tasks
"""

EXAMPLES = r"""
- name: Migrate the database once per revision
  sm2a.airflow.ecs_task:
    cluster: analytics
    task_definition: analytics-migrate
    run_once: true
    launch_type: FARGATE
    network_configuration:
      subnets: [subnet-0123]
      security_groups: [sg-0123]
"""

RETURN = r"""
ran:
  description: Whether a task ran, or in check mode would run; false when its record was found.
  type: bool
  returned: always
task:
  description: How the task ended; empty when none ran.
  type: dict
  returned: always
  contains:
    task:
      description: Id of the task.
      type: str
    task_definition:
      description: Family and revision.
      type: str
    stopped_reason:
      description: ECS's reason for the end.
      type: str
    container:
      description: The container that ended the task.
      type: str
    exit_code:
      description: Its exit code; null when it never ran.
      type: int
    containers:
      description: Name, exit code and reason of every container.
      type: list
      elements: dict
    log_lines:
      description: Its last log lines, under the awslogs driver.
      type: list
      elements: str
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import TagChange, client, exit_with
from ansible_collections.sm2a.airflow.plugins.module_utils.common.results import Outcome
from ansible_collections.sm2a.airflow.plugins.module_utils.common.waiters import wait_until
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs import api as ecs_api
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs import model as ecs_model
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs.compare import awsvpc, revision_name
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs.options import PLACE_OPTIONS, WATCH_OPTIONS
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs.run_record import record_key
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs.stopped_tasks import Reader, sentence, task_id

TASK_MEMBERS = ("cluster", "task_definition", "launch_type", "capacity_provider_strategy", "platform_version")


def run_members(ecs: Any, params: dict[str, Any]) -> dict[str, Any]:
    """The members of RunTask that the options declare."""
    values = {name: params[name] for name in (*TASK_MEMBERS, "overrides") if params[name]}
    members: dict[str, Any] = ecs_model.to_aws(values, ecs_model.input_shape(ecs, "RunTask"))
    network = awsvpc(params["network_configuration"])
    if network:
        members["networkConfiguration"] = network
    if params["tags"]:
        members["tags"] = ecs_api.tag_list({key: str(value) for key, value in params["tags"].items()})
    return members


def started_by(record: str) -> str:
    """The mark by which a run in progress is found again (letters, digits and hyphens only)."""
    return record.replace(":", "-")


def earlier_run(ecs: Any, cluster: str, definition: dict[str, Any], record: str, counted: list[str]) -> Any:
    """The task of a call that was interrupted before it could keep its record, or None: it runs still, or succeeded.

    ECS forgets a task about an hour after its end.
    """
    # ListTasks takes no other filter together with startedBy, which finds those that run.
    running = ecs_api.list_tasks(ecs, cluster=cluster, startedBy=started_by(record))
    ended = ecs_api.list_tasks(ecs, cluster=cluster, family=definition["family"], desiredStatus="STOPPED")
    for task in ecs_api.describe_tasks(ecs, cluster, sorted({*running, *ended})):
        own = task["taskDefinitionArn"] == definition["taskDefinitionArn"] and task.get("startedBy") == started_by(
            record
        )
        codes = {item["name"]: item.get("exitCode") for item in task["containers"]}
        if own and (task["lastStatus"] != "STOPPED" or all(codes.get(name) == 0 for name in counted)):
            return task
    return None


def wait_for_end(ecs: Any, params: dict[str, Any], task: dict[str, Any]) -> dict[str, Any]:
    """The task once it has stopped; AnsibleAWSError when that takes too long or ECS has forgotten it."""
    latest: dict[str, Any] = {}

    def stopped() -> bool:
        found = ecs_api.describe_tasks(ecs, params["cluster"], [task["taskArn"]])
        if not found:
            raise AnsibleAWSError(message=f"ECS no longer knows task {task_id(task)}")
        latest.update(found[0])
        return bool(latest["lastStatus"] == "STOPPED")

    def state() -> str:
        return f"task {task_id(task)} is {latest['lastStatus']}"

    if not wait_until(stopped, params["wait_delay"], params["wait_timeout"], state):
        status = latest["lastStatus"]
        raise AnsibleAWSError(
            message=f"Task {task_id(task)} is still {status} after {params['wait_timeout']} seconds and keeps running"
        )
    return latest


def counted_containers(definition: dict[str, Any], container: str | None) -> list[str]:
    """Names of the containers whose exit code decides."""
    if container:
        return [container]
    return [item["name"] for item in definition["containerDefinitions"] if item.get("essential", True)]


def succeeded(end: dict[str, Any], counted: list[str]) -> bool:
    """True when every counted container ran and ended with exit code 0."""
    codes = {item["name"]: item["exit_code"] for item in end["containers"]}
    return all(codes.get(name) == 0 for name in counted)


def ensure_run(reader: Reader, params: dict[str, Any], check_mode: bool) -> Outcome:
    """Run the task unless its record says that it has been done; ``after`` is how it ended."""
    ecs, cluster = reader.ecs, params["cluster"]
    members = run_members(ecs, params)
    definition = ecs_api.describe_revision(ecs, params["task_definition"])
    if definition is None:
        if check_mode:
            return Outcome(True)
        raise AnsibleAWSError(message=f"There is no active task definition {params['task_definition']}")
    arn = definition["taskDefinitionArn"]
    record = record_key(revision_name(cluster), params["overrides"], params["run_once_key"])
    if params["run_once"] and record in definition["tags"]:
        return Outcome(False)
    if check_mode:
        return Outcome(True)
    task = None
    counted = counted_containers(definition, params["container"])
    if params["run_once"]:
        task = earlier_run(ecs, cluster, definition, record, counted)
        members["startedBy"] = started_by(record)
    if task is None:
        task = ecs_api.run_task(ecs, **{**members, "taskDefinition": arn})
    end = reader.end_of(wait_for_end(ecs, params, task), counted)
    if not succeeded(end, counted):
        raise AnsibleAWSError(message=f"The one-off task failed: {sentence(end)}")
    if params["run_once"]:
        ecs_api.apply_tags(ecs, arn, TagChange({record: task_id(task)}, [], {}))
    return Outcome(True, {}, end)


def result(outcome: Outcome) -> dict[str, Any]:
    """The module's output; the diff is about the record, not about the task."""
    record = Outcome(outcome.changed, {"completed": not outcome.changed}, {"completed": True})
    return outcome.result("task", ran=outcome.changed, diff=record.diff())


def main() -> None:
    """Read the options, act, report."""
    module = AnsibleAWSModule(
        argument_spec={
            "cluster": {"type": "str", "required": True},
            "task_definition": {"type": "str", "required": True},
            "run_once": {"type": "bool", "default": False},
            "run_once_key": {"type": "str", "default": "", "no_log": False},
            **PLACE_OPTIONS,
            "overrides": {"type": "dict", "default": {}},
            "container": {"type": "str"},
            "wait_timeout": {"type": "int", "default": 1800},
            **WATCH_OPTIONS,
            "tags": {"type": "dict", "aliases": ["resource_tags"]},
        },
        mutually_exclusive=[("launch_type", "capacity_provider_strategy")],
        supports_check_mode=True,
    )
    reader = Reader(client(module, "ecs"), lambda: client(module, "logs"), module.params["log_lines"])
    exit_with(module, lambda: result(ensure_run(reader, module.params, module.check_mode)))


if __name__ == "__main__":
    main()
