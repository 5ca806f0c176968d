# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What argument_specs cannot say about Airflow's variables: sizes that Fargate has, groups that fit together. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.airflow_config import (
    config_problems,
    config_secret_problems,
    environment_problems,
)
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.architectures import architecture_problems
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.scaling import scaling_problems
from ansible_collections.sm2a.airflow.plugins.plugin_utils.worker_roles import has_own_role

# CPU units -> least and most memory and its step, in MiB.
FARGATE = {
    256: (512, 2048, 512),
    512: (1024, 4096, 1024),
    1024: (2048, 8192, 1024),
    2048: (4096, 16384, 1024),
    4096: (8192, 30720, 1024),
    8192: (16384, 61440, 4096),
    16384: (32768, 122880, 8192),
}
# 256 CPU units have 512, 1024 and 2048, but not 1536.
NOT_OFFERED = {(256, 1536)}
EPHEMERAL_STORAGE_GIB = (21, 200)
COMPONENTS = ("api_server", "scheduler", "dag_processor", "triggerer", "migrate")
GROUP_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
DIGEST = re.compile(r".+@sha256:[0-9a-f]{64}")
# As git takes them, but no file of this machine: https and ssh, or user@host:path.
GIT_URL = re.compile(r"(https?|ssh)://[^/\s:]+(:\d{1,5})?/\S+|[^/\s:]+@[^/\s:]+:(?!/)\S+", re.IGNORECASE)


def problems(values: Mapping[str, Any]) -> list[str]:
    """One sentence for each thing that is wrong with these variables, each of the type that its role declares.

    Variables that are not given are not judged.
    """
    groups = values.get("airflow_worker_groups") or []
    config, secrets = values.get("airflow_config") or {}, values.get("airflow_config_secrets") or {}
    return [
        *config_problems(config),
        *config_secret_problems(secrets),
        *_component_problems(values),
        *_groups_problems(groups),
        *_queue_problems(values, groups),
        *_group_secrets_problems(values, groups),
        *architecture_problems(values),
        *_dags_problems(values),
        *_image_problems(values),
    ]


def size_problem(cpu: Any, memory: Any) -> str | None:
    """Why Fargate has no task of this size, or None."""
    if int(cpu) not in FARGATE:
        return f"Fargate has no tasks with {cpu} CPU units; choose one of {', '.join(map(str, FARGATE))}"
    least, most, step = FARGATE[int(cpu)]
    offered = least <= int(memory) <= most and (int(memory) - least) % step == 0
    if offered and (int(cpu), int(memory)) not in NOT_OFFERED:
        return None
    sizes = "512, 1024 or 2048" if int(cpu) == 256 else f"{least} to {most} in steps of {step}"
    return f"with {cpu} CPU units Fargate offers {sizes} MiB of memory, not {memory}"


def _component_problems(values: Mapping[str, Any]) -> list[str]:
    found = []
    for component in COMPONENTS:
        cpu, memory = (values.get(f"airflow_{component}_{name}") for name in ("cpu", "memory"))
        if cpu is not None and memory is not None and (problem := size_problem(cpu, memory)):
            found.append(f"airflow_{component}_cpu, airflow_{component}_memory: {problem}")
        count = values.get(f"airflow_{component}_count")
        # Without deferrable tasks there is nothing to trigger.
        fewest = 0 if component == "triggerer" else 1
        if count is not None and int(count) < fewest:
            found.append(f"airflow_{component}_count: must be {fewest} or more")
    return found


def _groups_problems(groups: list[Mapping[str, Any]]) -> list[str]:
    found = []
    for attribute, reason in (
        ("name", "names are unique"),
        ("queue", "a queue has one group, or both would be scaled for the same tasks"),
    ):
        for value, count in Counter(str(group[attribute]) for group in groups).items():
            if count > 1:
                found.append(f"airflow_worker_groups: {count} groups have the {attribute} {value}; {reason}")
    for group in groups:
        found.extend(f"airflow_worker_groups, group {group['name']}: {problem}" for problem in _group_problems(group))
    return found


def _queue_problems(values: Mapping[str, Any], groups: list[Mapping[str, Any]]) -> list[str]:
    """Groups whose queue is not among those of the broker."""
    queues = values.get("airflow_queues")
    if queues is None:
        return []
    return [
        f"airflow_worker_groups, group {group['name']}: its queue {group['queue']} is not in airflow_queues"
        for group in groups
        if group["queue"] not in queues
    ]


def _group_secrets_problems(values: Mapping[str, Any], groups: list[Mapping[str, Any]]) -> list[str]:
    """Secrets of groups that could not read them; values are not repeated."""
    if "airflow_worker_groups" not in values:
        return []
    own = [str(group["name"]) for group in groups if has_own_role(group)]
    found = []
    for option in ("secrets_group_connections", "secrets_group_variables"):
        for name, secrets in (values.get(option) or {}).items():
            if str(name) not in own:
                reason = "is not a group in airflow_worker_groups with own_task_role, so no task could read them"
                found.append(f"{option}: {name} {reason}")
            elif not isinstance(secrets, Mapping):
                found.append(f"{option}, group {name}: must be a dictionary of names and values")
    return found


def _group_problems(group: Mapping[str, Any]) -> list[str]:
    found = []
    if not GROUP_NAME.fullmatch(str(group["name"])):
        found.append("name must be at most 32 lower-case letters, digits and inner hyphens")
    if problem := size_problem(group["cpu"], group["memory"]):
        found.append(problem)
    if int(group["concurrency"]) < 1:
        found.append("concurrency must be 1 or more")
    if not 0 <= int(group["min"]) <= int(group["max"]) or int(group["max"]) < 1:
        found.append(
            f"min and max must satisfy 0 <= min <= max and max >= 1, but are {group['min']} and {group['max']}"
        )
    storage = group.get("ephemeral_storage_gib")
    least, most = EPHEMERAL_STORAGE_GIB
    if storage is not None and not least <= int(storage) <= most:
        found.append(f"ephemeral_storage_gib must be {least} to {most}, not {storage} (20 GiB when unset)")
    found.extend(scaling_problems(group))
    found.extend(environment_problems("environment", group.get("environment") or {}))
    for statement in group.get("policy_statements") or []:
        wide = [action for action in _texts(statement.get("Action")) if action == "*" or action.endswith(":*")]
        if statement.get("Effect") == "Allow" and wide:
            found.append(f"policy_statements: {', '.join(wide)} allows too much; list the actions that are needed")
    return found


def _texts(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)] if value else []


def _dags_problems(values: Mapping[str, Any]) -> list[str]:
    source = values.get("airflow_dags_source") or "image"
    url = str(values.get("airflow_dags_git_url") or "")
    found = []
    if source == "git" and not url and not values.get("airflow_dags_git_connection_id"):
        found.append("airflow_dags_source: git needs airflow_dags_git_url or airflow_dags_git_connection_id")
    # Of one with a password, which has another sentence, the form is not judged.
    if url and not GIT_URL.fullmatch(re.sub(r"//[^/]*@", "//", url)):
        forms = "https://host/path, ssh://user@host:port/path or user@host:path"
        found.append(f"airflow_dags_git_url: must be the address of a repository as {forms}")
    uri = str(values.get("airflow_dags_s3_uri") or "")
    if source == "s3" and not uri and values.get("storage_dags_bucket") is False:
        found.append("airflow_dags_source: s3 needs storage_dags_bucket: true, or a bucket in airflow_dags_s3_uri")
    return found


def _image_problems(values: Mapping[str, Any]) -> list[str]:
    names = ("images_airflow_image", "images_autoscaler_image", "airflow_image", "autoscaler_image")
    return [
        f"{name}: must name the image by its digest, as repository@sha256:..."
        for name in names
        if values.get(name) and not DIGEST.fullmatch(str(values[name]))
    ] + _base_image_problems(values)


def _base_image_problems(values: Mapping[str, Any]) -> list[str]:
    name, source = values.get("images_base_image"), values.get("images_base_source") or "auto"
    if not name or source == "debootstrap" or DIGEST.fullmatch(str(name)):
        return []
    return [
        "images_base_image: must name the image by its digest, as repository@sha256:..., because a tag can be moved to "
        "another image"
    ]
