# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Tasks run on Fargate only, and only such as Fargate takes: there is no other capacity here."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import ecs

from sm2a_local_aws.ecs import fargate_rules
from sm2a_local_aws.patching.points import relies_on, replaces

Handler = Callable[[dict[str, Any]], Any]
Request = dict[str, Any]

FARGATE = "FARGATE"
PROVIDERS = {"FARGATE", "FARGATE_SPOT"}
NO_INSTANCES = "No Container Instances were found in your cluster."
NOT_ASSOCIATED = (
    "The capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. "
    "Associate the capacity provider with the cluster and try again."
)
NOT_FARGATE = "Task definition does not support launch_type FARGATE."

relies_on("ministack.services.ecs", {"_launch_choice": "1a004f8f789b", "_resolve_td_key": "0cd4ac5c23ce"})


@replaces("ministack.services.ecs:_register_task_definition", "824afe19e6a1")
def register_task_definition(original: Handler, data: Request) -> Any:
    """Refuse what Fargate does not take, when the definition says that it is for Fargate."""
    malformed = fargate_rules.malformed(data)
    if malformed:
        return error_response_json("SerializationException", malformed, 400)
    if FARGATE not in (data.get("requiresCompatibilities") or []):
        return _registered(original, data)
    problem = fargate_rules.problem(data)
    if problem:
        return error_response_json("ClientException", problem, 400)
    # AWS keeps `1 vCPU` and `2 GB` as numbers.
    cpu, memory = fargate_rules.size(data)
    return _registered(original, {**data, "cpu": str(cpu), "memory": str(memory)})


def _registered(original: Handler, data: Request) -> Any:
    """Keep and answer what was given: AWS has no empty text for a field that was not, and would not take it back."""
    answer = original(data)
    if answer[0] != HTTPStatus.OK:
        return answer
    family = data["family"]
    definition = ecs._task_defs[f"{family}:{ecs._task_def_latest[family]}"]
    for field in [name for name, value in definition.items() if value in ("", None)]:
        del definition[field]
    return json_response({"taskDefinition": definition, "tags": data.get("tags", [])})


@replaces(
    "ministack.services.ecs:_run_task", "6e96d8f5a5b8", over=("ecs.without_engine", "ecs.deployments", "ecs.task_tags")
)
def run_task(original: Handler, data: Request) -> Any:
    """Refuse what would not run on Fargate, whatever the definition was registered for."""
    return _problem(data) or _stray_override(data) or original(data)


@replaces("ministack.services.ecs:_create_service", "8bc82a13551c", over=("ecs.deployments",))
def create_service(original: Handler, data: Request) -> Any:
    """Refuse a service whose tasks would be refused: on AWS one for EC2 is taken, and waits for instances for ever."""
    return _problem(data) or original(data)


@replaces("ministack.services.ecs:_update_service", "bde69c11b50d", over=("ecs.deployments",))
def update_service(original: Handler, data: Request) -> Any:
    """Refuse another definition or another capacity that would be refused at the start."""
    asked = {key: data[key] for key in ("cluster", "capacityProviderStrategy", "taskDefinition") if data.get(key)}
    if "capacityProviderStrategy" not in asked:
        asked["launchType"] = FARGATE
    return _problem(asked) or original(data)


def _problem(data: Request) -> Any:
    """An error when the request asks for other capacity than Fargate, or for a task that Fargate refuses."""
    cluster = ecs._clusters.get(ecs._resolve_cluster_name(data.get("cluster", "default")) or "")
    launch_type, strategy, error = ecs._launch_choice(data, cluster)
    if error:
        return error
    if any(item.get("capacityProvider") not in PROVIDERS for item in strategy or []):
        return error_response_json("InvalidParameterException", NOT_ASSOCIATED, 400)
    if not strategy and launch_type != FARGATE:
        return error_response_json("InvalidParameterException", NO_INSTANCES, 400)
    definition = _definition(data)
    if definition and fargate_rules.problem(definition):
        return error_response_json("InvalidParameterException", NOT_FARGATE, 400)
    return None


def _definition(data: Request) -> dict[str, Any]:
    found: dict[str, Any] = ecs._task_defs.get(ecs._resolve_td_key(data.get("taskDefinition") or "")) or {}
    return found


def _stray_override(data: Request) -> Any:
    """An error when a container is overridden that the task does not have."""
    known = {container["name"] for container in _definition(data).get("containerDefinitions") or ()}
    overrides = (data.get("overrides") or {}).get("containerOverrides") or ()
    stray = [override.get("name") for override in overrides if override.get("name") not in known]
    if known and stray:
        message = f"Override for container named {stray[0]} is not a container in the TaskDefinition."
        return error_response_json("InvalidParameterException", message, 400)
    return None
