# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""RDS DB instances and their snapshots: the API calls and the waiters. rds_fields has the settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

try:
    from botocore.exceptions import WaiterError
    from botocore.waiter import WaiterModel, create_waiter_with_client
except ImportError:
    pass  # AnsibleAWSModule reports the missing library.

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list
from ansible_collections.sm2a.airflow.plugins.module_utils.common import waiters as common_waiters
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call
from ansible_collections.sm2a.airflow.plugins.module_utils.common.create_once import create_once
from ansible_collections.sm2a.airflow.plugins.module_utils.common.progress import say

EXISTS = ("DBInstanceAlreadyExists", "DBInstanceAlreadyExistsFault")
SNAPSHOT_MISSING = ("DBSnapshotNotFound", "DBSnapshotNotFoundFault")
MISSING = ("DBInstanceNotFound", "DBInstanceNotFoundFault")
# An event of botocore.
DESCRIBED = "after-call.rds.DescribeDBInstances"
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
# In these RDS makes a final snapshot and lifts the protection; from all but the hopeless ones it gets there by itself.
READY = ("available", "storage-optimization")
# https://github.com/aws-cloudformation/aws-cloudformation-resource-providers-rds/pull/243 waits for the same.
BEGIN_DELAY_SECONDS = 5
BEGIN_TIMEOUT_SECONDS = 120
# In these RDS changes nothing.
UNCHANGEABLE = ("stopped", "stopping")
STATUS_PATH = "DBInstances[].DBInstanceStatus"


@call("describe the DB instance", missing=MISSING)
def describe_instance(rds: Any, identifier: str) -> dict[str, Any] | None:
    """The instance as the API describes it, None when there is none."""
    instances = rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"]
    return instances[0] if instances else None


@call("create the DB instance")
def create_instance(rds: Any, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Start the creation, or the restoration when the parameters name a snapshot; returns at once."""
    identifier = parameters["DBInstanceIdentifier"]
    start = rds.restore_db_instance_from_db_snapshot if "DBSnapshotIdentifier" in parameters else rds.create_db_instance
    return create_once(
        rds,
        lambda: dict(start(**parameters)["DBInstance"]),
        lambda: describe_instance(rds, identifier),
        exists=EXISTS,
    )


@call("modify the DB instance")
def modify_instance(rds: Any, identifier: str, parameters: Mapping[str, Any], immediately: bool) -> dict[str, Any]:
    """Start the modification, at once or in the maintenance window."""
    members = {"DBInstanceIdentifier": identifier, "ApplyImmediately": immediately, **parameters}
    return dict(rds.modify_db_instance(**members)["DBInstance"])


def wait_until_begun(rds: Any, identifier: str, modified: Mapping[str, Any]) -> None:
    """Return when RDS works on a modification, or has done it; ``modified`` is what ModifyDBInstance answered.

    Until then, for a minute or so, the instance is available with its old values, as if there was nothing to wait for.
    """
    pending: Mapping[str, Any] = modified.get("PendingModifiedValues") or {}

    def begun() -> bool:
        instance = describe_instance(rds, identifier) or {}
        left = (instance.get("PendingModifiedValues") or {}).keys() & pending.keys()
        done = all(instance.get(key, value) == value for key, value in pending.items())
        return instance.get("DBInstanceStatus") not in READY or (done and not left)

    if pending:
        common_waiters.wait_until(begun, BEGIN_DELAY_SECONDS, BEGIN_TIMEOUT_SECONDS)


@call("reboot the DB instance")
def reboot_instance(rds: Any, identifier: str) -> None:
    """Start a reboot, which applies static parameters."""
    rds.reboot_db_instance(DBInstanceIdentifier=identifier)


@call("describe the DB snapshot", missing=SNAPSHOT_MISSING)
def describe_snapshot(rds: Any, identifier: str) -> dict[str, Any] | None:
    """The snapshot as the API describes it, None when there is none."""
    snapshots = rds.describe_db_snapshots(DBSnapshotIdentifier=identifier)["DBSnapshots"]
    return snapshots[0] if snapshots else None


@call("read the quotas of RDS")
def has_room_for_a_snapshot(rds: Any) -> bool:
    """Whether the account may have one more manual snapshot in this region; a final one counts as such."""
    quotas = {quota["AccountQuotaName"]: quota for quota in rds.describe_account_attributes()["AccountQuotas"]}
    snapshots = quotas.get("ManualSnapshots")
    return snapshots is None or snapshots["Used"] < snapshots["Max"]


def free_snapshot_name(rds: Any, wanted: str) -> str:
    """The name, with a number when there is such a snapshot."""
    name, number = wanted, 1
    while describe_snapshot(rds, name):
        number += 1
        name = f"{wanted}-{number}"
    return name


@call("delete the DB instance", missing=MISSING)
def delete_instance(rds: Any, identifier: str, final_snapshot: str | None, delete_backups: bool) -> None:
    """Start the deletion, with a final snapshot of that name, or without one."""
    snapshot = {"FinalDBSnapshotIdentifier": final_snapshot} if final_snapshot else {"SkipFinalSnapshot": True}
    rds.delete_db_instance(DBInstanceIdentifier=identifier, DeleteAutomatedBackups=delete_backups, **snapshot)


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
    rds.meta.events.register(DESCRIBED, _say_status)
    try:
        waiter.wait(DBInstanceIdentifier=identifier)
    except WaiterError as error:
        raise AnsibleAWSError(message=explain(rds, identifier, goal, error.last_response, timeout)) from error
    finally:
        rds.meta.events.unregister(DESCRIBED, _say_status)


def _say_status(parsed: Mapping[str, Any], **_others: Any) -> None:
    """Handler of botocore's event DESCRIBED."""
    for instance in parsed.get("DBInstances", []):
        say(f"DB instance {instance['DBInstanceIdentifier']} is {instance['DBInstanceStatus']}")


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
