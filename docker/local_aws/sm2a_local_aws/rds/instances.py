# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""DB instances at the API: the endpoint's name, managed master passwords, a failed state, gp3's figures, refusals."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region, new_uuid
from ministack.services import rds, secretsmanager

from sm2a_local_aws.patching.points import relies_on, replaces
from sm2a_local_aws.quotas import applied, usage
from sm2a_local_aws.rds import requests, settings

Handler = Callable[[dict[str, Any]], Any]
Instance = dict[str, Any]

GP3_IOPS, GP3_THROUGHPUT = 3000, 125
# In no other state RDS makes a snapshot.
READY = ("available", "storage-optimization")
MANUAL_SNAPSHOTS = "L-272F1212"

relies_on(
    "ministack.services.rds",
    {
        "_p": "ecc7f2330470",
        "_error": "34296a4c9bf4",
        "_default_port": "c5659a49cfcc",
        "_resolve_instance": "fae07a45111e",
        "_single_instance_response": "0a7625aa98bd",
        "_generate_master_user_password": "9abe70cc856f",
        "_parse_member_list": "0ded5310b0d9",
    },
)
relies_on(
    "ministack.services.secretsmanager",
    {
        "create_secret_in_process": "f35bf75ad708",
        "put_secret_value_in_process": "f097478096bc",
    },
)


@replaces("ministack.services.rds:_create_db_instance", "5edfd4666b24")
def create_db_instance(original: Handler, parameters: dict[str, Any]) -> Any:
    """CreateDBInstance with its name as endpoint, ManageMasterUserPassword, and "failed" when it has no container."""
    identifier = rds._p(parameters, "DBInstanceIdentifier")
    if rds._p(parameters, "DBClusterIdentifier") or identifier in rds._instances:
        return original(parameters)
    managed = rds._p(parameters, "ManageMasterUserPassword") == "true"
    if managed and rds._p(parameters, "MasterUserPassword"):
        return _both_passwords()
    if managed:
        parameters = {**parameters, "MasterUserPassword": rds._generate_master_user_password()}
    request = requests.DatabaseRequest(
        identifier=identifier,
        port=int(rds._p(parameters, "Port") or rds._default_port(rds._p(parameters, "Engine") or "postgres")),
        parameter_group=rds._p(parameters, "DBParameterGroupName"),
    )
    with requests.making(request):
        response = original(parameters)
    instance = rds._instances.get(identifier)
    if response[0] != 200 or instance is None:
        return response
    instance["Endpoint"].update(Address=request.address, Port=request.port)
    if request.failure:
        instance["DBInstanceStatus"] = "failed"
        record_event(identifier, f"The database could not be started: {request.failure}")
    settings.keep(instance, parameters, settings.EVERYWHERE)
    if instance["StorageType"] == "gp3":
        instance["Iops"] = instance.get("Iops") or GP3_IOPS
        instance["StorageThroughput"] = instance.get("StorageThroughput") or GP3_THROUGHPUT
    instance["EnabledCloudwatchLogsExports"] = rds._parse_member_list(parameters, "EnableCloudwatchLogsExports")
    if managed:
        _create_secret(instance, rds._p(parameters, "MasterUserSecretKmsKeyId"))
    return rds._single_instance_response("CreateDBInstanceResponse", "CreateDBInstanceResult", instance)


@replaces("ministack.services.rds:_modify_db_instance", "05a4f3f74e13")
def modify_db_instance(original: Handler, parameters: dict[str, Any]) -> Any:
    """ModifyDBInstance with the switches of the managed master password and of the exported logs."""
    instance = rds._resolve_instance(rds._p(parameters, "DBInstanceIdentifier"))
    if instance is None:
        return original(parameters)
    if instance["DBInstanceStatus"] == "stopped":
        return rds._error("InvalidDBInstanceState", "Database instance is not in available state.", 400)
    manage = rds._p(parameters, "ManageMasterUserPassword")
    given = rds._p(parameters, "MasterUserPassword")
    secret = instance.get("MasterUserSecret")
    if given and (manage == "true" or (secret and manage != "false")):
        return _both_passwords()
    renew = (manage == "true" and not secret) or (secret and rds._p(parameters, "RotateMasterUserPassword") == "true")
    if renew:
        parameters = {**parameters, "MasterUserPassword": rds._generate_master_user_password()}
    response = original(parameters)
    if response[0] != 200:
        return response
    _switch_log_exports(instance, parameters)
    settings.keep(instance, parameters, settings.EVERYWHERE)
    if rds._p(parameters, "DBParameterGroupName"):
        instance["DBParameterGroups"][0]["ParameterApplyStatus"] = "pending-reboot"
    if renew and secret:
        secretsmanager.put_secret_value_in_process(secret["SecretArn"], _secret_string(instance))
    elif renew:
        _create_secret(instance, rds._p(parameters, "MasterUserSecretKmsKeyId"))
    elif secret and manage == "false":
        _delete_secret(instance)
    return rds._single_instance_response("ModifyDBInstanceResponse", "ModifyDBInstanceResult", instance)


@replaces("ministack.services.rds:_delete_db_instance", "a08b42eacbd8")
def delete_db_instance(original: Handler, parameters: dict[str, Any]) -> Any:
    """The managed secret and the data go with the instance. Refuse an impossible final snapshot."""
    instance = rds._resolve_instance(rds._p(parameters, "DBInstanceIdentifier"))
    if instance is not None and not instance.get("DeletionProtection"):
        refusal = _final_snapshot_refusal(instance, parameters)
        if refusal:
            return refusal
    response = original(parameters)
    if response[0] == 200 and instance is not None:
        if instance.get("MasterUserSecret"):
            _delete_secret(instance)
        for after in after_delete:
            after(instance)
    return response


def _final_snapshot_refusal(instance: Instance, parameters: dict[str, Any]) -> Any:
    skip = rds._p(parameters, "SkipFinalSnapshot") == "true"
    snapshot = rds._p(parameters, "FinalDBSnapshotIdentifier")
    if skip == bool(snapshot):
        message = "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
        return rds._error("InvalidParameterCombination", message, 400)
    if snapshot in rds._snapshots:
        message = f"Cannot create the snapshot because a snapshot with the identifier {snapshot} already exists."
        return rds._error("DBSnapshotAlreadyExists", message, 400)
    most = applied.value_of(MANUAL_SNAPSHOTS)
    if snapshot and usage.manual_snapshots() >= most:
        return rds._error("SnapshotQuotaExceeded", f"Cannot create more than {most:g} manual snapshots", 400)
    if snapshot and instance["DBInstanceStatus"] not in READY:
        name = f"the database instance {instance['DBInstanceIdentifier']}"
        message = f"Cannot create a snapshot because {name} is not currently in the available state."
        return rds._error("InvalidDBInstanceState", message, 400)
    return None


# Called with the record of each deleted instance.
after_delete: list[Callable[[Instance], None]] = []


@replaces("ministack.services.rds:_instance_xml", "97bb74e4c17b")
def instance_xml(original: Callable[[Instance], str], instance: Instance) -> str:
    """Show MasterUserSecret and the exported logs."""
    logs = "".join(f"<member>{log}</member>" for log in instance.get("EnabledCloudwatchLogsExports") or [])
    shown = original(instance).replace(
        "<EnabledCloudwatchLogsExports/>", f"<EnabledCloudwatchLogsExports>{logs}</EnabledCloudwatchLogsExports>"
    )
    shown += settings.insights_xml(instance, shown)
    secret = instance.get("MasterUserSecret")
    if not secret:
        return shown
    members = "".join(f"<{name}>{value}</{name}>" for name, value in secret.items())
    return f"{shown}<MasterUserSecret>{members}</MasterUserSecret>"


def record_event(identifier: str, message: str) -> None:
    """Let DescribeEvents tell it."""
    rds._events[new_uuid()] = {
        "SourceIdentifier": identifier,
        "SourceType": "db-instance",
        "SourceArn": "",
        "Message": message,
        "Date": time.time(),
        "EventCategories": ["failure"],
    }


def _switch_log_exports(instance: Instance, parameters: dict[str, Any]) -> None:
    configuration = "CloudwatchLogsExportConfiguration"
    logs = set(instance.get("EnabledCloudwatchLogsExports") or [])
    logs |= set(rds._parse_member_list(parameters, f"{configuration}.EnableLogTypes"))
    logs -= set(rds._parse_member_list(parameters, f"{configuration}.DisableLogTypes"))
    instance["EnabledCloudwatchLogsExports"] = sorted(logs)


def _both_passwords() -> Any:
    message = "You can't specify MasterUserPassword when RDS manages the master user password."
    return rds._error("InvalidParameterCombination", message, 400)


def _secret_string(instance: Instance) -> str:
    return json.dumps({"username": instance["MasterUsername"], "password": instance["_MasterUserPassword"]})


def _create_secret(instance: Instance, kms_key_id: str) -> None:
    arn = secretsmanager.create_secret_in_process(
        f"rds!db-{new_uuid()}",
        _secret_string(instance),
        description=f"The secret associated with the primary RDS DB instance: {instance['DBInstanceArn']}",
    )
    instance["MasterUserSecret"] = {
        "SecretArn": arn,
        "SecretStatus": "active",
        "KmsKeyId": kms_key_id or f"arn:aws:kms:{get_region()}:{get_account_id()}:alias/aws/secretsmanager",
    }


def _delete_secret(instance: Instance) -> None:
    arn = instance.pop("MasterUserSecret")["SecretArn"]
    for name, secret in list(secretsmanager._secrets.items()):
        if secret["ARN"] == arn:
            secretsmanager._secrets.pop(name, None)
