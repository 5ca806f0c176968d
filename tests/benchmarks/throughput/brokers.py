# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The two brokers of one stack: scheduler and workers go over from one to the other, nothing else changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.sm2a.airflow.tests.benchmarks.throughput.report import REDIS, SQS
from ansible_collections.sm2a.airflow.tests.support.stack.fixtures import Stack
from ansible_collections.sm2a.airflow.tests.support.stack.poll import poll
from ansible_collections.sm2a.airflow.tests.support.stack.settings import NAME

SERVICES = ("scheduler", "worker-default")
URL = "AIRFLOW__CELERY__BROKER_URL"
SETTINGS = "AIRFLOW__CELERY__CELERY_CONFIG_OPTIONS"
# Of SQS, which Redis's transport would not know. The visibility timeout is one of both.
OPTIONS = "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__"
SQS_OPTIONS = {OPTIONS + name for name in ("REGION", "PREDEFINED_QUEUES", "WAIT_TIME_SECONDS", "POLLING_INTERVAL")}
# What a description of a task definition has and a registration has not.
ANSWERED = {"taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities", "registeredAt"}
ANSWERED |= {"registeredBy", "deregisteredAt"}
REDIS_SERVER = ["redis-server", "--save", "", "--appendonly", "no", "--dir", "/tmp", "--protected-mode", "no"]
SWITCH_SECONDS = 300


def on_redis(definition: Mapping[str, Any], url: str) -> dict[str, Any]:
    """The task definition of a component with Redis as broker."""
    (container,) = definition["containerDefinitions"]
    variables = {
        entry["name"]: entry["value"] for entry in container["environment"] if entry["name"] not in SQS_OPTIONS
    }
    variables |= {URL: url, SETTINGS: "redis_broker.CELERY_CONFIG"}
    environment = [{"name": name, "value": value} for name, value in sorted(variables.items())]
    return {**_registration(definition), "containerDefinitions": [{**container, "environment": environment}]}


def redis_server(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The task definition of a Redis that keeps nothing on disk, in the image of that component."""
    (container,) = definition["containerDefinitions"]
    kept = {name: value for name, value in container.items() if name not in ("healthCheck", "portMappings")}
    server = {**kept, "name": "redis", "command": REDIS_SERVER, "environment": []}
    return {**_registration(definition), "family": f"{NAME}-redis", "containerDefinitions": [server]}


def _registration(definition: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in definition.items() if name not in ANSWERED}


class Brokers:
    """Starts Redis beside the stack, and leads the stack to one broker or the other."""

    def __init__(self, stack: Stack) -> None:
        self._ecs = stack.aws("ecs")
        definitions = {name: self._definition(name) for name in SERVICES}
        url = f"redis://{self._start_redis(definitions['scheduler'])}:6379/0"
        self._arns = {
            SQS: {name: definition["taskDefinitionArn"] for name, definition in definitions.items()},
            REDIS: {name: self._register(on_redis(definition, url)) for name, definition in definitions.items()},
        }

    def use(self, broker: str) -> None:
        """Return when scheduler and workers are on that broker, and no task on the other one is left."""
        for service, arn in self._arns[broker].items():
            self._ecs.update_service(cluster=NAME, service=service, taskDefinition=arn)
        wanted = set(self._arns[broker].values())
        assert poll(lambda: self._settled(wanted), SWITCH_SECONDS), f"not on {broker} within {SWITCH_SECONDS} s"

    def _settled(self, wanted: set[str]) -> bool:
        found = self._ecs.describe_services(cluster=NAME, services=list(SERVICES))["services"]
        full = all(service["runningCount"] == service["desiredCount"] > 0 for service in found)
        tasks = [arn for name in SERVICES for arn in self._tasks(name)]
        described = self._ecs.describe_tasks(cluster=NAME, tasks=tasks)["tasks"] if tasks else []
        healthy = all(task["healthStatus"] == "HEALTHY" for task in described)
        return full and healthy and {task["taskDefinitionArn"] for task in described} == wanted

    def _tasks(self, service: str) -> Sequence[str]:
        return list(self._ecs.list_tasks(cluster=NAME, serviceName=service)["taskArns"])

    def _definition(self, service: str) -> dict[str, Any]:
        (found,) = self._ecs.describe_services(cluster=NAME, services=[service])["services"]
        described = self._ecs.describe_task_definition(taskDefinition=found["taskDefinition"])
        return dict(described["taskDefinition"])

    def _register(self, definition: Mapping[str, Any]) -> str:
        return str(self._ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"])

    def _start_redis(self, beside: Mapping[str, Any]) -> str:
        """Its address."""
        (scheduler,) = self._ecs.describe_services(cluster=NAME, services=["scheduler"])["services"]
        started = self._ecs.run_task(
            cluster=NAME,
            taskDefinition=self._register(redis_server(beside)),
            networkConfiguration=scheduler["networkConfiguration"],
        )
        arn = started["tasks"][0]["taskArn"]

        def address() -> str:
            task: dict[str, Any] = self._ecs.describe_tasks(cluster=NAME, tasks=[arn])["tasks"][0]
            details = [detail for attachment in task.get("attachments", []) for detail in attachment["details"]]
            return next((str(item["value"]) for item in details if item["name"] == "privateIPv4Address"), "")

        found = poll(address, 60)
        assert found, "Redis does not start"
        return found
