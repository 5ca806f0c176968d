#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_instance
short_description: Manage an RDS DB instance whose master password RDS keeps
version_added: 0.1.0
description:
  - Creates, changes and deletes an Amazon RDS DB instance. It does not wait for the result, see
    M(sm2a.airflow.rds_instance_wait); it only waits until the instance accepts a change.
  - Unlike M(amazon.aws.rds_instance) it lets RDS generate the master password and keep it in AWS Secrets Manager
    (O(manage_master_user_password)), so that no password passes through Ansible.
  - An option that is not set leaves the instance's value alone. Changes are applied at once.
author:
  - SM2A contributors (@sm2a)
options:
  identifier:
    description: Identifier of the DB instance.
    type: str
    required: true
  engine:
    description: Database engine, needed to create the instance. Cannot be changed.
    type: str
    choices: [postgres, mysql, mariadb]
  engine_version:
    description: Version, such as V(17) or V(17.4). A running version that starts with it is left alone.
    type: str
  allow_major_version_upgrade:
    description: Whether a changed major version is applied. RDS refuses it otherwise.
    type: bool
    default: false
  instance_class:
    description: Instance class, such as V(db.t4g.medium), needed to create the instance.
    type: str
  allocated_storage:
    description: Storage in GiB, needed to create the instance. Storage only grows; a smaller figure changes nothing.
    type: int
  max_allocated_storage:
    description: Up to how many GiB RDS lets the storage grow by itself.
    type: int
  storage_type:
    description: Storage type.
    type: str
    choices: [gp2, gp3, io1, io2, standard]
  storage_encrypted:
    description: Whether storage, backups and snapshots are encrypted. Cannot be changed.
    type: bool
  kms_key_id:
    description: Id, ARN or alias of the key that encrypts the storage. Cannot be changed.
    type: str
  database_name:
    description: Database to create with the instance. Cannot be changed.
    type: str
  master_username:
    description: Name of the master user. Cannot be changed.
    type: str
  manage_master_user_password:
    description: Whether RDS generates, keeps and rotates the master password in AWS Secrets Manager.
    type: bool
  master_user_secret_kms_key_id:
    description: Key that encrypts that secret, set when RDS starts to manage the password.
    type: str
  port:
    description: Port that the database listens on.
    type: int
  subnet_group_name:
    description: DB subnet group. Cannot be changed.
    type: str
  security_group_ids:
    description: VPC security groups.
    type: list
    elements: str
  parameter_group_name:
    description: DB parameter group.
    type: str
  publicly_accessible:
    description: Whether the instance has a public address.
    type: bool
  multi_az:
    description: Whether RDS keeps a standby in another availability zone.
    type: bool
  backup_retention_period:
    description: Days for which automated backups are kept, 0 to 35.
    type: int
  backup_window:
    description: Daily backup window in UTC, such as V(03:00-04:00).
    type: str
  maintenance_window:
    description: Weekly maintenance window in UTC, such as V(sun:05:00-sun:06:00).
    type: str
  auto_minor_version_upgrade:
    description: Whether RDS upgrades minor versions in the maintenance window.
    type: bool
  copy_tags_to_snapshot:
    description: Whether snapshots carry the tags of the instance.
    type: bool
  iam_database_authentication:
    description: Whether IAM users and roles can sign in to the database.
    type: bool
  cloudwatch_logs_exports:
    description: Logs that RDS sends to CloudWatch Logs. An empty list stops all.
    type: list
    elements: str
  deletion_protection:
    description:
      - Whether AWS refuses to delete the instance.
      - With O(state=absent), V(false) lifts the protection of an instance that has it; unset leads to an error.
    type: bool
  skip_final_snapshot:
    description: With O(state=absent), whether the data is destroyed without a final snapshot.
    type: bool
    default: false
  final_snapshot_identifier:
    description: Name of the final snapshot, by default the identifier, C(-final-) and the time in UTC.
    type: str
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
    storage_type: gp3
    storage_encrypted: true
    database_name: airflow
    master_username: airflow_admin
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
    tags:
      description: Tags of the instance.
      type: dict
      returned: when the instance exists
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils import rds as api
from ansible_collections.sm2a.airflow.plugins.module_utils.aws import (
    STATE_OPTION,
    TAG_OPTIONS,
    Outcome,
    client,
    manage,
    tag_change,
)

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
    """Start the creation."""
    missing = [option for option in NEEDED_TO_CREATE if options[option] is None]
    if missing:
        message = f"DB instance {options['identifier']} does not exist; to create it set {', '.join(missing)}"
        raise AnsibleAWSError(message=message)
    tags = {key: str(value) for key, value in (options["tags"] or {}).items()}
    parameters = api.creation_parameters(options, tags)
    if not check_mode:
        made = api.create_instance(rds, parameters)
        return Outcome(True, {}, api.view({**made, "TagList": parameters["Tags"]}))
    wanted = {field.option: options[field.option] for field in api.FIELDS}
    return Outcome(True, {}, {**api.view(parameters), **wanted, "status": "creating", "tags": tags})


def change(rds: Any, instance: dict[str, Any], options: Options, check_mode: bool) -> Outcome:
    """Start the modification, once the instance accepts one."""
    fields = api.differing_fields(instance, options)
    frozen = [field.option for field in fields if field.modify is None]
    if frozen:
        message = f"AWS cannot change {', '.join(frozen)} of the existing DB instance {options['identifier']}"
        raise AnsibleAWSError(message=message)
    logs = api.log_export_change(instance, options["cloudwatch_logs_exports"])
    tagging = tag_change(api.tags_of(instance), options["tags"], options["purge_tags"])
    before = api.view(instance)
    after = {**before, **{field.option: options[field.option] for field in fields}, "tags": tagging.result}
    if logs:
        after["cloudwatch_logs_exports"] = sorted(options["cloudwatch_logs_exports"])
    if not check_mode:
        if fields or logs:
            modify(rds, options, {field.modify: options[field.option] for field in fields if field.modify}, logs)
        if tagging:
            api.tag_instance(rds, instance["DBInstanceArn"], tagging.set, tagging.remove)
    return Outcome(before != after, before, after)


def modify(rds: Any, options: Options, parameters: dict[str, Any], logs: Mapping[str, list[str]]) -> None:
    """Send the modification with what AWS wants along with some of its parameters."""
    if logs:
        parameters["CloudwatchLogsExportConfiguration"] = logs
    if "EngineVersion" in parameters:
        parameters["AllowMajorVersionUpgrade"] = options["allow_major_version_upgrade"]
    if "ManageMasterUserPassword" in parameters and options["master_user_secret_kms_key_id"]:
        parameters["MasterUserSecretKmsKeyId"] = options["master_user_secret_kms_key_id"]
    api.wait_until(rds, options["identifier"], "available", options["wait_timeout"], DELAY_SECONDS)
    api.modify_instance(rds, options["identifier"], parameters)


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
    if not check_mode:
        if instance["DBInstanceStatus"] == "creating":
            api.wait_until(rds, identifier, "available", options["wait_timeout"], DELAY_SECONDS)
        if protected:
            api.modify_instance(rds, identifier, {"DeletionProtection": False})
        now = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
        snapshot = options["final_snapshot_identifier"] or f"{identifier}-final-{now}"
        api.delete_instance(rds, identifier, None if options["skip_final_snapshot"] else snapshot)
    return Outcome(True, api.view(instance))


def argument_spec() -> dict[str, Any]:
    """The options as AnsibleModule wants them."""
    texts = "engine_version instance_class kms_key_id database_name master_username subnet_group_name"
    texts += " parameter_group_name backup_window maintenance_window final_snapshot_identifier"
    numbers = "allocated_storage max_allocated_storage port backup_retention_period"
    switches = "storage_encrypted publicly_accessible multi_az auto_minor_version_upgrade copy_tags_to_snapshot"
    switches += " iam_database_authentication deletion_protection"
    return {
        "identifier": {"type": "str", "required": True},
        "engine": {"type": "str", "choices": ["postgres", "mysql", "mariadb"]},
        "storage_type": {"type": "str", "choices": ["gp2", "gp3", "io1", "io2", "standard"]},
        **{option: {"type": "str"} for option in texts.split()},
        **{option: {"type": "int"} for option in numbers.split()},
        **{option: {"type": "bool"} for option in switches.split()},
        "manage_master_user_password": {"type": "bool", "no_log": False},
        "master_user_secret_kms_key_id": {"type": "str", "no_log": False},
        "security_group_ids": {"type": "list", "elements": "str"},
        "cloudwatch_logs_exports": {"type": "list", "elements": "str"},
        "allow_major_version_upgrade": {"type": "bool", "default": False},
        "skip_final_snapshot": {"type": "bool", "default": False},
        "wait_timeout": {"type": "int", "default": 2400},
        **TAG_OPTIONS,
        **STATE_OPTION,
    }


def main() -> None:
    """Manage the instance."""
    module = AnsibleAWSModule(argument_spec=argument_spec(), supports_check_mode=True)
    manage(module, client(module, "rds"), "instance", ensure_present, ensure_absent)


if __name__ == "__main__":
    main()
