# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""RDS: the metadata database."""

from __future__ import annotations

import functools

from ..control import Verdicts, control
from ..environment import Environment, Resource, optional

DEFAULT_PORTS = {"postgres": 5432, "mysql": 3306}
DEFAULT_NAMES = {"postgres", "admin", "root", "rdsadmin"}
LOGS = {"postgres": {"postgresql"}, "mysql": {"error"}}
# The parameter that refuses sessions without TLS, and the value that does so.
TLS = {"postgres": ("rds.force_ssl", "1"), "mysql": ("require_secure_transport", "1")}
BACKUP_DAYS = 7


def each(environment: Environment, attribute: str, wanted: object, option: str) -> Verdicts:
    """Of every instance, an attribute that must have one value."""
    for one in environment.databases:
        value = one.get(attribute)
        yield one["DBInstanceIdentifier"], "" if value == wanted else f"{attribute} is {value} ({option})"


@control("RDS.2", "Not reachable from outside the VPC", "Run site.yml: the role database never makes it public.")
def public(environment: Environment) -> Verdicts:
    yield from each(environment, "PubliclyAccessible", False, "PubliclyAccessible")


@control("RDS.3", "Encrypted", "Only a restored snapshot can change it; see the role database.")
def encrypted(environment: Environment) -> Verdicts:
    yield from each(environment, "StorageEncrypted", True, "database_kms_key_arn")


@control("RDS.5", "In two availability zones", "Set database_multi_az: true and run site.yml.")
def multi_az(environment: Environment) -> Verdicts:
    yield from each(environment, "MultiAZ", True, "database_multi_az")


@control("RDS.6", "Enhanced monitoring", "Set database_monitoring_interval: 60 and run site.yml.")
def monitoring(environment: Environment) -> Verdicts:
    for one in environment.databases:
        yield one["DBInstanceIdentifier"], "" if one.get("MonitoringInterval") else "no enhanced monitoring"


@control("RDS.8", "Deletion protection", "Set database_deletion_protection: true and run site.yml.")
def deletion_protection(environment: Environment) -> Verdicts:
    yield from each(environment, "DeletionProtection", True, "database_deletion_protection")


@control("RDS.9", "Logs are sent to CloudWatch", "Remove database_cloudwatch_logs_exports and run site.yml.")
def logs(environment: Environment) -> Verdicts:
    for one in environment.databases:
        missing = LOGS.get(one["Engine"], set()) - set(one.get("EnabledCloudwatchLogsExports") or [])
        yield one["DBInstanceIdentifier"], f"no {', '.join(missing)} log" if missing else ""


@control("RDS.10", "IAM authentication is possible", "Set database_iam_authentication: true and run site.yml.")
def iam_authentication(environment: Environment) -> Verdicts:
    yield from each(environment, "IAMDatabaseAuthenticationEnabled", True, "database_iam_authentication")


@control("RDS.11", "Automatic backups of a week", "Set database_backup_retention_period: 7 and run site.yml.")
def backups(environment: Environment) -> Verdicts:
    for one in environment.databases:
        days = one.get("BackupRetentionPeriod", 0)
        yield one["DBInstanceIdentifier"], "" if days >= BACKUP_DAYS else f"backups of {days} days"


@control("RDS.13", "Minor upgrades are automatic", "Set database_auto_minor_version_upgrade: true and run site.yml.")
def minor_upgrades(environment: Environment) -> Verdicts:
    yield from each(environment, "AutoMinorVersionUpgrade", True, "database_auto_minor_version_upgrade")


@control("RDS.17", "Snapshots carry the tags", "Run site.yml: the role database sets CopyTagsToSnapshot.")
def snapshot_tags(environment: Environment) -> Verdicts:
    yield from each(environment, "CopyTagsToSnapshot", True, "CopyTagsToSnapshot")


@control("RDS.23", "Not on the engine's usual port", "Set database_port to another one; AWS restarts the instance.")
def port(environment: Environment) -> Verdicts:
    for one in environment.databases:
        number = one["Endpoint"]["Port"] if "Endpoint" in one else one.get("DbInstancePort")
        yield one["DBInstanceIdentifier"], f"listens on {number}" if number == DEFAULT_PORTS.get(one["Engine"]) else ""


@control("RDS.25", "The administrator has no usual name", "A new instance is needed: set database_master_username.")
def administrator(environment: Environment) -> Verdicts:
    for one in environment.databases:
        name = one["MasterUsername"]
        yield one["DBInstanceIdentifier"], f"it is {name}" if name in DEFAULT_NAMES else ""


@control("RDS.38", "Sessions without TLS are refused", "Run site.yml: the role database has a parameter group for it.")
def tls(environment: Environment) -> Verdicts:
    for one in environment.databases:
        name, wanted = TLS.get(one["Engine"], ("", ""))
        values = {value for group in one["DBParameterGroups"] for value in parameter(environment, group, name)}
        refused = values & {wanted, "ON"} if wanted else set()
        yield one["DBInstanceIdentifier"], "" if refused else f"{name} is {', '.join(values) or 'unset'}"


def parameter(environment: Environment, group: Resource, name: str) -> list[str]:
    """The value of a parameter in a group; [] when it has none."""
    read = functools.partial(environment.pages, "rds", "describe_db_parameters", "Parameters")
    found = optional(read, "DBParameterGroupNotFound", DBParameterGroupName=group["DBParameterGroupName"])
    return [str(one["ParameterValue"]) for one in found if one["ParameterName"] == name and one.get("ParameterValue")]
