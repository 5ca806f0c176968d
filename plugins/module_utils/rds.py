# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""RDS DB instances: the API calls, the waiters, and the pure translation between module options and the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

try:
    from botocore.exceptions import WaiterError
    from botocore.waiter import WaiterModel, create_waiter_with_client
except ImportError:
    pass  # AnsibleAWSModule reports the missing library.

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.aws import call

MISSING = ("DBInstanceNotFound", "DBInstanceNotFoundFault")
# From these states an instance never becomes available by itself.
HOPELESS = (
    "deleting",
    "failed",
    "inaccessible-encryption-credentials",
    "incompatible-create",
    "incompatible-credentials",
    "incompatible-network",
    "incompatible-option-group",
    "incompatible-parameters",
    "incompatible-restore",
    "insufficient-capacity",
    "restore-error",
    "stopped",
    "stopping",
    "storage-full",
)
STATUS_PATH = "DBInstances[].DBInstanceStatus"


@dataclass(frozen=True)
class Field:
    """One option of an instance: its names in CreateDBInstance, ModifyDBInstance and DescribeDBInstances.

    ``modify`` None means that AWS cannot change it. ``same`` compares the current with the wanted value.
    """

    option: str
    create: str
    modify: str | None
    read: Callable[[Mapping[str, Any]], Any]
    same: Callable[[Any, Any], bool] = lambda current, wanted: bool(current == wanted)


def named(option: str, name: str, reported: str | None = None, **comparison: Any) -> Field:
    """A field with one name throughout, but for what AWS reports it as."""
    return Field(option, name, name, lambda instance: instance.get(reported or name), **comparison)


def fixed(option: str, name: str, **comparison: Any) -> Field:
    """A field that AWS cannot change after creation."""
    return Field(option, name, None, lambda instance: instance.get(name), **comparison)


def same_version(current: Any, wanted: str) -> bool:
    """Whether ``17`` or ``17.4`` covers the running version: AWS upgrades minor versions by itself."""
    return f"{current}.".startswith(f"{wanted}.")


def same_key(current: Any, wanted: str) -> bool:
    """Whether a key is the same: AWS reports the ARN, the option may be an id. An alias cannot be compared."""
    return wanted.startswith("alias/") or ":alias/" in wanted or wanted in (current, str(current).rsplit("/", 1)[-1])


FIELDS = (
    fixed("engine", "Engine"),
    fixed("database_name", "DBName"),
    fixed("master_username", "MasterUsername"),
    fixed("storage_encrypted", "StorageEncrypted"),
    fixed("kms_key_id", "KmsKeyId", same=same_key),
    Field(
        "subnet_group_name",
        "DBSubnetGroupName",
        None,
        lambda i: (i.get("DBSubnetGroup") or {}).get("DBSubnetGroupName"),
    ),
    named("engine_version", "EngineVersion", same=same_version),
    named("instance_class", "DBInstanceClass"),
    # Storage only grows, also by itself.
    named("allocated_storage", "AllocatedStorage", same=lambda current, wanted: (current or 0) >= wanted),
    named("max_allocated_storage", "MaxAllocatedStorage"),
    named("storage_type", "StorageType"),
    named("multi_az", "MultiAZ"),
    named("publicly_accessible", "PubliclyAccessible"),
    named("backup_retention_period", "BackupRetentionPeriod"),
    named("backup_window", "PreferredBackupWindow"),
    named("maintenance_window", "PreferredMaintenanceWindow"),
    named("auto_minor_version_upgrade", "AutoMinorVersionUpgrade"),
    named("copy_tags_to_snapshot", "CopyTagsToSnapshot"),
    named("deletion_protection", "DeletionProtection"),
    named("iam_database_authentication", "EnableIAMDatabaseAuthentication", "IAMDatabaseAuthenticationEnabled"),
    Field("port", "Port", "DBPortNumber", lambda instance: (instance.get("Endpoint") or {}).get("Port")),
    Field(
        "parameter_group_name",
        "DBParameterGroupName",
        "DBParameterGroupName",
        lambda instance: next(
            (group["DBParameterGroupName"] for group in instance.get("DBParameterGroups") or []), None
        ),
    ),
    Field(
        "security_group_ids",
        "VpcSecurityGroupIds",
        "VpcSecurityGroupIds",
        lambda instance: [group["VpcSecurityGroupId"] for group in instance.get("VpcSecurityGroups") or []],
        lambda current, wanted: set(current) == set(wanted),
    ),
    Field(
        "manage_master_user_password",
        "ManageMasterUserPassword",
        "ManageMasterUserPassword",
        lambda instance: bool(instance.get("MasterUserSecret")),
    ),
)


@call("describe the DB instance", missing=MISSING)
def describe_instance(rds: Any, identifier: str) -> dict[str, Any] | None:
    """The instance as the API describes it, None when there is none."""
    instances = rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"]
    return instances[0] if instances else None


@call("create the DB instance")
def create_instance(rds: Any, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Start the creation; returns at once."""
    instance: dict[str, Any] = rds.create_db_instance(**parameters)["DBInstance"]
    return instance


@call("modify the DB instance")
def modify_instance(rds: Any, identifier: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Start the modification, applied without waiting for the maintenance window."""
    instance: dict[str, Any] = rds.modify_db_instance(
        DBInstanceIdentifier=identifier, ApplyImmediately=True, **parameters
    )["DBInstance"]
    return instance


@call("delete the DB instance", missing=MISSING)
def delete_instance(rds: Any, identifier: str, final_snapshot: str | None) -> None:
    """Start the deletion, with a final snapshot of that name, or without one."""
    if final_snapshot:
        rds.delete_db_instance(DBInstanceIdentifier=identifier, FinalDBSnapshotIdentifier=final_snapshot)
    else:
        rds.delete_db_instance(DBInstanceIdentifier=identifier, SkipFinalSnapshot=True)


@call("tag the DB instance")
def tag_instance(rds: Any, arn: str, to_set: Mapping[str, str], to_remove: list[str]) -> None:
    """Set and remove tags."""
    if to_set:
        rds.add_tags_to_resource(ResourceName=arn, Tags=ansible_dict_to_boto3_tag_list(dict(to_set)))
    if to_remove:
        rds.remove_tags_from_resource(ResourceName=arn, TagKeys=to_remove)


@call("read the events of the DB instance", missing=MISSING, default=[])
def recent_events(rds: Any, identifier: str) -> list[str]:
    """What RDS says happened to the instance in the last hour, oldest first."""
    events = rds.describe_events(SourceIdentifier=identifier, SourceType="db-instance", Duration=60)["Events"]
    return [event["Message"] for event in events]


def wait_until(rds: Any, identifier: str, goal: str, timeout: int, delay: int) -> None:
    """Wait until the instance is ``available`` or ``deleted``, looking every ``delay`` seconds for ``timeout`` seconds.

    AnsibleAWSError with the state and what RDS says about it, at once when the goal cannot be reached any more.
    """
    waiter = create_waiter_with_client(goal, WaiterModel(waiter_definitions(delay, max(1, timeout // delay))), rds)
    try:
        waiter.wait(DBInstanceIdentifier=identifier)
    except WaiterError as error:
        raise AnsibleAWSError(message=explain(rds, identifier, goal, error.last_response, timeout)) from error


def explain(rds: Any, identifier: str, goal: str, last_response: Mapping[str, Any], timeout: int) -> str:
    """Why a wait ended without success."""
    if "Error" in last_response:
        return f"DB instance {identifier} is not {goal}: {last_response['Error'].get('Message')}"
    status = next((instance["DBInstanceStatus"] for instance in last_response.get("DBInstances", [])), "unknown")
    events = "; ".join(recent_events(rds, identifier)[-3:])
    reason = f" RDS reports: {events}" if events else ""
    if status in HOPELESS and goal == "available":
        return f"DB instance {identifier} cannot become available: it is {status}.{reason}"
    return f"DB instance {identifier} is still {status} after {timeout} seconds.{reason}"


def waiter_definitions(delay: int, attempts: int) -> dict[str, Any]:
    """The waiters ``available`` and ``deleted`` in botocore's format; botocore's own look every 30 seconds."""
    missing = [{"matcher": "error", "expected": code, "state": "success"} for code in MISSING]
    hopeless = [
        {"matcher": "pathAny", "argument": STATUS_PATH, "expected": status, "state": "failure"} for status in HOPELESS
    ]
    available = {"matcher": "pathAll", "argument": STATUS_PATH, "expected": "available", "state": "success"}
    common = {"operation": "DescribeDBInstances", "delay": delay, "maxAttempts": attempts}
    return {
        "version": 2,
        "waiters": {
            "available": {**common, "acceptors": [available, *hopeless]},
            "deleted": {**common, "acceptors": missing},
        },
    }


def creation_parameters(options: Mapping[str, Any], tags: Mapping[str, str]) -> dict[str, Any]:
    """The parameters of CreateDBInstance."""
    parameters = {field.create: options[field.option] for field in FIELDS if options.get(field.option) is not None}
    if options.get("cloudwatch_logs_exports"):
        parameters["EnableCloudwatchLogsExports"] = options["cloudwatch_logs_exports"]
    if options.get("master_user_secret_kms_key_id"):
        parameters["MasterUserSecretKmsKeyId"] = options["master_user_secret_kms_key_id"]
    return {
        "DBInstanceIdentifier": options["identifier"],
        **parameters,
        "Tags": ansible_dict_to_boto3_tag_list(dict(tags)),
    }


def differing_fields(instance: Mapping[str, Any], options: Mapping[str, Any]) -> list[Field]:
    """The fields whose wanted value differs from the current one, or from the one that a pending change will set."""
    effective = {**instance, **(instance.get("PendingModifiedValues") or {})}
    wanted = [field for field in FIELDS if options.get(field.option) is not None]
    return [field for field in wanted if not field.same(field.read(effective), options[field.option])]


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
        "tags": tags_of(instance),
    }
