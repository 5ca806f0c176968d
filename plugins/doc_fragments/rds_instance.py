# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations


class ModuleDocFragment:
    """The settings of a DB instance: FIELDS and ALONG of module_utils/rds/instance_settings.py."""

    DOCUMENTATION = r"""
options:
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
    description: Size in GiB up to which RDS may increase the storage automatically.
    type: int
  storage_type:
    description: Storage type.
    type: str
    choices: [gp2, gp3, io1, io2, standard]
  iops:
    description: Provisioned I/O operations per second. With V(gp3) only from 400 GiB (MySQL and PostgreSQL) on.
    type: int
  storage_throughput:
    description: Throughput of V(gp3) in MiB per second; only from 400 GiB on.
    type: int
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
    description: Port that the database listens on. Changing it restarts the database.
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
  ca_certificate_identifier:
    description: Certificate authority of the server's certificate, such as V(rds-ca-rsa2048-g1).
    type: str
  monitoring_interval:
    description: Seconds between two points of Enhanced Monitoring; V(0) turns it off.
    type: int
    choices: [0, 1, 5, 10, 15, 30, 60]
  monitoring_role_arn:
    description: Role with which RDS writes the points of Enhanced Monitoring to CloudWatch Logs.
    type: str
  database_insights_mode:
    description: Mode of CloudWatch Database Insights. V(advanced) needs Performance Insights with 465 days.
    type: str
    choices: [standard, advanced]
  performance_insights:
    description: Whether Performance Insights is on.
    type: bool
  performance_insights_retention_period:
    description: Days for which its data is kept.
    type: int
  performance_insights_kms_key_id:
    description: Key that encrypts its data, set when it is turned on.
    type: str
  deletion_protection:
    description:
      - Whether AWS refuses to delete the instance.
      - With O(state=absent), V(false) lifts the protection of an instance that has it; unset leads to an error.
    type: bool
"""
