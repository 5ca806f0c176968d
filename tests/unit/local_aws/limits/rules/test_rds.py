# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What RDS refuses and takes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.unit.local_aws.limits.rules import cases
from ansible_collections.sm2a.airflow.tests.unit.local_aws.limits.rules.cases import Wrong

CREATE, MODIFY, RESTORE, DELETE = (
    "CreateDBInstance",
    "ModifyDBInstance",
    "RestoreDBInstanceFromDBSnapshot",
    "DeleteDBInstance",
)
VALUE, COMBINATION = "InvalidParameterValue", "InvalidParameterCombination"
INSTANCE = {"DBInstanceIdentifier": "prod", "Engine": "postgres", "StorageType": "gp3", "AllocatedStorage": "20"}
IO2 = {"DBInstanceIdentifier": "prod", "Engine": "postgres", "StorageType": "io2"}
NAMED = "is not a valid identifier"
MONITORED = {"MonitoringRoleArn": "arn:aws:iam::000000000000:role/monitoring"}


def windows(backup: str, maintenance: str) -> dict[str, str]:
    return {"PreferredBackupWindow": backup, "PreferredMaintenanceWindow": maintenance}


WRONG = [
    Wrong(CREATE, {**INSTANCE, "DBInstanceIdentifier": "1prod"}, VALUE, NAMED),
    Wrong(CREATE, {**INSTANCE, "DBInstanceIdentifier": "p" * 64}, VALUE, NAMED),
    Wrong(RESTORE, {"DBInstanceIdentifier": "prod--1"}, VALUE, NAMED),
    Wrong("CreateDBSnapshot", {"DBSnapshotIdentifier": "snapshot-"}, VALUE, NAMED),
    Wrong(DELETE, {"FinalDBSnapshotIdentifier": "the_end"}, VALUE, NAMED),
    Wrong(DELETE, {"SkipFinalSnapshot": "false"}, COMBINATION, "FinalDBSnapshotIdentifier is required unless"),
    Wrong(DELETE, {"SkipFinalSnapshot": "true", "FinalDBSnapshotIdentifier": "e"}, COMBINATION, "cannot be specified"),
    Wrong("CreateDBParameterGroup", {"DBParameterGroupName": "p.17"}, VALUE, NAMED),
    Wrong(
        "CreateDBSubnetGroup", {"DBSubnetGroupName": "default", "SubnetIds": ["a", "b"]}, VALUE, "must not be default"
    ),
    Wrong("ModifyDBSubnetGroup", {"SubnetIds": ["a", "a"]}, "DBSubnetGroupDoesNotCoverEnoughAZs", "at least 2"),
    Wrong("ModifyDBParameterGroup", {"Parameters": [{}] * 21}, VALUE, "At most 20 parameters"),
    Wrong(CREATE, {**INSTANCE, "AllocatedStorage": "19"}, COMBINATION, "storage type gp3: 19"),
    Wrong(CREATE, {**IO2, "AllocatedStorage": "99", "Iops": "1000"}, COMBINATION, "storage type io2: 99"),
    Wrong(CREATE, {**INSTANCE, "MaxAllocatedStorage": "20"}, COMBINATION, "Max storage size must be greater"),
    Wrong(CREATE, {**INSTANCE, "Iops": "3000"}, COMBINATION, "a storage size less than 400"),
    Wrong(CREATE, {**INSTANCE, "StorageThroughput": "500"}, COMBINATION, "a storage size less than 400"),
    Wrong(CREATE, {**IO2, "AllocatedStorage": "100"}, COMBINATION, "provisioned IOPS for the storage type io2"),
    Wrong(CREATE, {**IO2, "AllocatedStorage": "100", "Iops": "5001"}, COMBINATION, "between 0.5 and 50"),
    Wrong(CREATE, {**INSTANCE, "MasterUsername": "the-admin"}, VALUE, "not a valid master user name"),
    Wrong(CREATE, {**INSTANCE, "MasterUsername": "admin"}, VALUE, "reserved word used by the engine"),
    Wrong(CREATE, {**INSTANCE, "MasterUsername": "pg_admin"}, VALUE, "reserved word used by the engine"),
    Wrong(MODIFY, {"ManageMasterUserPassword": "true", "MasterUserPassword": "x"}, COMBINATION, "MasterUserPassword"),
    Wrong(
        CREATE,
        {
            **INSTANCE,
            "DatabaseInsightsMode": "advanced",
            "EnablePerformanceInsights": "true",
            "PerformanceInsightsRetentionPeriod": "31",
        },
        COMBINATION,
        "at least 465 days",
    ),
    Wrong(CREATE, {**INSTANCE, "MonitoringInterval": "60"}, COMBINATION, "A MonitoringRoleARN value is required"),
    Wrong(MODIFY, {"MonitoringInterval": "20"}, VALUE, "Invalid monitoring interval: 20"),
    Wrong(MODIFY, {"PerformanceInsightsRetentionPeriod": "94"}, VALUE, "Valid values are: [7, 31, 62, 93,"),
    Wrong(MODIFY, {"BackupRetentionPeriod": "36"}, VALUE, "must be between 0 and 35"),
    Wrong(MODIFY, {"PreferredBackupWindow": "24:00-01:00"}, VALUE, "Invalid backup window format"),
    Wrong(MODIFY, {"PreferredBackupWindow": "02:00-02:29"}, VALUE, "at least 30 minutes"),
    Wrong(MODIFY, {"PreferredMaintenanceWindow": "03:00-04:00"}, VALUE, "Invalid maintenance window format"),
    Wrong(MODIFY, {"PreferredMaintenanceWindow": "sun:03:00-sun:03:10"}, VALUE, "at least 30 minutes"),
    Wrong(MODIFY, windows("02:00-03:00", "sun:02:30-sun:03:30"), VALUE, "must not overlap"),
    Wrong(MODIFY, windows("23:30-00:30", "sun:23:00-mon:00:10"), VALUE, "must not overlap"),
    Wrong(CREATE, {**INSTANCE, "Port": "1149"}, VALUE, "Invalid database port: 1149"),
    Wrong(MODIFY, {"DBPortNumber": "65536"}, VALUE, "Invalid database port: 65536"),
]
RIGHT: list[tuple[str, dict[str, Any]]] = [
    (CREATE, {**INSTANCE, "MaxAllocatedStorage": "21", "MasterUsername": "sm2a_admin", "Port": "1150"}),
    (CREATE, {**INSTANCE, "Engine": "mysql", "MasterUsername": "admin", "MonitoringInterval": "0"}),
    (CREATE, {**INSTANCE, "AllocatedStorage": "400", "Iops": "12000", "StorageThroughput": "500"}),
    (CREATE, {**IO2, "AllocatedStorage": "100", "Iops": "5000", "MonitoringInterval": "60", **MONITORED}),
    (
        CREATE,
        {
            **INSTANCE,
            "DatabaseInsightsMode": "advanced",
            "EnablePerformanceInsights": "true",
            "PerformanceInsightsRetentionPeriod": "465",
            "ManageMasterUserPassword": "true",
        },
    ),
    (RESTORE, {"DBInstanceIdentifier": "p" * 63, "Port": "65535"}),
    (MODIFY, {"BackupRetentionPeriod": "0", **windows("02:00-03:00", "Sun:03:00-Sun:04:00")}),
    (MODIFY, windows("23:30-00:30", "mon:00:30-mon:01:00")),
    (DELETE, {"SkipFinalSnapshot": "true"}),
    (DELETE, {"FinalDBSnapshotIdentifier": "the-end"}),
    ("CreateDBSubnetGroup", {"DBSubnetGroupName": "prod", "SubnetIds": ["a", "b"]}),
    ("ModifyDBParameterGroup", {"Parameters": [{}] * 20}),
]


@pytest.mark.parametrize("wrong", WRONG)
def test_refused(wrong: Wrong) -> None:
    cases.assert_refused("rds", wrong)


@pytest.mark.parametrize(("operation", "parameters"), RIGHT)
def test_taken(operation: str, parameters: dict[str, Any]) -> None:
    assert cases.refusals("rds", operation, parameters) == []


def test_every_rule_refuses_something() -> None:
    assert cases.rules_without_a_case("rds", WRONG) == []
