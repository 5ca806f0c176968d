# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What calls of RDS take of its quotas."""

from __future__ import annotations

from ministack.services import rds

from sm2a_local_aws.quotas import usage
from sm2a_local_aws.quotas.rule import Parameters, Rule, Rules, new


def _exceeding(what: str) -> str:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html (errors), and its like."""
    return f"The request would result in the user exceeding the allowed {what}."


def _storage(parameters: Parameters) -> float:
    """Of a new DB instance, or what a change adds to one."""
    held = rds._instances.get(str(parameters.get("DBInstanceIdentifier"))) or {}
    return max(0, int(parameters.get("AllocatedStorage") or 0) - int(held.get("AllocatedStorage") or 0))


def _restored_storage(parameters: Parameters) -> float:
    snapshot = rds._snapshots.get(str(parameters.get("DBSnapshotIdentifier"))) or {}
    return int(parameters.get("AllocatedStorage") or snapshot.get("AllocatedStorage") or 0)


_INSTANCES = Rule(
    "L-7B6409FD",
    "InstanceQuotaExceeded",
    _exceeding("number of DB instances"),
    lambda _: usage.db_instances(),
    new(rds._instances, "DBInstanceIdentifier"),
)
_STORAGE = ("L-7ADDB58A", "StorageQuotaExceeded", _exceeding("amount of storage available across all DB instances"))


RULES: Rules = {
    ("rds", "CreateDBInstance"): (_INSTANCES, Rule(*_STORAGE, lambda _: usage.db_storage(), _storage)),
    ("rds", "ModifyDBInstance"): (Rule(*_STORAGE, lambda _: usage.db_storage(), _storage),),
    ("rds", "RestoreDBInstanceFromDBSnapshot"): (
        _INSTANCES,
        Rule(*_STORAGE, lambda _: usage.db_storage(), _restored_storage),
    ),
    ("rds", "CreateDBSubnetGroup"): (
        Rule(
            "L-48C6BF61",
            "DBSubnetGroupQuotaExceeded",
            _exceeding("number of DB subnet groups"),
            lambda _: usage.db_subnet_groups(),
            new(rds._subnet_groups, "DBSubnetGroupName"),
        ),
    ),
    ("rds", "CreateDBParameterGroup"): (
        Rule(
            "L-DE55804A",
            "DBParameterGroupQuotaExceeded",
            _exceeding("number of DB parameter groups"),
            lambda _: usage.db_parameter_groups(),
            new(rds._param_groups, "DBParameterGroupName"),
        ),
    ),
    ("rds", "CreateDBSnapshot"): (
        Rule(
            "L-272F1212",
            "SnapshotQuotaExceeded",
            "Cannot create more than {value} manual snapshots",
            lambda _: usage.manual_snapshots(),
            new(rds._snapshots, "DBSnapshotIdentifier"),
        ),
    ),
}
