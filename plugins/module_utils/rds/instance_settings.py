# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Settings of RDS DB instances: the pure translation between module options and the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
)

Options = Mapping[str, Any]


@dataclass(frozen=True)
class Field:
    """One option of an instance: its names in CreateDBInstance, ModifyDBInstance and DescribeDBInstances.

    ``modify`` None means that AWS cannot change it. ``same`` compares the current with the wanted value. ``restore``:
    RestoreDBInstanceFromDBSnapshot takes it, too (under the name of ``create``); ``snapshot``: it comes from there.
    """

    option: str
    create: str
    modify: str | None
    read: Callable[[Mapping[str, Any]], Any]
    same: Callable[[Any, Any], bool] = lambda current, wanted: bool(current == wanted)
    restore: bool = False
    snapshot: bool = False


def named(option: str, name: str, reported: str | None = None, **more: Any) -> Field:
    """A field with one name throughout, but for what AWS reports it as."""
    return Field(option, name, name, lambda instance: instance.get(reported or name), **more)


def fixed(option: str, name: str, **more: Any) -> Field:
    """A field that AWS cannot change after creation."""
    return Field(option, name, None, lambda instance: instance.get(name), **more)


def same_version(current: Any, wanted: str) -> bool:
    """Whether ``17`` or ``17.4`` covers the running version: AWS upgrades minor versions by itself."""
    return f"{current}.".startswith(f"{wanted}.")


def same_key(current: Any, wanted: str) -> bool:
    """Whether a key is the same: AWS reports the ARN, the option may be an id. An alias cannot be compared."""
    return wanted.startswith("alias/") or ":alias/" in wanted or wanted in (current, str(current).rsplit("/", 1)[-1])


def port_of(instance: Mapping[str, Any]) -> Any:
    """The port: a pending one stands beside the endpoint."""
    return instance.get("Port") or (instance.get("Endpoint") or {}).get("Port")


def parameter_group_of(instance: Mapping[str, Any]) -> dict[str, Any]:
    """Name and ParameterApplyStatus of the parameter group; {} when there is none."""
    groups = instance.get("DBParameterGroups") or [{}]
    return dict(groups[0])


FIELDS = (
    fixed("engine", "Engine", snapshot=True),
    fixed("database_name", "DBName", snapshot=True),
    fixed("master_username", "MasterUsername", snapshot=True),
    fixed("storage_encrypted", "StorageEncrypted"),
    fixed("kms_key_id", "KmsKeyId", same=same_key, snapshot=True),
    Field(
        "subnet_group_name",
        "DBSubnetGroupName",
        None,
        lambda i: (i.get("DBSubnetGroup") or {}).get("DBSubnetGroupName"),
        restore=True,
    ),
    named("engine_version", "EngineVersion", same=same_version),
    named("instance_class", "DBInstanceClass", restore=True),
    # Storage only grows, also by itself.
    named("allocated_storage", "AllocatedStorage", same=lambda current, wanted: (current or 0) >= wanted),
    named("max_allocated_storage", "MaxAllocatedStorage"),
    named("storage_type", "StorageType", restore=True),
    named("iops", "Iops"),
    named("storage_throughput", "StorageThroughput"),
    named("multi_az", "MultiAZ", restore=True),
    named("publicly_accessible", "PubliclyAccessible", restore=True),
    named("backup_retention_period", "BackupRetentionPeriod"),
    named("backup_window", "PreferredBackupWindow"),
    named("maintenance_window", "PreferredMaintenanceWindow"),
    named("auto_minor_version_upgrade", "AutoMinorVersionUpgrade", restore=True),
    named("copy_tags_to_snapshot", "CopyTagsToSnapshot", restore=True),
    named("deletion_protection", "DeletionProtection", restore=True),
    named(
        "iam_database_authentication",
        "EnableIAMDatabaseAuthentication",
        "IAMDatabaseAuthenticationEnabled",
        restore=True,
    ),
    named("ca_certificate_identifier", "CACertificateIdentifier"),
    named("monitoring_interval", "MonitoringInterval"),
    named("monitoring_role_arn", "MonitoringRoleArn"),
    named("database_insights_mode", "DatabaseInsightsMode"),
    named("performance_insights", "EnablePerformanceInsights", "PerformanceInsightsEnabled"),
    named("performance_insights_retention_period", "PerformanceInsightsRetentionPeriod"),
    Field("port", "Port", "DBPortNumber", port_of, restore=True),
    Field(
        "parameter_group_name",
        "DBParameterGroupName",
        "DBParameterGroupName",
        lambda instance: parameter_group_of(instance).get("DBParameterGroupName"),
        restore=True,
    ),
    Field(
        "security_group_ids",
        "VpcSecurityGroupIds",
        "VpcSecurityGroupIds",
        lambda instance: [group["VpcSecurityGroupId"] for group in instance.get("VpcSecurityGroups") or []],
        lambda current, wanted: set(current) == set(wanted),
        restore=True,
    ),
    Field(
        "manage_master_user_password",
        "ManageMasterUserPassword",
        "ManageMasterUserPassword",
        lambda instance: bool(instance.get("MasterUserSecret")),
    ),
)
# AWS judges these together: when one differs all that are set are sent.
TOGETHER = (
    ("monitoring_interval", "monitoring_role_arn"),
    ("database_insights_mode", "performance_insights", "performance_insights_retention_period"),
)
# Options that are only sent along with another one: option -> (name in the API, the option that it goes with).
ALONG = {
    "master_user_secret_kms_key_id": ("MasterUserSecretKmsKeyId", "manage_master_user_password"),
    "performance_insights_kms_key_id": ("PerformanceInsightsKMSKeyId", "performance_insights"),
    "allow_major_version_upgrade": ("AllowMajorVersionUpgrade", "engine_version"),
}


def creation_parameters(options: Options, tags: Mapping[str, str]) -> dict[str, Any]:
    """The parameters of CreateDBInstance, or of RestoreDBInstanceFromDBSnapshot when a snapshot is named."""
    snapshot = options.get("snapshot_identifier")
    parameters: dict[str, Any] = {"DBInstanceIdentifier": options["identifier"]}
    if snapshot:
        parameters["DBSnapshotIdentifier"] = snapshot
    for field in FIELDS:
        if options.get(field.option) is not None and (field.restore or not snapshot):
            parameters[field.create] = options[field.option]
    if options.get("cloudwatch_logs_exports"):
        parameters["EnableCloudwatchLogsExports"] = options["cloudwatch_logs_exports"]
    if not snapshot:
        for option in ("master_user_secret_kms_key_id", "performance_insights_kms_key_id"):
            name, companion = ALONG[option]
            if options.get(option) and options.get(companion):
                parameters[name] = options[option]
    return {**parameters, "Tags": ansible_dict_to_boto3_tag_list(dict(tags))}


def wanted_settings(options: Options) -> dict[str, Any]:
    """The settings that are given, without those that come from the snapshot when one is named."""
    restored = bool(options.get("snapshot_identifier"))
    fields = [field for field in FIELDS if not (restored and field.snapshot)]
    return {field.option: options[field.option] for field in fields if options.get(field.option) is not None}


def differing_fields(instance: Mapping[str, Any], options: Options) -> list[Field]:
    """The fields whose wanted value differs from the current one, or from the one that a pending change will set.

    What an instance has from the snapshot that it was restored from is left alone.
    """
    effective = {**instance, **(instance.get("PendingModifiedValues") or {})}
    wanted = wanted_settings(options)
    return [
        field
        for field in FIELDS
        if field.option in wanted and not field.same(field.read(effective), wanted[field.option])
    ]


def modification_parameters(fields: list[Field], options: Options) -> dict[str, Any]:
    """The parameters of ModifyDBInstance for these fields, with what AWS wants along with some of them."""
    changed = {field.option for field in fields}
    for group in TOGETHER:
        if changed.intersection(group):
            changed.update(group)
    parameters = {
        field.modify: options[field.option]
        for field in FIELDS
        if field.modify and field.option in changed and options.get(field.option) is not None
    }
    for option, (name, companion) in ALONG.items():
        # The key of Performance Insights is set once, when it is turned on.
        needed = companion in {field.option for field in fields} and options.get(companion)
        if needed and options.get(option):
            parameters[name] = options[option]
    return parameters


def log_export_change(instance: Mapping[str, Any], wanted: list[str] | None) -> dict[str, list[str]]:
    """``{EnableLogTypes, DisableLogTypes}``, or ``{}`` when the exports are as wanted."""
    if wanted is None:
        return {}
    pending = (instance.get("PendingModifiedValues") or {}).get("PendingCloudwatchLogsExports") or {}
    current = set(instance.get("EnabledCloudwatchLogsExports") or []) | set(pending.get("LogTypesToEnable") or [])
    current -= set(pending.get("LogTypesToDisable") or [])
    change = {"EnableLogTypes": sorted(set(wanted) - current), "DisableLogTypes": sorted(current - set(wanted))}
    return {key: types for key, types in change.items() if types}


def tags_of(instance: Mapping[str, Any]) -> dict[str, str]:
    """Tags as a dict."""
    tags: dict[str, str] = boto3_tag_list_to_ansible_dict(instance.get("TagList") or [])
    return tags


def pending_changes(instance: Mapping[str, Any]) -> list[str]:
    """Names of what RDS will change in the maintenance window, without the values: one of them can be a password."""
    return sorted(instance.get("PendingModifiedValues") or {})


def view(instance: Mapping[str, Any]) -> dict[str, Any]:
    """The snake_case description that modules return. It never holds a password: RDS keeps it in a secret."""
    return {
        "identifier": instance["DBInstanceIdentifier"],
        "arn": instance.get("DBInstanceArn"),
        "status": instance.get("DBInstanceStatus"),
        "address": (instance.get("Endpoint") or {}).get("Address"),
        "master_user_secret_arn": (instance.get("MasterUserSecret") or {}).get("SecretArn"),
        "cloudwatch_logs_exports": sorted(instance.get("EnabledCloudwatchLogsExports") or []),
        **{field.option: field.read(instance) for field in FIELDS},
        "pending_changes": pending_changes(instance),
        "parameters_pending_reboot": parameter_group_of(instance).get("ParameterApplyStatus") == "pending-reboot",
        "tags": tags_of(instance),
    }
