# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Options that a role needs for some of what it does, which argument_specs cannot say. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.specs import MAIN

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Requirement:
    """``options`` must be given at the role's ``entry_points`` when the state is ``present`` and ``needed`` says so."""

    role: str
    options: tuple[str, ...]
    reason: str = "the state is present"
    needed: Callable[[Values], bool] = lambda _values: True
    entry_points: tuple[str, ...] = (MAIN,)


REQUIREMENTS = (
    Requirement(
        "airflow",
        (
            "airflow_image",
            "airflow_region",
            "airflow_subnet_ids",
            "airflow_security_group_ids",
            "airflow_target_group_arn",
            "airflow_url",
            "airflow_vpc_cidr",
            "airflow_execution_role_arn",
            "airflow_task_role_arns",
            "airflow_log_group_names",
            "airflow_namespace_arn",
            "airflow_queues",
            "airflow_visibility_timeout",
            "airflow_task_queued_timeout",
            "airflow_logs_uri",
            "airflow_database",
        ),
    ),
    Requirement(
        "autoscaler",
        (
            "autoscaler_image",
            "autoscaler_subnet_ids",
            "autoscaler_security_group_ids",
            "autoscaler_execution_role_arn",
            "autoscaler_task_role_arn",
            "autoscaler_log_group_name",
            "autoscaler_worker_groups",
            "autoscaler_database_secret_name",
            "autoscaler_region",
        ),
    ),
    Requirement(
        "cluster",
        ("cluster_queue_arns", "cluster_kms_key_arn", "cluster_logs_bucket_arn", "cluster_master_secret_arn"),
        entry_points=(MAIN, "roles"),
    ),
    Requirement("cluster", ("cluster_kms_key_arn",), entry_points=("cluster",)),
    Requirement("database", ("database_kms_key_arn",), entry_points=(MAIN, "join")),
    Requirement(
        "database",
        ("database_subnet_ids", "database_security_group_ids"),
        "there is no database_existing",
        lambda values: not values.get("database_existing"),
    ),
    Requirement(
        "load_balancer",
        ("load_balancer_vpc_id", "load_balancer_subnet_ids", "load_balancer_security_group_ids"),
    ),
    Requirement(
        "load_balancer",
        ("load_balancer_web_acl_arn",),
        "load_balancer_waf is existing",
        lambda values: values.get("load_balancer_waf") == "existing",
    ),
    Requirement(
        "load_balancer",
        ("load_balancer_access_logs_bucket",),
        "load_balancer_connection_logs is true",
        lambda values: bool(values.get("load_balancer_connection_logs")),
    ),
    Requirement(
        "monitoring",
        (
            "monitoring_region",
            "monitoring_kms_key_arn",
            "monitoring_queues",
            "monitoring_dead_letter_queue",
            "monitoring_load_balancer_arn",
            "monitoring_target_group_arn",
            "monitoring_services",
            "monitoring_worker_groups",
        ),
    ),
    Requirement("storage", ("storage_kms_key_arn",)),
)


def problems(role: str, entry_point: str, values: Values) -> list[str]:
    """One sentence for each option that is needed and not given; ``values`` are converted."""
    if values.get(f"{role}_state", "present") != "present":
        return []
    return [
        f"{option}: is required, because {requirement.reason}"
        for requirement in REQUIREMENTS
        if requirement.role == role and entry_point in requirement.entry_points and requirement.needed(values)
        for option in requirement.options
        if values.get(option) is None
    ]
