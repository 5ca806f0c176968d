# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What an environment uses of the quotas of RDS, Elastic Load Balancing, ECS and others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from ansible_collections.sm2a.airflow.plugins.module_utils import kms as kms_api
from ansible_collections.sm2a.airflow.plugins.module_utils.acm import api as acm_api
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs import api as ecs_api
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.gathering import Answer, Context, Read
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.quotas import QUOTAS, Usage
from ansible_collections.sm2a.airflow.plugins.module_utils.rds import groups, instances

# Of what an account may have a hundred thousand of, this many pages are counted; a quota above that is not near.
PAGES = 20
RDS_QUOTAS = ("db_instances", "db_storage", "db_subnet_groups", "db_parameter_groups")
# By the capacity provider.
FARGATE_QUOTAS = {"FARGATE": "fargate_on_demand_vcpu", "FARGATE_SPOT": "fargate_spot_vcpu"}

Options = Mapping[str, Any]


def missing(wanted: Iterable[str], there: Iterable[str]) -> int:
    """How many of the names are not there."""
    return len(set(wanted) - set(there))


@call("describe load balancers")
def load_balancers(elbv2: Any, options: Options) -> list[Usage]:
    """Application Load Balancers: others have quotas of their own."""
    pages = elbv2.get_paginator("describe_load_balancers").paginate()
    names = [one["LoadBalancerName"] for page in pages for one in page["LoadBalancers"] if one["Type"] == "application"]
    return [Usage(len(names), missing([options["name"]], names))]


@call("describe target groups")
def target_groups(elbv2: Any, options: Options) -> list[Usage]:
    pages = elbv2.get_paginator("describe_target_groups").paginate()
    names = [one["TargetGroupName"] for page in pages for one in page["TargetGroups"]]
    return [Usage(len(names), missing([options["target_group"]], names))]


@call("read the quotas of RDS")
def _used_of_rds(rds: Any) -> dict[str, float]:
    return {one["AccountQuotaName"]: one["Used"] for one in rds.describe_account_attributes()["AccountQuotas"]}


def databases(rds: Any, options: Options) -> dict[str, list[Usage]]:
    """RDS counts itself; what it does not tell is left out."""
    instance = instances.describe_instance(rds, options["identifier"])
    storage = max(0, options["allocated_storage"] - (instance or {}).get("AllocatedStorage", 0))
    lacking = {
        "db_instances": ("DBInstances", 0 if instance else 1),
        "db_storage": ("AllocatedStorage", storage),
        "db_subnet_groups": (
            "DBSubnetGroups",
            0 if groups.describe_subnet_group(rds, options["subnet_group"]) else 1,
        ),
        "db_parameter_groups": (
            "DBParameterGroups",
            0 if groups.describe_parameter_group(rds, options["parameter_group"]) else 1,
        ),
    }
    used = _used_of_rds(rds)
    return {check: [Usage(used[name], number)] for check, (name, number) in lacking.items() if name in used}


@call("list ECS clusters")
def cluster_names(ecs: Any) -> list[str]:
    """Names of all clusters of the Region."""
    pages = ecs.get_paginator("list_clusters").paginate()
    return [arn.rpartition("/")[2] for page in pages for arn in page["clusterArns"]]


def clusters(ecs: Any, options: Options) -> dict[str, list[Usage]]:
    """The cluster, and the services in it."""
    names = cluster_names(ecs)
    there = ecs_api.list_service_names(ecs, options["name"]) if options["name"] in names else []
    return {
        "ecs_clusters": [Usage(len(names), missing([options["name"]], names))],
        "ecs_services": [Usage(len(there), missing(options["services"], there))],
    }


def fargate(ecs: Any, cluster: str, demands: Sequence[Options]) -> dict[str, list[Usage]]:
    """vCPU of the tasks of all other clusters, and all that this environment asks for, by the name of the check."""
    used: dict[str, float] = {}
    for name in cluster_names(ecs):
        if name == cluster:
            continue
        for task in ecs_api.describe_tasks(ecs, name, ecs_api.list_tasks(ecs, cluster=name)):
            provider = task.get("capacityProviderName") or task.get("launchType") or ""
            used[provider] = used.get(provider, 0) + int(task.get("cpu") or 0) / 1024
    return {
        FARGATE_QUOTAS[one["capacity_provider"]]: [
            Usage(used.get(one["capacity_provider"], 0), one["at_start"], one["at_most"] - one["at_start"])
        ]
        for one in demands
    }


@call("list the secrets")
def secrets(secretsmanager: Any, names: Sequence[str]) -> list[Usage]:
    """Secrets that wait for their deletion count as well, and are restored."""
    pages = secretsmanager.get_paginator("list_secrets").paginate(IncludePlannedDeletion=True)
    there = [one["Name"] for page in islice(pages, PAGES) for one in page["SecretList"]]
    return [Usage(len(there), missing(names, there))]


def kms_keys(kms: Any, alias: str) -> list[Usage]:
    """Keys of AWS's own are counted as well, which the quota does not: some few."""
    return [Usage(len(kms_api.list_key_ids(kms)), 0 if kms_api.describe_key(kms, kms_api.alias_name(alias)) else 1)]


def certificates(acm: Any, name: str) -> list[Usage]:
    """ACM is asked for the tags of each, as the role load_balancer does."""
    arns = acm_api.list_arns(acm)
    return [Usage(len(arns), 0 if acm_api.named(acm, name) else 1)]


@call("read the number of IAM roles")
def _iam_summary(iam: Any) -> dict[str, int]:
    return dict(iam.get_account_summary()["SummaryMap"])


def iam_roles(iam: Any, lacking: int) -> Answer:
    """IAM tells its quota itself; Service Quotas does so in one Region only."""
    summary = _iam_summary(iam)
    values = {QUOTAS["iam_roles"].code: float(summary["RolesQuota"])} if "RolesQuota" in summary else {}
    return Answer(usages={"iam_roles": [Usage(summary.get("Roles", 0), lacking)]}, values=values)


@call("list the buckets")
def buckets(s3: Any, names: Sequence[str]) -> list[Usage]:
    there = [one["Name"] for one in s3.list_buckets()["Buckets"]]
    return [Usage(len(there), missing(names, there))]


def reads(context: Context) -> list[Read]:
    """The questions about these quotas, of what the environment asks for."""
    options, clients = context.options, context.clients
    found: list[Read] = []

    def ask(checks: Sequence[str], count: Callable[[], Mapping[str, Sequence[Usage]]]) -> None:
        found.append(Read(tuple(checks), lambda: Answer(usages=count())))

    if balancer := options["load_balancer"]:
        elbv2, certificate = clients["elbv2"], balancer["certificate"]
        ask(["load_balancers"], lambda: {"load_balancers": load_balancers(elbv2, balancer)})
        ask(["target_groups"], lambda: {"target_groups": target_groups(elbv2, balancer)})
        if certificate:
            ask(["acm_certificates"], lambda: {"acm_certificates": certificates(clients["acm"], certificate)})
    if database := options["database"]:
        ask(RDS_QUOTAS, lambda: databases(clients["rds"], database))
    if cluster := options["cluster"]:
        ask(["ecs_clusters", "ecs_services"], lambda: clusters(clients["ecs"], cluster))
    if demands := options["fargate"]:
        checks = [FARGATE_QUOTAS[one["capacity_provider"]] for one in demands]
        ask(checks, lambda: fargate(clients["ecs"], context.name, demands))
    if names := options["secrets"]:
        ask(["secrets"], lambda: {"secrets": secrets(clients["secretsmanager"], names)})
    if alias := options["kms_key"]:
        ask(["kms_keys"], lambda: {"kms_keys": kms_keys(clients["kms"], alias)})
    if made := context.buckets:
        ask(["s3_buckets"], lambda: {"s3_buckets": buckets(clients["s3"], made)})
    return found
