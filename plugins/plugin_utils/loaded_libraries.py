# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the modules need, loaded once by ansible-playbook: forks find it in the memory that they share with it."""

from __future__ import annotations

import gc
import importlib
import os
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

with suppress(ImportError):  # The modules report the missing library.
    import botocore.loaders
    import botocore.session

from ansible.plugins.loader import filter_loader, test_loader
from ansible.utils.display import Display

MODULES = "ansible_collections.sm2a.airflow.plugins.modules"
# The services whose clients each module makes.
SERVICES: dict[str, tuple[str, ...]] = {
    "acm_certificate": ("acm", "route53"),
    "airflow_dag_run": ("acm", "secretsmanager"),
    "caller_identity_info": ("sts",),
    "cloudwatch_alarms": ("cloudwatch",),
    "cloudwatch_alarms_info": ("cloudwatch",),
    "cloudwatch_dashboard": ("cloudwatch",),
    "cloudwatchlogs_log_groups": ("logs",),
    "container_base_image": (),
    "container_engine": (),
    "container_image": ("ecr",),
    "container_image_info": ("ecr",),
    "ec2_flow_logs": ("ec2",),
    "ec2_security_groups": ("ec2",),
    "ec2_vpc_endpoints": ("ec2",),
    "ec2_vpc_network": ("ec2",),
    "ec2_vpc_network_info": ("ec2",),
    "ecr_repository": ("ecr", "sts"),
    "ecr_repository_info": ("ecr", "sts"),
    "ecs_cluster": ("ecs",),
    "ecs_service": ("ecs", "logs"),
    "ecs_service_info": ("ecs",),
    "ecs_service_wait": ("ecs", "logs"),
    "ecs_task": ("ecs", "logs"),
    "ecs_task_definition": ("ecs",),
    "elbv2_load_balancer": ("elbv2", "secretsmanager"),
    "elbv2_load_balancer_info": ("elbv2",),
    "elbv2_target_group": ("elbv2",),
    "environment_preflight_info": (
        "acm",
        "ec2",
        "ecr",
        "ecs",
        "elbv2",
        "iam",
        "kms",
        "rds",
        "route53",
        "s3",
        "secretsmanager",
        "service-quotas",
        "sts",
    ),
    "environment_removal_info": (
        "ecr",
        "ecs",
        "elbv2",
        "kms",
        "logs",
        "rds",
        "s3",
        "secretsmanager",
        "sqs",
    ),
    "iam_service_roles": ("iam",),
    "kms_key": ("kms",),
    "kms_key_info": ("kms",),
    "rds_instance": ("rds",),
    "rds_instance_info": ("rds",),
    "rds_instance_wait": ("rds",),
    "rds_parameter_group": ("rds",),
    "rds_subnet_group": ("rds",),
    "route53_load_balancer_alias": ("elbv2", "route53"),
    "s3_bucket": ("s3",),
    "s3_run_lock": ("s3",),
    "s3_run_lock_info": ("s3",),
    "secretsmanager_secret": ("secretsmanager",),
    "secretsmanager_secret_info": ("secretsmanager",),
    "service_discovery_namespace": ("servicediscovery",),
    "service_discovery_namespace_info": ("servicediscovery",),
    "sns_topic": ("sns", "sts"),
    "sqs_queue": ("sqs",),
    "sqs_queue_info": ("sqs",),
    "wafv2_web_acl": ("wafv2",),
    "wafv2_web_acl_association": ("elbv2", "wafv2"),
}
# Settings of the user are not looked at: each module does so itself.
NO_KEY = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
NO_SETTINGS = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


def load_filters() -> None:
    """Find the filters and tests of templates once; otherwise every worker looks for them in all their files."""
    filter_loader.get("ansible.builtin.default")
    test_loader.get("ansible.builtin.defined")
    with suppress(KeyError):  # Outside of a playbook there are no collections.
        filter_loader.get("sm2a.airflow.named_secrets")


class Libraries:
    """Loaded modules, and models of AWS services parsed by one loader."""

    def __init__(self) -> None:
        self._session: Any = None
        self._loaded: set[str] = set()

    def load_own(self, module: str) -> None:
        """Load a module of this collection, by its name there."""
        self.load(f"{MODULES}.{module}", SERVICES[module])

    def load(self, module: str, services: Iterable[str]) -> None:
        """Load a module, by its full name in Python, and the models of its services, unless that is done."""
        try:
            load_filters()
            importlib.import_module(module)
            for service in services:
                self._load_service(service)
        except Exception as error:  # pylint: disable=broad-except
            # Only time is lost: the module meets the same error and tells it better.
            Display().vvv(f"{module} is not loaded beforehand: {error}")
        # Pages that a garbage collection writes to are not shared any more.
        gc.freeze()

    def _load_service(self, service: str) -> None:
        if service in self._loaded:
            return
        if self._session is None:
            self._session = botocore.session.Session(session_vars=NO_SETTINGS)
        self._session.create_client(service, region_name="us-east-1", **NO_KEY)
        self._loaded.add(service)

    def use(self) -> None:
        """Let sessions of this process, which is a fork, find the models; botocore parses them for each session."""
        if self._session is None:
            return
        loader = self._session.get_component("data_loader")
        create_loader = botocore.loaders.create_loader
        # AWS_DATA_PATH names other models.
        botocore.session.create_loader = lambda paths=None: create_loader(paths) if paths else loader


LIBRARIES = Libraries()
