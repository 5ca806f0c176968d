# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What an inventory asks of AWS, in the options of environment_preflight_info. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.architectures import architectures
from ansible_collections.sm2a.airflow.plugins.plugin_utils.preflight.network_demand import network
from ansible_collections.sm2a.airflow.plugins.plugin_utils.worker_roles import worker_task_roles

# What roles/airflow/templates/services.yml.j2 and roles/autoscaler/vars/main.yml have.
ROLLING = 2
AUTOSCALER_CPU = 256
COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")
TASK_ROLES = (*COMPONENTS, "worker", "migrate", "autoscaler", "execution")
VERSIONS = {"postgres": "17", "mysql": "8.4"}
# Secrets of the roles secrets and database, by their names after that of the environment.
CONFIG_SECRETS = (
    "fernet_key",
    "api_secret_key",
    "jwt_secret",
    "sql_alchemy_conn",
    "dag_processor_sql_alchemy_conn",
    "triggerer_sql_alchemy_conn",
    "autoscaler_sql_alchemy_conn",
    "result_backend",
    "scheduler_result_backend",
)

# What the images have unless images_database_ca_bundle names another one.
DATABASE_CA_BUNDLE = Path(__file__).resolve().parents[3] / "docker/airflow/rds-ca-bundle.pem"

Inputs = Mapping[str, Any]


def fargate(inputs: Inputs) -> list[dict[str, Any]]:
    """vCPU of each capacity provider: to start with, and with all services rolling and all groups at their largest."""
    services = sum(
        inputs[f"airflow_{name.replace('-', '_')}_count"] * inputs[f"airflow_{name.replace('-', '_')}_cpu"]
        for name in COMPONENTS
    )
    groups = inputs["airflow_worker_groups"]

    def workers(provider: str, size: str) -> int:
        return sum(
            int(group["cpu"]) * int(group[size])
            for group in groups
            if (group.get("capacity_provider") or "FARGATE") == provider
        )

    on_demand = services + AUTOSCALER_CPU + workers("FARGATE", "min")
    largest = services * ROLLING + AUTOSCALER_CPU + inputs["airflow_migrate_cpu"] + workers("FARGATE", "max")
    demands = [
        ("FARGATE", on_demand, max(on_demand, largest)),
        ("FARGATE_SPOT", workers("FARGATE_SPOT", "min"), workers("FARGATE_SPOT", "max")),
    ]
    return [
        {"capacity_provider": provider, "at_start": start / 1024, "at_most": most / 1024}
        for provider, start, most in demands
        if most
    ]


def database(inputs: Inputs) -> dict[str, Any] | None:
    """The DB instance, None where somebody else manages it."""
    if inputs.get("database_existing"):
        return None
    name, engine = inputs["sm2a_name"], inputs["database_engine"]
    version = str(inputs.get("database_engine_version") or VERSIONS[engine])
    parts = 1 if engine == "postgres" else 2
    family = "".join((engine, "-".join(version.split(".")[:parts])))
    return {
        "identifier": name,
        "subnet_group": name,
        "parameter_group": f"{name}-{family}",
        "engine": engine,
        "engine_version": version,
        "instance_class": inputs["database_instance_class"],
        "storage_type": inputs["database_storage_type"],
        "allocated_storage": inputs["database_allocated_storage"],
        "max_allocated_storage": inputs["database_max_allocated_storage"],
        "multi_az": inputs["database_multi_az"],
        "insights": inputs["database_insights"] != "none",
        "enhanced_monitoring": inputs["database_monitoring_interval"] > 0,
        "iam_authentication": inputs["database_iam_authentication"],
    }


def domain(inputs: Inputs) -> dict[str, Any] | None:
    """The domain and its hosted zone, None where Route 53 has no part in it."""
    zone_id, zone_name = (inputs.get(f"load_balancer_hosted_zone_{key}") for key in ("id", "name"))
    if inputs["load_balancer_dns"] == "manual" or not (zone_id or zone_name):
        return None
    own_zone = not inputs.get("load_balancer_certificate_hosted_zone_id")
    requested = inputs["load_balancer_certificate_source"] == "request" and not inputs.get(
        "load_balancer_certificate_arn"
    )
    return {
        "name": inputs["load_balancer_domain_name"],
        "hosted_zone_id": zone_id,
        "hosted_zone_name": zone_name,
        "dns_role_arn": inputs.get("load_balancer_dns_role_arn"),
        "dns_role_external_id": inputs.get("load_balancer_dns_role_external_id"),
        "validated": requested and own_zone,
        "load_balancer": inputs["sm2a_name"],
    }


def roles(inputs: Inputs) -> list[str]:
    """Names of the IAM roles that the run makes."""
    name = inputs["sm2a_name"]
    names = [f"{name}-{role}" for role in TASK_ROLES]
    names += [role["name"] for role in worker_task_roles(inputs["airflow_worker_groups"], name) if role["own"]]
    if inputs["network_flow_logs"] and not inputs.get("network_vpc_id"):
        names.append(f"{name}-flow-logs")
    monitored = inputs["database_monitoring_interval"] > 0 and not inputs.get("database_monitoring_role_arn")
    if monitored and not inputs.get("database_existing"):
        names.append(f"{name}-rds-monitoring")
    return names


def buckets(inputs: Inputs) -> list[str]:
    """Names of the S3 buckets, without the account id at their end."""
    kinds = {
        "logs": True,
        "dags": inputs["storage_dags_bucket"],
        "access-logs": not inputs.get("storage_access_logs_bucket"),
        "run-lock": inputs["sm2a_lock"],
    }
    return [f"{inputs['sm2a_name']}-{kind}" for kind, made in kinds.items() if made]


def secrets(inputs: Inputs) -> list[str]:
    """Names of the secrets that are generated; what a user gives is secret, so that nobody counts it here."""
    name, user, result = inputs["sm2a_name"], inputs["database_username"], inputs["database_result_name"]
    users = [user, f"{user}_dag_processor", f"{user}_triggerer", f"{user}_autoscaler", result, f"{result}_reader"]
    return [
        f"{name}/admin",
        *(f"{name}/config/{secret}" for secret in CONFIG_SECRETS),
        *(f"{name}/database/{each}" for each in users),
    ]


def images(inputs: Inputs) -> list[dict[str, Any]]:
    """Images that are given, with the architecture of every component and worker group that runs them."""
    return [
        {"option": option, "image": str(inputs[option]), "architectures": needs}
        for option, needs in architectures(inputs).items()
        if inputs.get(option)
    ]


def preflight_demand(inputs: Inputs) -> dict[str, Any]:
    """Options of environment_preflight_info, from the fact ``sm2a_inputs``; what is not asked for is left out."""
    name = inputs["sm2a_name"]
    given = (inputs.get("images_airflow_image"), inputs.get("images_autoscaler_image"))
    options: dict[str, Any] = {
        "name": name,
        "fargate": fargate(inputs),
        "network": network(inputs),
        "load_balancer": {
            "name": name,
            "target_group": f"{name}-api-server",
            "certificate": None if inputs.get("load_balancer_certificate_arn") else f"{name}-load-balancer",
        },
        "domain": domain(inputs),
        "database": database(inputs),
        "cluster": {"name": name, "services": services(inputs)},
        "roles": roles(inputs),
        "buckets": buckets(inputs),
        "secrets": secrets(inputs),
        "kms_key": None if inputs.get("secrets_kms_key_arn") else name,
        "container_engine": None if all(given) else inputs["images_engine"],
        "repository": f"{name}/airflow",
        "images": images(inputs),
    }
    if inputs["database_tls_verification"] and options["database"]:
        bundle = inputs.get("images_database_ca_bundle") or str(DATABASE_CA_BUNDLE)
        options["certificate_authorities"] = {"bundle": bundle, "certain": not given[0]}
    return {option: value for option, value in options.items() if value is not None}


def services(inputs: Inputs) -> Sequence[str]:
    """Names of the ECS services."""
    return [*COMPONENTS, "autoscaler", *(f"worker-{group['name']}" for group in inputs["airflow_worker_groups"])]
