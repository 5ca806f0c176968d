# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which logs a DB instance sends to CloudWatch Logs."""

from __future__ import annotations

from typing import Any


def test_log_exports_are_kept_and_switched(control_plane: Any) -> None:
    rds = control_plane.client("rds")

    def exports() -> list[str]:
        found: list[str] = rds.describe_db_instances(DBInstanceIdentifier="logging")["DBInstances"][0][
            "EnabledCloudwatchLogsExports"
        ]
        return found

    rds.create_db_instance(
        DBInstanceIdentifier="logging",
        Engine="postgres",
        DBInstanceClass="db.t4g.micro",
        AllocatedStorage=20,
        ManageMasterUserPassword=True,
        MasterUsername="sm2a_admin",
        EnableCloudwatchLogsExports=["postgresql"],
    )
    assert exports() == ["postgresql"]
    change = {"EnableLogTypes": ["upgrade"], "DisableLogTypes": ["postgresql"]}
    rds.modify_db_instance(DBInstanceIdentifier="logging", CloudwatchLogsExportConfiguration=change)
    assert exports() == ["upgrade"]
    rds.delete_db_instance(DBInstanceIdentifier="logging", SkipFinalSnapshot=True)
