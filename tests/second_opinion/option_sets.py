# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The environments that both emulators must agree on: the defaults, and one with as many other options as fit."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible_collections.sm2a.airflow.plugins.module_utils.acm import x509 as certificates
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs

DOMAIN = "airflow.example.com"
Prepare = Callable[[runs.ControlPlane, Path], dict[str, Any]]
SPOT = {"name": "spot", "queue": "spot", **runs.GROUP_SIZE, "capacity_provider": "FARGATE_SPOT"}
TEAM = {"name": "team", "queue": "team", **runs.GROUP_SIZE, "min": 0, "own_task_role": True}


# moto knows few DB instance classes.
OFFERED = {"preflight_ignore": ["database_class"]}


def defaults(_aws: runs.ControlPlane, _directory: Path) -> dict[str, Any]:
    """Nothing but what an inventory must say."""
    return OFFERED


def others(aws: runs.ControlPlane, directory: Path) -> dict[str, Any]:
    """MySQL in three zones without the internet, with a key, a certificate, a zone and a login of somebody else."""
    key = aws.client("kms").create_key(Description="of the company")["KeyMetadata"]["Arn"]
    aws.client("route53").create_hosted_zone(Name="example.com", CallerReference="a")
    client = json.dumps({"client": "s"})
    aws.client("secretsmanager").create_secret(Name="company/oidc", SecretString=client)
    made = certificates.self_signed([DOMAIN], 365)
    certificate, private_key = directory / "certificate.pem", directory / "key.pem"
    certificate.write_text(made.certificate, encoding="utf-8")
    private_key.write_text(made.private_key, encoding="utf-8")
    provider = ("issuer", "authorization_endpoint", "token_endpoint", "user_info_endpoint")
    return {
        **OFFERED,
        "sm2a_name": "odd-1",
        # None without a value: moto's GetBucketTagging leaves an empty one out.
        "sm2a_tags": {"Größe/1": "10 m/s + 1@x=_.:-"},
        "airflow_worker_groups": [runs.DEFAULT_GROUP, SPOT, TEAM],
        "airflow_dags_source": "s3",
        "airflow_metrics_enabled": True,
        "broker_visibility_timeout": 1800,
        "cluster_execute_command": True,
        "cluster_iam_path": "/sm2a/",
        "database_engine": "mysql",
        "database_insights_retention_period": 93,
        "database_parameters": {"max_connections": 300},
        "load_balancer_access_logs_prefix": "front",
        "load_balancer_certificate_source": "import",
        "load_balancer_certificate_file": str(certificate),
        "load_balancer_certificate_private_key_file": str(private_key),
        "load_balancer_hosted_zone_name": "example.com",
        "load_balancer_idle_timeout_seconds": 90,
        "load_balancer_oidc": {
            **{name: f"https://login.example.com/{name}" for name in provider},
            "client_id": "airflow",
            "client_secret_name": "company/oidc",
            "client_secret_key": "client",
        },
        "load_balancer_scheme": "internal",
        "load_balancer_waf": "create",
        "monitoring_notification_emails": ["ops@example.com"],
        "network_availability_zone_count": 3,
        "network_egress": "endpoints",
        "secrets_connections": {"warehouse": "http://a:b@c"},
        "secrets_kms_key_arn": key,
        "secrets_variables": {"region": "north"},
        "storage_dags_bucket": True,
    }


SETS: dict[str, Prepare] = {prepare.__name__: prepare for prepare in (defaults, others)}
# Those to run: `make test` names the first one only.
CHOSEN = os.environ.get("SM2A_SECOND_OPINION", " ".join(SETS)).split()
