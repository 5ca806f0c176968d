# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""RDS says which DB instances can be ordered, and refuses others: classes, versions, Performance Insights."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from typing import Any

from ministack.services import rds

from sm2a_local_aws.patching.points import relies_on, replaces
from sm2a_local_aws.rds import offerings

Handler = Callable[[dict[str, Any]], Any]
Parameters = dict[str, Any]

# Records on a page: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeOrderableDBInstanceOptions.html
FEWEST, MOST = 20, 100
NAME = "DescribeOrderableDBInstanceOptions"
NO_INSIGHTS = "Performance Insights not supported for this configuration."

relies_on(
    "ministack.services.rds",
    {
        "_p": "ecc7f2330470",
        "_error": "34296a4c9bf4",
        "_xml": "000ddabb91b7",
        "_resolve_instance": "fae07a45111e",
        "get_region": "7d056e8a5680",
    },
)


@replaces("ministack.services.rds:_describe_orderable_options", "b6b44f1c2728")
def describe_orderable_options(original: Handler, parameters: Parameters) -> Any:
    """Those of PostgreSQL and MySQL, a page at a time."""
    engine = rds._p(parameters, "Engine")
    if engine not in offerings.VERSIONS:
        return original(parameters)
    asked = rds._p(parameters, "MaxRecords")
    if asked and not FEWEST <= int(asked) <= MOST:
        message = f"Invalid value {asked} for MaxRecords. Must be between {FEWEST} and {MOST}"
        return rds._error("InvalidParameterValue", message, 400)
    try:
        start = int(base64.b64decode(rds._p(parameters, "Marker"), validate=True) or 0)
    except (ValueError, binascii.Error):
        return rds._error("InvalidParameterValue", "Invalid marker", 400)
    found = list(_options(engine, parameters))
    end = start + int(asked or MOST)
    marker = f"<Marker>{base64.b64encode(str(end).encode()).decode()}</Marker>" if end < len(found) else ""
    options = f"<OrderableDBInstanceOptions>{''.join(found[start:end])}</OrderableDBInstanceOptions>"
    return rds._xml(200, f"{NAME}Response", f"<{NAME}Result>{options}{marker}</{NAME}Result>")


def _options(engine: str, parameters: Parameters) -> Iterator[str]:
    """Each that the filters let through."""
    license_model = rds._p(parameters, "LicenseModel") or offerings.LICENSES[engine]
    if license_model != offerings.LICENSES[engine] or rds._p(parameters, "Vpc") == "false":
        return
    wanted_version, wanted_class = rds._p(parameters, "EngineVersion"), rds._p(parameters, "DBInstanceClass")
    for version in offerings.VERSIONS[engine]:
        if wanted_version and not f"{version}.".startswith(f"{wanted_version}."):
            continue
        for instance_class in offerings.classes():
            if wanted_class in ("", instance_class) and offerings.is_offered(engine, version, instance_class):
                for storage in offerings.STORAGE:
                    yield _option(engine, version, instance_class, storage)


def _option(engine: str, version: str, instance_class: str, storage: offerings.Storage) -> str:
    zones = "".join(f"<AvailabilityZone><Name>{rds.get_region()}{letter}</Name></AvailabilityZone>" for letter in "abc")
    members: dict[str, Any] = {
        "Engine": engine,
        "EngineVersion": version,
        "DBInstanceClass": instance_class,
        "LicenseModel": offerings.LICENSES[engine],
        "MultiAZCapable": True,
        "ReadReplicaCapable": True,
        "Vpc": True,
        "SupportsStorageEncryption": True,
        "StorageType": storage.name,
        "MinStorageSize": storage.least,
        "MaxStorageSize": storage.most,
        "SupportsIops": storage.iops,
        "SupportsStorageThroughput": storage.throughput,
        "SupportsEnhancedMonitoring": True,
        "SupportsIAMDatabaseAuthentication": True,
        "SupportsPerformanceInsights": offerings.supports_insights(engine, instance_class),
        "SupportsStorageAutoscaling": True,
        "SupportsKerberosAuthentication": True,
        "OutpostCapable": False,
        "SupportsGlobalDatabases": False,
        "SupportsClusters": False,
    }
    said = "".join(f"<{name}>{_text(value)}</{name}>" for name, value in members.items())
    return (
        f"<OrderableDBInstanceOption>{said}<AvailabilityZones>{zones}</AvailabilityZones></OrderableDBInstanceOption>"
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@replaces("ministack.services.rds:_create_db_instance", "5edfd4666b24", over=("rds.instances",))
def create_db_instance(original: Handler, parameters: Parameters) -> Any:
    """Refuse what is not offered."""
    if rds._p(parameters, "DBClusterIdentifier"):
        return original(parameters)
    wanted = {name: rds._p(parameters, name) for name in ("Engine", "EngineVersion", "DBInstanceClass")}
    insights = rds._p(parameters, "EnablePerformanceInsights") == "true"
    return _refusal(wanted, insights) or original(parameters)


@replaces("ministack.services.rds:_modify_db_instance", "05a4f3f74e13", over=("rds.instances",))
def modify_db_instance(original: Handler, parameters: Parameters) -> Any:
    """Refuse what is not offered, of the instance as it would be."""
    held = rds._resolve_instance(rds._p(parameters, "DBInstanceIdentifier"))
    if held is None:
        return original(parameters)
    given = {name: rds._p(parameters, name) for name in ("EngineVersion", "DBInstanceClass")}
    wanted = {"Engine": held["Engine"], **{name: value or held[name] for name, value in given.items()}}
    asked = rds._p(parameters, "EnablePerformanceInsights")
    insights = asked == "true" if asked else bool(held.get("PerformanceInsightsEnabled"))
    return _refusal(wanted, insights) or original(parameters)


def _refusal(wanted: dict[str, str], insights: bool) -> Any:
    """AWS's error; None for what can be ordered."""
    engine, instance_class = wanted["Engine"], wanted["DBInstanceClass"]
    if engine not in offerings.VERSIONS:
        return None
    version = wanted["EngineVersion"] or offerings.VERSIONS[engine][0]
    if not offerings.is_known(instance_class):
        return rds._error("InvalidParameterValue", f"Invalid DB Instance class: {instance_class}", 400)
    if not offerings.is_offered(engine, version, instance_class):
        # The text as users quote it.
        message = (
            "RDS does not support creating a DB instance with the following combination: "
            f"DBInstanceClass={instance_class}, Engine={engine}, EngineVersion={version}, "
            f"LicenseModel={offerings.LICENSES[engine]}. For supported combinations of instance class and database "
            "engine version, see the documentation."
        )
        return rds._error("InvalidParameterCombination", message, 400)
    if insights and not offerings.supports_insights(engine, instance_class):
        return rds._error("InvalidParameterCombination", NO_INSIGHTS, 400)
    return None
