#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_subnet_group
short_description: Manage a DB subnet group of RDS
version_added: 0.1.0
description:
  - Creates, changes and deletes the group of subnets in which RDS places DB instances.
  - Unlike M(amazon.aws.rds_subnet_group) it shows a diff, and does not fail when the reply to the creation was lost.
author:
  - SM2A contributors (@sm2a)
options:
  name:
    description: Name of the group, in lower case.
    type: str
    required: true
  description:
    description: Description, needed to create the group.
    type: str
  subnet_ids:
    description: Subnets in at least two availability zones of one VPC, needed to create the group.
    type: list
    elements: str
  state:
    description: Whether the group exists. AWS refuses to delete one that a DB instance uses.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
  - sm2a.airflow.attributes
  - sm2a.airflow.state
"""

EXAMPLES = r"""
- name: Private subnets for a database
  sm2a.airflow.rds_subnet_group:
    name: airflow
    description: Private subnets of Airflow
    subnet_ids: [subnet-0aaaaaaaaaaaaaaaa, subnet-0bbbbbbbbbbbbbbbb]
"""

RETURN = r"""
subnet_group:
  description: The group after the task; in check mode as predicted. Empty when it is absent.
  returned: always
  type: dict
  sample:
    name: airflow
    description: Private subnets of Airflow
    subnet_ids: [subnet-0aaaaaaaaaaaaaaaa, subnet-0bbbbbbbbbbbbbbbb]
    tags: {}
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import (
    STATE_OPTION,
    TAG_OPTIONS,
    client,
    manage,
    tag_change,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.common.results import Outcome
from ansible_collections.sm2a.airflow.plugins.module_utils.rds import groups as api


def view(group: dict[str, Any], tags: dict[str, str]) -> dict[str, Any]:
    """The snake_case description that the module returns."""
    return {
        "name": group["DBSubnetGroupName"],
        "description": group.get("DBSubnetGroupDescription"),
        "subnet_ids": sorted(subnet["SubnetIdentifier"] for subnet in group.get("Subnets") or []),
        "tags": tags,
    }


def ensure_present(rds: Any, options: dict[str, Any], check_mode: bool) -> Outcome:
    """Create the group, or change what differs."""
    group = api.describe_subnet_group(rds, options["name"])
    if group is None:
        return create(rds, options, check_mode)
    arn = group["DBSubnetGroupArn"]
    before = view(group, api.read_tags(rds, arn))
    tagging = tag_change(before["tags"], options["tags"], options["purge_tags"])
    after = {**before, "tags": tagging.result}
    if options["description"] is not None:
        after["description"] = options["description"]
    if options["subnet_ids"] is not None:
        after["subnet_ids"] = sorted(options["subnet_ids"])
    if not check_mode:
        if any(before[key] != after[key] for key in ("description", "subnet_ids")):
            api.modify_subnet_group(rds, options["name"], after["description"], after["subnet_ids"])
        if tagging:
            api.set_tags(rds, arn, tagging)
    return Outcome(before != after, before, after)


def create(rds: Any, options: dict[str, Any], check_mode: bool) -> Outcome:
    """Create the group."""
    missing = [option for option in ("description", "subnet_ids") if not options[option]]
    if missing:
        message = f"DB subnet group {options['name']} does not exist; to create it set {', '.join(missing)}"
        raise AnsibleAWSError(message=message)
    tags = tag_change({}, options["tags"], True).result
    after = {
        "name": options["name"],
        "description": options["description"],
        "subnet_ids": sorted(options["subnet_ids"]),
        "tags": tags,
    }
    if not check_mode:
        api.create_subnet_group(rds, options["name"], options["description"], options["subnet_ids"], tags)
    return Outcome(True, {}, after)


def ensure_absent(rds: Any, options: dict[str, Any], check_mode: bool) -> Outcome:
    """Delete the group."""
    group = api.describe_subnet_group(rds, options["name"])
    if group is None:
        return Outcome(False)
    before = view(group, api.read_tags(rds, group["DBSubnetGroupArn"]))
    if not check_mode:
        api.delete_subnet_group(rds, options["name"])
    return Outcome(True, before)


def main() -> None:
    """Bring the group to its state."""
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "description": {"type": "str"},
            "subnet_ids": {"type": "list", "elements": "str"},
            **STATE_OPTION,
            **TAG_OPTIONS,
        },
        supports_check_mode=True,
    )
    manage(module, client(module, "rds"), "subnet_group", ensure_present, ensure_absent)


if __name__ == "__main__":
    main()
