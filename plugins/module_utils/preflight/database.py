# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether RDS offers the database as it is asked for. The judgement is pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.findings import Finding
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.gathering import Answer, Context, Once, Read
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.quotas import shown
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.zones import Zones

# What can be switched on: option, as RDS calls it of a class, what it is, and the variable that switches it off.
FEATURES = (
    ("insights", "SupportsPerformanceInsights", "Database Insights", "set database_insights to none"),
    (
        "enhanced_monitoring",
        "SupportsEnhancedMonitoring",
        "Enhanced Monitoring",
        "set database_monitoring_interval to 0",
    ),
    (
        "iam_authentication",
        "SupportsIAMDatabaseAuthentication",
        "IAM database authentication",
        "set database_iam_authentication to false",
    ),
    ("multi_az", "MultiAZCapable", "a standby in another zone", "set database_multi_az to false"),
)
CHECKS = ("database_class", "database_features", "database_storage")
LARGER = "or choose a larger database_instance_class"

Options = Mapping[str, Any]
Offers = Sequence[Mapping[str, Any]]


@call("list what RDS offers")
def offers(rds: Any, options: Options) -> list[dict[str, Any]]:
    """What can be ordered of engine and class, one item for each version and storage type."""
    pages = rds.get_paginator("describe_orderable_db_instance_options").paginate(
        Engine=options["engine"], DBInstanceClass=options["instance_class"], Vpc=True
    )
    return [one for page in pages for one in page["OrderableDBInstanceOptions"]]


def of_version(offered: Offers, version: str) -> Offers:
    """Those of a version, or of all minor versions of it."""
    return [one for one in offered if f"{one['EngineVersion']}.".startswith(f"{version}.")]


def judge(offered: Offers, options: Options, region: str) -> list[Finding]:
    """Everything that RDS would refuse, whatever the zones."""
    what = f"{options['instance_class']} for {options['engine']}"
    versions = of_version(offered, options["engine_version"])
    if not versions:
        others = sorted({str(one["EngineVersion"]) for one in offered})
        there = f"it has versions {', '.join(others)}" if others else "no version of it"
        message = (
            f"RDS offers no {what} {options['engine_version']} in {region} ({there}): choose another "
            "database_instance_class or database_engine_version."
        )
        return [Finding("database_class", message)]
    stored = [one for one in versions if one.get("StorageType") == options["storage_type"]]
    found = _features(stored or versions, options, what)
    if stored:
        return found + _sizes(stored, options, what)
    types = sorted({str(one.get("StorageType")) for one in versions})
    message = (
        f"RDS has no {options['storage_type']} storage with {what}: choose {' or '.join(types)} as "
        "database_storage_type."
    )
    return [*found, Finding("database_storage", message)]


def _features(offered: Offers, options: Options, what: str) -> list[Finding]:
    return [
        Finding("database_features", f"RDS has no {name} with {what}: {off}, {LARGER}.")
        for option, key, name, off in FEATURES
        if options[option] and not any(one.get(key, True) for one in offered)
    ]


def _sizes(offered: Offers, options: Options, what: str) -> list[Finding]:
    least = min((one["MinStorageSize"] for one in offered if "MinStorageSize" in one), default=0)
    most = max((one["MaxStorageSize"] for one in offered if "MaxStorageSize" in one), default=0)
    found = []
    for option in ("allocated_storage", "max_allocated_storage"):
        size = options[option]
        if size and (size < least or (most and size > most)):
            message = (
                f"{options['storage_type']} storage of {what} is {shown(least)} to {shown(most)} GiB large, not "
                f"{shown(size)}: change database_{option}."
            )
            found.append(Finding("database_storage", message))
    return found


def judge_zones(offered: Offers, options: Options, zones: Sequence[str]) -> list[Finding]:
    """Whether RDS offers the class in as many of the zones of the private subnets as the database needs."""
    places = {
        zone["Name"] for one in of_version(offered, options["engine_version"]) for zone in one["AvailabilityZones"]
    }
    needed = 2 if options["multi_az"] else 1
    if not places or len(places.intersection(zones)) >= needed:
        return []
    message = (
        f"RDS offers {options['instance_class']} for {options['engine']} in {', '.join(sorted(places))}; of the zones "
        f"{', '.join(zones)} {needed} must be among them: choose another database_instance_class, or other zones."
    )
    return [Finding("database_zones", message)]


def reads(context: Context, zones: Once[Zones]) -> list[Read]:
    """Two questions: where zones cannot be read, the rest can be judged."""
    options, rds = context.options["database"], context.clients["rds"]
    if not options:
        return []
    offered = Once(lambda: offers(rds, options))

    def in_zones() -> Answer:
        return Answer(judge_zones(offered(), options, zones().chosen))

    found = [Read(CHECKS, lambda: Answer(judge(offered(), options, context.region)))]
    if context.options["network"]:
        found.append(Read(("database_zones",), in_zones))
    return found
