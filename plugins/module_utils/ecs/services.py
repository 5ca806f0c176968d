# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Create, update and delete the services of one cluster; ``params`` are the options of the module ecs_service."""

from __future__ import annotations

import uuid
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import tag_change
from ansible_collections.sm2a.airflow.plugins.module_utils.common.waiters import wait_until
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs import api, model, rollout
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs.compare import (
    awsvpc,
    primary_deployment,
    revision_name,
    service_changes,
    service_field,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs.stopped_tasks import Reader

# Options that are no members of UpdateService under their own name.
OWN_OPTIONS = ("name", "launch_type", "network_configuration", "desired_count_on_creation_only", "tags")


def wanted_members(ecs: Any, item: dict[str, Any]) -> dict[str, Any]:
    """The members that one item declares, as CreateService and UpdateService both take them."""
    values = {
        key: value
        for key, value in item.items()
        if key not in (*OWN_OPTIONS, "force_new_deployment") and value is not None
    }
    shape = model.input_shape(ecs, "UpdateService")
    members: dict[str, Any] = model.to_aws({"service": item["name"], **values}, shape, item["name"])
    del members["service"]
    network = awsvpc(item["network_configuration"])
    if network:
        members["networkConfiguration"] = network
    if "taskDefinition" in members:
        members["taskDefinition"] = resolve_revision(ecs, members["taskDefinition"])
    return members


def resolve_revision(ecs: Any, name: str) -> str:
    """The latest active revision when ``name`` is a bare family."""
    if ":" in revision_name(name):
        return name
    latest = api.describe_revision(ecs, name)
    return latest["taskDefinitionArn"] if latest else name


def wanted_tags(params: dict[str, Any], item: dict[str, Any]) -> dict[str, str] | None:
    """Common tags and the item's own; None when neither was given."""
    if params["tags"] is None and item["tags"] is None:
        return None
    return {key: str(value) for key, value in ((params["tags"] or {}) | (item["tags"] or {})).items()}


def view(name: str, service: dict[str, Any]) -> dict[str, Any]:
    """What modules return about a service that ECS describes, or that is to be."""
    return {
        "name": name,
        "arn": service.get("serviceArn", ""),
        "task_definition": revision_name(service.get("taskDefinition", "")),
        "task_definition_arn": service.get("taskDefinition", ""),
        "deployment": primary_deployment(service).get("id", ""),
        "desired_count": service.get("desiredCount", 0),
        "running_count": service.get("runningCount", 0),
        "finishing_count": rollout.finishing_count(service),
    }


def active(ecs: Any, cluster: str, names: list[str]) -> list[dict[str, Any]]:
    """Views of those of the services that exist; one that is being removed no longer does."""
    found = api.describe_services(ecs, cluster, names)
    return [view(name, found[name]) for name in names if found.get(name, {}).get("status") == "ACTIVE"]


def report(name: str, service: dict[str, Any], before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What the module returns about one service, with the two sides of its diff under ``diff``."""
    return {**view(name, service), "changed": before != after, "diff": (before, after)}


def ensure_created(
    ecs: Any, params: dict[str, Any], item: dict[str, Any], members: dict[str, Any], *, check_mode: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Create one service; returns its report and the service as ECS describes it."""
    name = item["name"]
    tags = wanted_tags(params, item)
    if "taskDefinition" not in members:
        raise AnsibleAWSError(message=f"{name}: task_definition is required to create the service")
    service = members
    if not check_mode:
        extra: dict[str, Any] = {"tags": api.tag_list(tags)} if tags else {}
        if item["launch_type"]:
            extra["launchType"] = item["launch_type"]
        token = uuid.uuid4().hex
        service = api.create_service(
            ecs, cluster=params["cluster"], serviceName=name, clientToken=token, **members, **extra
        )
    after = {**model.to_snake(members, model.input_shape(ecs, "CreateService")), "tags": tags or {}}
    return report(name, service, {}, after), service


def ensure_updated(
    ecs: Any,
    params: dict[str, Any],
    item: dict[str, Any],
    members: dict[str, Any],
    service: dict[str, Any],
    *,
    check_mode: bool,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Bring one existing service to what is declared; returns its report and the service as ECS describes it."""
    if item["desired_count_on_creation_only"]:
        members = {key: value for key, value in members.items() if key != "desiredCount"}
    changes = service_changes(service, members)
    if item["force_new_deployment"]:
        changes["forceNewDeployment"] = True
    current_tags = api.tag_dict(service.get("tags"))
    tags = tag_change(current_tags, wanted_tags(params, item), params["purge_tags"])
    old = {field: service_field(service, field) for field in changes}
    shape = model.input_shape(ecs, "UpdateService")
    before, after = model.to_snake(old, shape), model.to_snake(changes, shape)
    if tags:
        before["tags"], after["tags"] = current_tags, tags.result
    if not check_mode:
        if tags:
            api.apply_tags(ecs, service["serviceArn"], tags)
        if changes:
            service = api.update_service(ecs, params["cluster"], item["name"], **changes)
    return report(item["name"], service if not check_mode else {**service, **changes}, before, after), service


def unlisted(ecs: Any, params: dict[str, Any]) -> list[str]:
    """Names of the services that purge_name_prefix and purge_where_tagged mean."""
    prefix, tags = params["purge_name_prefix"], params["purge_where_tagged"] or {}
    if not prefix:
        return []
    listed = [*params["purge_except"], *(item["name"] for item in params["services"])]
    names = api.list_service_names(ecs, params["cluster"])
    found = sorted(name for name in names if name.startswith(prefix) and name not in listed)
    described = api.describe_services(ecs, params["cluster"], found)
    return [name for name in found if tags.items() <= api.tag_dict(described.get(name, {}).get("tags")).items()]


def ensure_present(reader: Reader, params: dict[str, Any], check_mode: bool) -> list[dict[str, Any]]:
    """Create and update every service, then wait for all of them."""
    ecs, cluster = reader.ecs, params["cluster"]
    names = [item["name"] for item in params["services"]]
    wanted = {item["name"]: wanted_members(ecs, item) for item in params["services"]}
    existing = api.describe_services(ecs, cluster, names)
    draining = [name for name, service in existing.items() if service["status"] == "DRAINING"]
    if draining and not check_mode:
        rollout.wait_gone(ecs, cluster, draining, params["wait_delay"], params["wait_timeout"])
    reports: list[dict[str, Any]] = []
    targets: list[rollout.Target] = []
    for item in params["services"]:
        name = item["name"]
        if name in existing and name not in draining:
            entry, service = ensure_updated(ecs, params, item, wanted[name], existing[name], check_mode=check_mode)
        else:
            entry, service = ensure_created(ecs, params, item, wanted[name], check_mode=check_mode)
        reports.append(entry)
        targets.append(rollout.Target(name, primary_deployment(service).get("id", ""), entry["changed"]))
    if params["wait"] and not check_mode:
        steady = rollout.wait_steady(reader, cluster, targets, params["wait_delay"], params["wait_timeout"])
        for entry in reports:
            service = steady[entry["name"]]
            entry["running_count"] = service["runningCount"]
            entry["finishing_count"] = rollout.finishing_count(service)
    # The old services go when the new ones are there.
    return reports + remove(reader, params, unlisted(ecs, params), check_mode)


def ensure_absent(reader: Reader, params: dict[str, Any], check_mode: bool) -> list[dict[str, Any]]:
    """Delete every service that exists and wait for the last one."""
    names = [item["name"] for item in params["services"]]
    return remove(reader, params, names + unlisted(reader.ecs, params), check_mode)


def remove(reader: Reader, params: dict[str, Any], names: list[str], check_mode: bool) -> list[dict[str, Any]]:
    """Delete the services of these names that exist; with ``wait``, return when they are gone."""
    ecs, cluster = reader.ecs, params["cluster"]
    existing = api.describe_services(ecs, cluster, names)
    active = [name for name in names if existing.get(name, {}).get("status") == "ACTIVE"]
    if not check_mode:
        drain(ecs, params, [name for name in active if existing[name]["runningCount"]])
        for name in active:
            api.delete_service(ecs, cluster, name)
        if params["wait"] and existing:
            rollout.wait_gone(ecs, cluster, list(existing), params["wait_delay"], params["wait_timeout"])
    views = {name: {"task_definition": revision_name(existing[name]["taskDefinition"])} for name in active}
    return [report(name, {}, views.get(name, {}), {}) for name in names]


def drain(ecs: Any, params: dict[str, Any], names: list[str]) -> None:
    """Let the tasks of services end before these are deleted, for at most drain_timeout seconds.

    At a count of 0 ECS stops tasks without scale-in protection at once and the others when they give it back; a
    deletion would stop all of them.
    """
    if not names or not params["drain_timeout"]:
        return
    cluster = params["cluster"]
    for name in names:
        api.update_service(ecs, cluster, name, desiredCount=0)

    def empty() -> bool:
        services = api.describe_services(ecs, cluster, names).values()
        return not any(service["runningCount"] + service.get("pendingCount", 0) for service in services)

    wait_until(
        empty, params["wait_delay"], params["drain_timeout"], lambda: f"tasks are ending: {', '.join(sorted(names))}"
    )
