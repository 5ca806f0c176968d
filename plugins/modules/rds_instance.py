#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_instance
short_description: Manage an RDS DB instance whose master password RDS keeps
version_added: 0.1.0
description:
  - Creates, changes and deletes an Amazon RDS DB instance. It does not wait for the result, see
    M(sm2a.airflow.rds_instance_wait); it only waits until the instance accepts a change.
  - Unlike M(amazon.aws.rds_instance) it lets RDS generate the master password and keep it in AWS Secrets Manager
    (O(manage_master_user_password)), so that no password passes through Ansible, shows a diff, and survives lost
    replies.
  - An option that is not set leaves the instance's value alone. A change that waits for the maintenance window counts
    as made.
author:
  - SM2A contributors (@sm2a)
options:
  identifier:
    description: Identifier of the DB instance.
    type: str
    required: true
  cloudwatch_logs_exports:
    description: Logs that RDS sends to CloudWatch Logs. An empty list stops all.
    type: list
    elements: str
  snapshot_identifier:
    description:
      - Restore the instance from this DB snapshot when it is to be created. Later it changes nothing.
      - RDS takes database name, master user, engine and key from the snapshot, so O(database_name), O(master_username)
        and O(kms_key_id) do not count while this is set. The rest is applied by the next run of this module, as
        RDS only changes an available instance.
    type: str
  apply_immediately:
    description:
      - Whether changes are applied at once, or in the maintenance window where they can interrupt the service.
      - RDS applies some at once in any case, such as those of backups, monitoring and deletion protection.
    type: bool
    default: true
  reboot_for_parameters:
    description: Whether the instance is rebooted when parameters of its group wait for that.
    type: bool
    default: false
  skip_final_snapshot:
    description: With O(state=absent), whether the data is destroyed without a final snapshot.
    type: bool
    default: false
  final_snapshot_identifier:
    description:
      - Name of the final snapshot, by default the identifier, C(-final-) and the time in UTC.
      - When there is such a snapshot already, a number is appended.
    type: str
  delete_automated_backups:
    description: With O(state=absent), whether the automated backups go as well.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait until the instance accepts a change.
    type: int
    default: 2400
  state:
    description: Whether the instance exists. One that is being deleted counts as absent.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
  - sm2a.airflow.attributes
  - sm2a.airflow.rds_instance
  - sm2a.airflow.state
seealso:
  - module: sm2a.airflow.rds_instance_wait
  - module: amazon.aws.rds_instance_info
"""

EXAMPLES = r"""
- name: Start the creation of a database
  sm2a.airflow.rds_instance:
    identifier: airflow
    engine: postgres
    engine_version: "17"
    instance_class: db.t4g.medium
    allocated_storage: 20
    storage_encrypted: true
    database_name: airflow
    manage_master_user_password: true
    subnet_group_name: airflow
    deletion_protection: true

- name: Delete it, keeping a final snapshot
  sm2a.airflow.rds_instance:
    identifier: airflow
    state: absent
    deletion_protection: false
"""

RETURN = r"""
instance:
  description: The instance after the task; in check mode as predicted. Empty when it is absent.
  returned: always
  type: dict
  contains:
    identifier:
      description: Identifier of the DB instance. The other options are returned under their names as well.
      type: str
      returned: when the instance exists
    arn:
      description: ARN of the instance.
      type: str
      returned: when the instance exists
    status:
      description: Status, such as C(creating) or C(available).
      type: str
      returned: when the instance exists
    address:
      description: Host name of the database, none until RDS has given it one.
      type: str
      returned: when the instance exists
    master_user_secret_arn:
      description: ARN of the secret in which RDS keeps the master password, none when RDS does not manage it.
      type: str
      returned: when the instance exists
    pending_changes:
      description: Names of the API of what RDS will change in the maintenance window.
      type: list
      elements: str
      returned: when the instance exists
    parameters_pending_reboot:
      description: Whether parameters of the group take effect with the next reboot only.
      type: bool
      returned: when the instance exists
    tags:
      description: Tags of the instance.
      type: dict
      returned: when the instance exists
restored:
  description: Whether this task started to restore the instance from a snapshot.
  returned: always
  type: bool
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import (
    STATE_OPTION,
    TAG_OPTIONS,
    client,
    exit_with,
    tag_change,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.common.results import Outcome
from ansible_collections.sm2a.airflow.plugins.module_utils.rds import instance_settings as fields_api
from ansible_collections.sm2a.airflow.plugins.module_utils.rds import instances as api

Options = Mapping[str, Any]
DELAY_SECONDS = 5
NEEDED_TO_CREATE = ("engine", "instance_class", "allocated_storage")


def ensure_present(rds: Any, options: Options, check_mode: bool) -> Outcome:
    """Create the instance, or change the fields, log exports and tags that differ."""
    identifier = options["identifier"]
    instance = api.describe_instance(rds, identifier)
    if instance and instance["DBInstanceStatus"] == "deleting":
        if not check_mode:
            api.wait_until(rds, identifier, "deleted", options["wait_timeout"], DELAY_SECONDS)
        instance = None
    if instance is None:
        return create(rds, options, check_mode)
    return change(rds, instance, options, check_mode)


def create(rds: Any, options: Options, check_mode: bool) -> Outcome:
    """Start the creation or the restoration."""
    missing = [option for option in NEEDED_TO_CREATE if options[option] is None]
    if missing:
        message = f"DB instance {options['identifier']} does not exist; to create it set {', '.join(missing)}"
        raise AnsibleAWSError(message=message)
    if options["snapshot_identifier"]:
        check_snapshot(rds, options)
    tags = {key: str(value) for key, value in (options["tags"] or {}).items()}
    parameters = fields_api.creation_parameters(options, tags)
    wanted = fields_api.wanted_settings(options)
    if options["cloudwatch_logs_exports"]:
        wanted["cloudwatch_logs_exports"] = sorted(options["cloudwatch_logs_exports"])
    if check_mode:
        return Outcome(True, {}, {**fields_api.view(parameters), **wanted, "status": "creating", "tags": tags})
    made = fields_api.view({**api.create_instance(rds, parameters), "TagList": parameters["Tags"]})
    # What a restored instance lacks as yet belongs to this change: the next run only completes it.
    return Outcome(True, {}, {**made, **wanted} if options["snapshot_identifier"] else made)


def check_snapshot(rds: Any, options: Options) -> None:
    """AnsibleAWSError when the snapshot cannot become the wanted instance."""
    name = options["snapshot_identifier"]
    snapshot = api.describe_snapshot(rds, name)
    if snapshot is None:
        raise AnsibleAWSError(message=f"DB snapshot {name} does not exist")
    if snapshot.get("Engine") != options["engine"]:
        raise AnsibleAWSError(
            message=f"DB snapshot {name} has the engine {snapshot.get('Engine')}, not {options['engine']}"
        )
    if options["storage_encrypted"] and not snapshot.get("Encrypted"):
        message = f"DB snapshot {name} is not encrypted: copy it with a KMS key, and restore the copy"
        raise AnsibleAWSError(message=message)


def change(rds: Any, instance: dict[str, Any], options: Options, check_mode: bool) -> Outcome:
    """Start the modification, once the instance accepts one, or the reboot that its parameters wait for."""
    fields = fields_api.differing_fields(instance, options)
    frozen = [field.option for field in fields if field.modify is None]
    if frozen:
        message = f"AWS cannot change {', '.join(frozen)} of the existing DB instance {options['identifier']}"
        raise AnsibleAWSError(message=message)
    logs = fields_api.log_export_change(instance, options["cloudwatch_logs_exports"])
    tagging = tag_change(fields_api.tags_of(instance), options["tags"], options["purge_tags"])
    before = fields_api.view(instance)
    after = {**before, **{field.option: options[field.option] for field in fields}, "tags": tagging.result}
    reboot = options["reboot_for_parameters"] and before["parameters_pending_reboot"]
    if logs:
        after["cloudwatch_logs_exports"] = sorted(options["cloudwatch_logs_exports"])
    if reboot:
        after["parameters_pending_reboot"] = False
    if not check_mode:
        if fields or logs:
            modify(rds, options, fields_api.modification_parameters(fields, options), logs)
        if tagging:
            api.tag_instance(rds, instance["DBInstanceArn"], tagging.set, tagging.remove)
        if reboot:
            api.wait_until(rds, options["identifier"], "available", options["wait_timeout"], DELAY_SECONDS)
            api.reboot_instance(rds, options["identifier"])
    return Outcome(before != after, before, after)


def modify(rds: Any, options: Options, parameters: dict[str, Any], logs: Mapping[str, list[str]]) -> None:
    """Send the modification."""
    if logs:
        parameters["CloudwatchLogsExportConfiguration"] = logs
    api.wait_until(rds, options["identifier"], "available", options["wait_timeout"], DELAY_SECONDS)
    modified = api.modify_instance(rds, options["identifier"], parameters, options["apply_immediately"])
    if options["apply_immediately"]:
        api.wait_until_begun(rds, options["identifier"], modified)


def ensure_absent(rds: Any, options: Options, check_mode: bool) -> Outcome:
    """Start the deletion; a protected instance only goes when the options lift the protection."""
    identifier = options["identifier"]
    instance = api.describe_instance(rds, identifier)
    if instance is None or instance["DBInstanceStatus"] == "deleting":
        return Outcome(False)
    protected = bool(instance.get("DeletionProtection"))
    if protected and options["deletion_protection"] is not False:
        message = f"DB instance {identifier} is protected from deletion: set deletion_protection to false to delete it"
        raise AnsibleAWSError(message=message)
    status = instance["DBInstanceStatus"]
    if status in api.HOPELESS and not options["skip_final_snapshot"]:
        message = f"RDS cannot create a final snapshot of DB instance {identifier} while it is {status}"
        raise AnsibleAWSError(message=f"{message}: set skip_final_snapshot to delete it without one")
    if protected and status in api.UNCHANGEABLE:
        message = f"RDS cannot lift the protection of DB instance {identifier} while it is {status}: start it first"
        raise AnsibleAWSError(message=message)
    if not check_mode:
        if status == "creating" or (passes(status) and (protected or not options["skip_final_snapshot"])):
            api.wait_until(rds, identifier, "available", options["wait_timeout"], DELAY_SECONDS)
        if protected:
            api.modify_instance(rds, identifier, {"DeletionProtection": False}, immediately=True)
        delete(rds, options)
    return Outcome(True, fields_api.view(instance))


def delete(rds: Any, options: Options) -> None:
    """Start the deletion. A repeated call after a lost reply is refused, as the instance is being deleted by then."""
    identifier = options["identifier"]
    snapshot = None if options["skip_final_snapshot"] else snapshot_name(rds, options)
    try:
        api.delete_instance(rds, identifier, snapshot, options["delete_automated_backups"])
    except AnsibleAWSError:
        instance = api.describe_instance(rds, identifier)
        if instance is None or instance["DBInstanceStatus"] == "deleting":
            return
        if not passes(instance["DBInstanceStatus"]):
            raise
        # RDS may still be lifting the protection.
        api.wait_until(rds, identifier, "available", options["wait_timeout"], DELAY_SECONDS)
        api.delete_instance(rds, identifier, snapshot, options["delete_automated_backups"])


def passes(status: str) -> bool:
    """Whether RDS is busy with an instance that becomes available by itself."""
    return status not in (*api.READY, *api.HOPELESS)


def snapshot_name(rds: Any, options: Options) -> str:
    """The wanted name of the final snapshot, with a number when there is such a snapshot."""
    now = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
    return api.free_snapshot_name(rds, options["final_snapshot_identifier"] or f"{options['identifier']}-final-{now}")


def run(rds: Any, options: Options, check_mode: bool) -> dict[str, Any]:
    """Bring the instance to its state, and return what the module returns."""
    ensure = ensure_present if options["state"] == "present" else ensure_absent
    outcome = ensure(rds, options, check_mode)
    created = outcome.changed and not outcome.before
    result = {**outcome.result("instance"), "restored": bool(created and options["snapshot_identifier"])}
    if outcome.before and outcome.after:
        # What did not change may be about to: another task of the run may have started that.
        changed = [key for key, value in outcome.after.items() if outcome.before[key] != value]
        sides = {"before": outcome.before, "after": outcome.after}
        result["diff"] = {side: {key: values[key] for key in changed} for side, values in sides.items()}
    return result


def argument_spec() -> dict[str, Any]:
    """The options as AnsibleModule wants them."""
    texts = "engine_version instance_class kms_key_id database_name master_username subnet_group_name"
    texts += " parameter_group_name backup_window maintenance_window final_snapshot_identifier snapshot_identifier"
    texts += " ca_certificate_identifier monitoring_role_arn performance_insights_kms_key_id"
    numbers = "allocated_storage max_allocated_storage iops storage_throughput port backup_retention_period"
    numbers += " performance_insights_retention_period"
    switches = "storage_encrypted publicly_accessible multi_az auto_minor_version_upgrade copy_tags_to_snapshot"
    switches += " iam_database_authentication performance_insights deletion_protection"
    off = "allow_major_version_upgrade reboot_for_parameters skip_final_snapshot"
    on = "apply_immediately delete_automated_backups"
    return {
        "identifier": {"type": "str", "required": True},
        "engine": {"type": "str", "choices": ["postgres", "mysql", "mariadb"]},
        "storage_type": {"type": "str", "choices": ["gp2", "gp3", "io1", "io2", "standard"]},
        "monitoring_interval": {"type": "int", "choices": [0, 1, 5, 10, 15, 30, 60]},
        "database_insights_mode": {"type": "str", "choices": ["standard", "advanced"]},
        **{option: {"type": "str"} for option in texts.split()},
        **{option: {"type": "int"} for option in numbers.split()},
        **{option: {"type": "bool"} for option in switches.split()},
        **{option: {"type": "bool", "default": False} for option in off.split()},
        **{option: {"type": "bool", "default": True} for option in on.split()},
        "manage_master_user_password": {"type": "bool", "no_log": False},
        "master_user_secret_kms_key_id": {"type": "str", "no_log": False},
        "security_group_ids": {"type": "list", "elements": "str"},
        "cloudwatch_logs_exports": {"type": "list", "elements": "str"},
        "wait_timeout": {"type": "int", "default": 2400},
        **STATE_OPTION,
        **TAG_OPTIONS,
    }


def main() -> None:
    """Bring the instance to its state."""
    module = AnsibleAWSModule(argument_spec=argument_spec(), supports_check_mode=True)
    exit_with(module, lambda: run(client(module, "rds"), module.params, module.check_mode))


if __name__ == "__main__":
    main()
