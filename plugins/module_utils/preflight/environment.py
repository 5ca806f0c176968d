# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""All checks of an environment: what they ask, at once, and what comes of the answers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ansible_collections.sm2a.airflow.plugins.module_utils.preflight import (
    database,
    domain,
    images,
    machine,
    names,
    network_usage,
    service_usage,
    zones,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.checks import NAMES
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.findings import Finding, conclude
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.gathering import (
    Answer,
    Context,
    Once,
    Read,
    gather,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.quotas import (
    GLOBAL_SERVICES,
    QUOTAS,
    global_region,
    judge,
    quotas_of,
)

# A boto3 client of Service Quotas in a Region.
QuotasClient = Callable[[str], Any]


def check(context: Context, service_quotas: QuotasClient) -> dict[str, Any]:
    """The result of the module."""
    asked = _reads(context)
    wanted = {name for read in asked for name in read.checks}
    answers, unread = gather([*asked, *_quota_reads(context, service_quotas, wanted)])
    findings = [finding for answer in answers for finding in answer.findings]
    findings += _judged_quotas(context, answers)
    made = [name for name in NAMES if name in wanted]
    return conclude(made, findings, unread, context.options["ignore"])


def _reads(context: Context) -> list[Read]:
    """Everything but the quotas themselves."""
    network = context.options["network"]
    chosen = Once(lambda: zones.read_zones(context.clients["ec2"], context.name, network))
    return [
        *machine.reads(context),
        *images.reads(context),
        *zones.reads(context, chosen),
        *database.reads(context, chosen),
        *network_usage.reads(context),
        *service_usage.reads(context),
        *names.reads(context),
        *domain.reads(context),
    ]


def _quota_reads(context: Context, service_quotas: QuotasClient, wanted: set[str]) -> list[Read]:
    """One question for each service that has quotas of these checks, but IAM, which tells its own."""
    services: dict[str, list[str]] = {}
    for name in NAMES:
        if name in wanted and name in QUOTAS and QUOTAS[name].service != "iam":
            services.setdefault(QUOTAS[name].service, []).append(name)
    here = service_quotas(context.region)
    there = service_quotas(global_region(context.partition, context.region))

    def ask(service: str, checks: list[str]) -> Answer:
        codes = {QUOTAS[name].code for name in checks}
        return Answer(values=quotas_of(there if service in GLOBAL_SERVICES else here, service, codes))

    return [Read(tuple(checks), partial(ask, service, checks)) for service, checks in services.items()]


def _judged_quotas(context: Context, answers: list[Answer]) -> list[Finding]:
    values = {code: value for answer in answers for code, value in answer.values.items()}
    found = []
    for answer in answers:
        for name, usages in answer.usages.items():
            everywhere = QUOTAS[name].service in (*GLOBAL_SERVICES, "iam")
            region = global_region(context.partition, context.region) if everywhere else context.region
            found += judge(name, list(usages), values, region)
    return found
