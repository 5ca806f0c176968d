# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the removal of the database meets, loses and keeps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.tagging import boto3_tag_list_to_ansible_dict
from ansible_collections.sm2a.airflow.plugins.module_utils.rds import instances as api
from ansible_collections.sm2a.airflow.plugins.module_utils.removal.findings import Findings, counted

Options = Mapping[str, Any]
Instance = Mapping[str, Any]
# RDS checks the name of a snapshot only when it deletes the instance.
SNAPSHOT_NAME = re.compile(r"[A-Za-z](-?[A-Za-z0-9]){0,254}")


def database(rds: Any, options: Options) -> Findings:
    """``options`` are those of rds_instance; an instance that is being deleted is gone."""
    instance = api.describe_instance(rds, options["identifier"])
    if instance is None or instance["DBInstanceStatus"] == "deleting":
        return Findings()
    found = Findings(obstacles=_obstacles(rds, instance, options))
    return found + _data(rds, instance, options) + _backups(instance, options)


def existing(rds: Any, options: Options) -> Findings:
    """A database of somebody else; the environment may have had an instance of its own before."""
    kept = [f"Airflow's databases and users in {options['address']}, and the secret of the master user."]
    name = options["former_identifier"]
    former = api.describe_instance(rds, name)
    tags = boto3_tag_list_to_ansible_dict((former or {}).get("TagList") or [])
    if former is None or former["DBInstanceStatus"] == "deleting" or not options["former_tags"].items() <= tags.items():
        return Findings(kept=kept)
    obstacle = (
        f"The environment still has its former database {name}, which uses its network: remove it without "
        "database_existing, which leaves the other database all the same, or delete the DB instance first."
    )
    return Findings(obstacles=[obstacle], kept=kept)


def _obstacles(rds: Any, instance: Instance, options: Options) -> list[str]:
    name, status = instance["DBInstanceIdentifier"], instance["DBInstanceStatus"]
    protected = bool(instance.get("DeletionProtection"))
    found = []
    if protected and options["deletion_protection"] is not False:
        found.append(f"The database {name} is protected from deletion: set database_deletion_protection to false.")
    if protected and status in api.UNCHANGEABLE:
        found.append(f"RDS cannot lift the protection of the database {name} while it is {status}: start it first.")
    if not options["skip_final_snapshot"]:
        found += _obstacles_of_the_snapshot(rds, instance, options["final_snapshot_identifier"])
    # Replicas in other Regions, which are named by ARN, use neither the parameter group nor the network.
    replicas = [one for one in instance.get("ReadReplicaDBInstanceIdentifiers") or [] if not one.startswith("arn:")]
    if replicas:
        found.append(
            f"The database {name} has read replicas, which use its parameter group and its network: delete "
            f"{', '.join(replicas)} first."
        )
    return found


def _obstacles_of_the_snapshot(rds: Any, instance: Instance, wanted: str | None) -> list[str]:
    name, status = instance["DBInstanceIdentifier"], instance["DBInstanceStatus"]
    without = "set database_skip_final_snapshot to true to lose its data."
    found = []
    if status in api.HOPELESS:
        found.append(
            f"RDS makes no final snapshot of the database {name} while it is {status}: make it available first, or "
            f"{without}"
        )
    if wanted and not SNAPSHOT_NAME.fullmatch(wanted):
        found.append(
            f"RDS takes no snapshot name {wanted} (database_final_snapshot_identifier): a name begins with a letter "
            "and has letters, digits and single hyphens, none of them at the end."
        )
    if not api.has_room_for_a_snapshot(rds):
        found.append(
            f"RDS makes no final snapshot of the database {name}, as the account has as many manual DB snapshots as "
            f"its quota allows: delete some of them or request an increase under Service Quotas, or {without}"
        )
    return found


def _data(rds: Any, instance: Instance, options: Options) -> Findings:
    engine = f"{instance.get('Engine')} {instance.get('EngineVersion')}"
    described = f"the database {instance['DBInstanceIdentifier']} ({engine}, {instance.get('AllocatedStorage')} GiB)"
    if options["skip_final_snapshot"]:
        return Findings(lost=[f"{described[0].upper()}{described[1:]}, without a final snapshot."])
    return Findings(kept=[f"The data of {described}, in the final snapshot {_snapshot_name(rds, options)}."])


def _snapshot_name(rds: Any, options: Options) -> str:
    wanted = options["final_snapshot_identifier"]
    if not wanted:
        return f"{options['identifier']}-final-, with the time at the end"
    return api.free_snapshot_name(rds, wanted) if SNAPSHOT_NAME.fullmatch(wanted) else str(wanted)


def _backups(instance: Instance, options: Options) -> Findings:
    days = int(instance.get("BackupRetentionPeriod") or 0)
    if not days:
        return Findings()
    name = instance["DBInstanceIdentifier"]
    said = f"The automated backups of the database {name}, of the last {counted(days, 'day')}"
    if options["delete_automated_backups"]:
        return Findings(lost=[f"{said}."])
    return Findings(kept=[f"{said}, each until it is as old as that."])
