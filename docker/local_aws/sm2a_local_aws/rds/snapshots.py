# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Restored DB instances have the settings of request and snapshot, but no data and no container."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import rds

from sm2a_local_aws.patching.points import relies_on, replaces
from sm2a_local_aws.rds import requests, settings

Handler = Callable[[dict[str, Any]], Any]

relies_on(
    "ministack.services.rds",
    {
        "_parse_tags": "74fb77471e7b",
        "_parse_member_list": "0ded5310b0d9",
    },
)


@replaces("ministack.services.rds:_restore_from_snapshot", "7a2234de0cf5")
def restore_from_snapshot(original: Handler, parameters: dict[str, Any]) -> Any:
    """RestoreDBInstanceFromDBSnapshot with what MiniStack leaves out."""
    known = rds._p(parameters, "DBInstanceIdentifier") in rds._instances
    response = original(parameters)
    if response[0] != 200 or known:
        return response
    instance = rds._instances[rds._p(parameters, "DBInstanceIdentifier")]
    snapshot = rds._snapshots[rds._p(parameters, "DBSnapshotIdentifier")]
    settings.keep(instance, parameters, {**settings.EVERYWHERE, **settings.RESTORED})
    instance["KmsKeyId"] = snapshot.get("KmsKeyId", "")
    instance["Endpoint"]["Port"] = int(rds._p(parameters, "Port") or snapshot["Port"])
    instance["Endpoint"]["Address"] = requests.of_instance(instance).address
    instance["VpcSecurityGroups"] = [
        {"VpcSecurityGroupId": group, "Status": "active"}
        for group in rds._parse_member_list(parameters, "VpcSecurityGroupIds")
    ]
    subnets = rds._subnet_groups.get(rds._p(parameters, "DBSubnetGroupName"))
    if subnets:
        instance["DBSubnetGroup"] = subnets
    if rds._p(parameters, "DBParameterGroupName"):
        instance["DBParameterGroups"][0]["DBParameterGroupName"] = rds._p(parameters, "DBParameterGroupName")
    instance["EnabledCloudwatchLogsExports"] = rds._parse_member_list(parameters, "EnableCloudwatchLogsExports")
    instance["TagList"] = rds._tags[instance["DBInstanceArn"]] = rds._parse_tags(parameters)
    return rds._single_instance_response(
        "RestoreDBInstanceFromDBSnapshotResponse", "RestoreDBInstanceFromDBSnapshotResult", instance
    )
