# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What RDS refuses of instances of PostgreSQL and MySQL, their groups and snapshots. Its model has no limits."""

from __future__ import annotations

from sm2a_local_aws.limits.rules import database_windows
from sm2a_local_aws.limits.rules.checks import among, at_most, flag, items, named, number, required, text, within
from sm2a_local_aws.limits.rules.table import Parameters, Rule

REFERENCE = "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/"
GUIDE = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/"
INSTANCE = f"{REFERENCE}API_CreateDBInstance.html"
VALUE, COMBINATION = "InvalidParameterValue", "InvalidParameterCombination"

TWO_HYPHENS = r".*--.*"
IDENTIFIER = (
    "The parameter {parameter} is not a valid identifier. Identifiers must begin with a letter; must contain only "
    "ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens."
)
SUBNET_GROUP = (
    "The parameter {parameter} must be up to 255 letters, digits, periods, underscores, spaces and hyphens, "
    "and must not be default"
)
ZONES = (
    "DB Subnet Group doesn't meet availability zone coverage requirement. Please add subnets to cover at least 2 "
    "availability zones."
)
MONITORED = "A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0."
ADVANCED = (
    "To enable the Advanced mode of Database Insights, enable Performance Insights and set the retention period for "
    "Performance Insights to at least 465 days."
)
SECONDS = (0, 1, 5, 10, 15, 30, 60)
INSIGHTS_DAYS = (7, *range(31, 714, 31), 731)
# Storage type -> least and most GiB.
STORAGE = {"gp2": (20, 65536), "gp3": (20, 65536), "io1": (100, 65536), "io2": (100, 65536), "standard": (5, 3072)}
PROVISIONED = ("io1", "io2")
# From this size on gp3 takes IOPS and throughput.
STRIPED_GIB = 400
# Words that an engine keeps for itself, as far as reports of this refusal name them.
RESERVED = {"postgres": ("admin", "rdsadmin", "user"), "mysql": ("rdsadmin",)}


def _identifier(*operations: str, parameter: str, longest: int) -> Rule:
    allowed = rf"[A-Za-z]([A-Za-z0-9-]{{0,{longest - 2}}}[A-Za-z0-9])?"
    source = f"{REFERENCE}API_{operations[0]}.html"
    return Rule(operations, named(parameter, allowed, IDENTIFIER, TWO_HYPHENS), VALUE, source)


def _storage(parameters: Parameters) -> str | None:
    kind, size = text(parameters, "StorageType") or "gp2", number(parameters, "AllocatedStorage")
    if size is None or kind not in STORAGE or STORAGE[kind][0] <= size <= STORAGE[kind][1]:
        return None
    return f"Invalid storage size for engine name {text(parameters, 'Engine')} and storage type {kind}: {size}"


def _growth(parameters: Parameters) -> str | None:
    size, most = number(parameters, "AllocatedStorage"), number(parameters, "MaxAllocatedStorage")
    return "Max storage size must be greater than storage size" if size and most is not None and most <= size else None


def _speed(parameters: Parameters) -> str | None:
    kind, size = text(parameters, "StorageType"), number(parameters, "AllocatedStorage")
    iops, throughput = number(parameters, "Iops"), number(parameters, "StorageThroughput")
    if kind in PROVISIONED and iops is None:
        return f"You must specify the number of provisioned IOPS for the storage type {kind}."
    if size is None or (iops is None and throughput is None):
        return None
    engine = text(parameters, "Engine")
    if kind == "gp3" and size < STRIPED_GIB:
        return (
            f"You can't specify IOPS or storage throughput for engine {engine} and a storage size less than "
            f"{STRIPED_GIB}."
        )
    if kind in PROVISIONED and iops is not None and not size * 0.5 <= iops <= size * 50:
        return f"The IOPS to GiB ratio must be between 0.5 and 50, not {iops} to {size}"
    return None


def _master_name(parameters: Parameters) -> str | None:
    name, engine = text(parameters, "MasterUsername"), text(parameters, "Engine")
    of_system = engine == "postgres" and name.lower().startswith("pg_")
    if not of_system and name.lower() not in RESERVED.get(engine, ()):
        return None
    return f"MasterUsername {name} cannot be used as it is a reserved word used by the engine"


def _password(parameters: Parameters) -> str | None:
    if not flag(parameters, "ManageMasterUserPassword") or not parameters.get("MasterUserPassword"):
        return None
    return "You can't specify MasterUserPassword when ManageMasterUserPassword is enabled."


def _advanced(parameters: Parameters) -> str | None:
    if text(parameters, "DatabaseInsightsMode") != "advanced":
        return None
    days = number(parameters, "PerformanceInsightsRetentionPeriod")
    return None if flag(parameters, "EnablePerformanceInsights") and days is not None and days >= 465 else ADVANCED


def _final_snapshot(parameters: Parameters) -> str | None:
    skipped, name = flag(parameters, "SkipFinalSnapshot"), text(parameters, "FinalDBSnapshotIdentifier")
    if skipped and name:
        return "FinalDBSnapshotIdentifier cannot be specified when deleting a DB instance with SkipFinalSnapshot"
    return None if skipped or name else "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."


def _few_subnets(parameters: Parameters) -> str | None:
    return ZONES if len(set(items(parameters, "SubnetIds"))) < 2 else None


CREATED = ("CreateDBInstance",)
RESTORED = "RestoreDBInstanceFromDBSnapshot"
CHANGED = ("CreateDBInstance", "ModifyDBInstance")
ALL = (*CHANGED, RESTORED)
SUBNET_GROUPS = ("CreateDBSubnetGroup", "ModifyDBSubnetGroup")
RULES = (
    _identifier("CreateDBInstance", RESTORED, parameter="DBInstanceIdentifier", longest=63),
    _identifier("CreateDBSnapshot", parameter="DBSnapshotIdentifier", longest=255),
    _identifier("DeleteDBInstance", parameter="FinalDBSnapshotIdentifier", longest=255),
    _identifier("CreateDBParameterGroup", parameter="DBParameterGroupName", longest=255),
    Rule(("DeleteDBInstance",), _final_snapshot, COMBINATION, f"{REFERENCE}API_DeleteDBInstance.html"),
    Rule(
        ("CreateDBSubnetGroup",),
        named("DBSubnetGroupName", r"[A-Za-z0-9_. -]{1,255}", SUBNET_GROUP, r"[Dd]efault"),
        VALUE,
        f"{REFERENCE}API_CreateDBSubnetGroup.html",
    ),
    Rule(
        SUBNET_GROUPS,
        _few_subnets,
        "DBSubnetGroupDoesNotCoverEnoughAZs",
        f"{GUIDE}USER_VPC.WorkingWithRDSInstanceinaVPC.html",
    ),
    Rule(
        ("ModifyDBParameterGroup", "ResetDBParameterGroup"),
        at_most("Parameters", 20, "At most {most} parameters can be modified in a single request, not {count}"),
        VALUE,
        f"{REFERENCE}API_ModifyDBParameterGroup.html",
    ),
    Rule(CREATED, _storage, COMBINATION, INSTANCE),
    Rule(CREATED, _growth, COMBINATION, f"{GUIDE}USER_PIOPS.Autoscaling.html"),
    Rule(CREATED, _speed, COMBINATION, f"{GUIDE}CHAP_Storage.html"),
    Rule(
        CREATED,
        named("MasterUsername", r"[A-Za-z]\w{0,15}", "The parameter {parameter} is not a valid master user name."),
        VALUE,
        INSTANCE,
    ),
    Rule(CREATED, _master_name, VALUE, INSTANCE),
    Rule(CHANGED, _password, COMBINATION, INSTANCE),
    Rule(CREATED, _advanced, COMBINATION, f"{GUIDE}USER_DatabaseInsights.TurningOnAdvanced.html"),
    Rule(
        CREATED,
        required("MonitoringRoleArn", MONITORED, lambda given: bool(number(given, "MonitoringInterval"))),
        COMBINATION,
        INSTANCE,
    ),
    Rule(CHANGED, among("MonitoringInterval", SECONDS, "Invalid monitoring interval: {value}"), VALUE, INSTANCE),
    Rule(
        CHANGED,
        among(
            "PerformanceInsightsRetentionPeriod",
            INSIGHTS_DAYS,
            "Invalid Performance Insights retention period. Valid values are: [{values}]",
        ),
        VALUE,
        INSTANCE,
    ),
    Rule(
        CHANGED,
        within(
            "BackupRetentionPeriod",
            0,
            35,
            "Invalid backup retention period: {value}. Retention period must be between {least} and {most}.",
        ),
        VALUE,
        INSTANCE,
    ),
    Rule(CHANGED, database_windows.problem, VALUE, INSTANCE),
    *(
        Rule(
            operations,
            within(port, 1150, 65535, "Invalid database port: {value}. Valid ports are {least} to {most}."),
            VALUE,
            INSTANCE,
        )
        for operations, port in ((("CreateDBInstance", RESTORED), "Port"), (("ModifyDBInstance",), "DBPortNumber"))
    ),
)
