# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Compare what a user declares with what ECS reports: pure functions over API-shaped (camelCase) values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

EMPTY: tuple[Any, ...] = (None, "", [], {}, False, 0)
# Lists whose order ECS does not promise to keep, and the key that identifies an element.
KEYED_LISTS = {
    "containerDefinitions": "name",
    "secrets": "name",
    "volumes": "name",
    "mountPoints": "containerPath",
    "portMappings": "containerPort",
    "ulimits": "name",
    "dependsOn": "containerName",
}
# What ECS fills in when a task definition is registered without it.
TASK_DEFAULTS = {"networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"]}
HEALTH_CHECK_DEFAULTS = {"interval": 30, "timeout": 5, "retries": 3}
PLATFORM_DEFAULTS = {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"}
# Facts about a revision, not part of what was registered.
REVISION_FACTS = (
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
    "tags",
)
# LATEST is a name for the newest Linux platform; ECS reports either.
LATEST_PLATFORM_VERSIONS = ("LATEST", "1.4.0")
# UpdateService applies these to running tasks only with a new deployment, and starts none by itself.
NEED_NEW_DEPLOYMENT = ("capacityProviderStrategy", "enableExecuteCommand", "enableECSManagedTags", "propagateTags")
# ECS reports these per deployment.
DEPLOYMENT_FIELDS = ("serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations")
# UpdateService replaces these structures whole: members that were not declared are sent back as they are.
MERGED_FIELDS = ("deploymentConfiguration", "networkConfiguration")


def is_empty(value: Any) -> bool:
    """Absent, and ECS's way of saying so (False, 0, an empty text or collection), are the same."""
    return any(type(value) is type(empty) and value == empty for empty in EMPTY)


def comparable_task_definition(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a task definition, wanted or described, in one form: defaults filled, empties gone, lists sorted.

    A container's environment becomes a dictionary, so that an empty value stays a value.
    """
    content = {**TASK_DEFAULTS, **{key: value for key, value in definition.items() if key not in REVISION_FACTS}}
    if content.get("runtimePlatform"):
        content["runtimePlatform"] = {**PLATFORM_DEFAULTS, **content["runtimePlatform"]}
    content["requiresCompatibilities"] = sorted(content["requiresCompatibilities"])
    content["containerDefinitions"] = [_container(item) for item in content["containerDefinitions"]]
    return _pruned_members(content)


def _container(container: Mapping[str, Any]) -> dict[str, Any]:
    filled = dict(container)
    filled["environment"] = {item["name"]: item.get("value", "") for item in container.get("environment") or []}
    # A word, because False means something here and would be pruned.
    filled["essential"] = "yes" if container.get("essential", True) else "no"
    filled["portMappings"] = [
        {"hostPort": port.get("containerPort"), "protocol": "tcp", **port}
        for port in container.get("portMappings") or []
    ]
    if container.get("healthCheck"):
        filled["healthCheck"] = {**HEALTH_CHECK_DEFAULTS, **container["healthCheck"]}
    return filled


def _pruned_members(value: Mapping[str, Any]) -> dict[str, Any]:
    members = {key: item if key == "environment" else _pruned(item, key) for key, item in sorted(value.items())}
    return {key: item for key, item in members.items() if not is_empty(item)}


def _pruned(value: Any, name: str = "") -> Any:
    """``value`` without empty members, keyed lists sorted by their key."""
    if isinstance(value, Mapping):
        return _pruned_members(value)
    if isinstance(value, list):
        items = [_pruned(item) for item in value]
        key = KEYED_LISTS.get(name)
        return sorted(items, key=lambda item: str(item.get(key, ""))) if key else items
    return value


def covers(current: Any, wanted: Any) -> bool:
    """True when ``current`` has every declared member of ``wanted``; lists match element by element, in any order."""
    if is_empty(wanted):
        return is_empty(current)
    if isinstance(wanted, Mapping):
        members = {} if current is None else current
        return isinstance(members, Mapping) and all(covers(members.get(key), item) for key, item in wanted.items())
    if isinstance(wanted, list):
        return isinstance(current, list) and len(current) == len(wanted) and _match_all(current, wanted)
    return bool(current == wanted)


def _match_all(current: Iterable[Any], wanted: Iterable[Any]) -> bool:
    left = list(current)
    for item in wanted:
        match = next((candidate for candidate in left if covers(candidate, item)), None)
        if match is None:
            return False
        left.remove(match)
    return True


def merged(current: Any, wanted: Any) -> Any:
    """``wanted`` over ``current``, member by member; lists and values of ``wanted`` replace."""
    if not (isinstance(current, Mapping) and isinstance(wanted, Mapping)):
        return wanted
    kept = {key: item for key, item in current.items() if key not in wanted and not is_empty(item)}
    return kept | {key: merged(current.get(key), item) for key, item in wanted.items()}


def awsvpc(option: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The API's networkConfiguration of an option with subnets, security_groups and assign_public_ip (bool)."""
    if option is None:
        return None
    members: dict[str, Any] = {"subnets": option["subnets"]}
    if option["security_groups"] is not None:
        members["securityGroups"] = option["security_groups"]
    if option["assign_public_ip"] is not None:
        members["assignPublicIp"] = "ENABLED" if option["assign_public_ip"] else "DISABLED"
    return {"awsvpcConfiguration": members}


def revision_name(task_definition: str) -> str:
    """``family:revision`` of an ARN; a name stays as it is."""
    return task_definition.rsplit("/", 1)[-1]


def primary_deployment(service: Mapping[str, Any]) -> dict[str, Any]:
    """The deployment that ECS is heading for, or has reached; {} when there is none."""
    return next((item for item in service.get("deployments") or [] if item.get("status") == "PRIMARY"), {})


def service_field(service: Mapping[str, Any], field: str) -> Any:
    """What a described service has in ``field``, wherever ECS reports it."""
    source = primary_deployment(service) if field in DEPLOYMENT_FIELDS else service
    return source.get(field)


def service_changes(service: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The UpdateService members that bring a described ``service`` to ``wanted``; {} when it is there already.

    A deployment that ended in failure is started again.
    """
    changes: dict[str, Any] = {}
    for field, value in wanted.items():
        current = service_field(service, field)
        if not _same_field(field, current, value):
            changes[field] = merged(current, value) if field in MERGED_FIELDS else value
    failed = primary_deployment(service).get("rolloutState") == "FAILED"
    if failed or any(field in changes for field in NEED_NEW_DEPLOYMENT):
        changes["forceNewDeployment"] = True
    return changes


def _same_field(field: str, current: Any, wanted: Any) -> bool:
    if field == "taskDefinition":
        return revision_name(current or "") == revision_name(wanted)
    if field == "platformVersion" and wanted == "LATEST":
        return current in LATEST_PLATFORM_VERSIONS
    return covers(current, wanted)
