#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_parameter_group
short_description: Manage a DB parameter group of RDS
version_added: 0.1.0
description:
  - Creates, changes and deletes a group of settings of the database server.
  - Dynamic parameters are applied at once; static ones wait for a reboot of the instances that use the group, which
    this module never does, see O(sm2a.airflow.rds_instance#module:reboot_for_parameters).
  - Unlike M(amazon.aws.rds_instance_param_group) it predicts changes of parameters in check mode, shows a diff,
    resets parameters that are no longer listed, and survives lost replies.
author:
  - SM2A contributors (@sm2a)
options:
  name:
    description: Name of the group, in lower case. Required unless O(purge_name_prefix) is set.
    type: str
  family:
    description: Family, such as V(postgres17) or V(mysql8.4), needed to create the group. Cannot be changed.
    type: str
  description:
    description: Description, needed to create the group. Cannot be changed, so an existing one is left alone.
    type: str
  parameters:
    description:
      - Values by parameter. Switches may be V(true) or V(false); values of one meaning, such as C(1) and C(ON), are
        equal.
    type: dict
  purge_parameters:
    description: Whether parameters that are set in the group and not named here get their default again.
    type: bool
    default: true
  purge_name_prefix:
    description:
      - With O(state=absent), delete the groups whose name starts with this and that carry all tags of
        O(purge_where_tagged).
    type: str
  purge_where_tagged:
    description: Tags without which O(purge_name_prefix) leaves a group alone.
    type: dict
    default: {}
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
- name: Settings of a database that takes encrypted sessions only
  sm2a.airflow.rds_parameter_group:
    name: airflow-postgres17
    family: postgres17
    description: PostgreSQL of Airflow
    parameters:
      rds.force_ssl: true
      log_min_duration_statement: 5000
"""

RETURN = r"""
parameter_group:
  description: The group after the task; in check mode as predicted. Empty when it is absent.
  returned: always
  type: dict
  sample:
    name: airflow-postgres17
    family: postgres17
    description: PostgreSQL of Airflow
    parameters: {rds.force_ssl: "1"}
    tags: {}
pending_reboot:
  description: Parameters that this task changed and that take effect with the next reboot of the instances only.
  returned: always
  type: list
  elements: str
deleted:
  description: Names of the groups that were deleted.
  returned: always
  type: list
  elements: str
"""

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
from ansible_collections.sm2a.airflow.plugins.module_utils.common.results import Outcome, joint_result
from ansible_collections.sm2a.airflow.plugins.module_utils.rds import groups as api
from ansible_collections.sm2a.airflow.plugins.module_utils.rds.parameters import (
    apply_method,
    same_value,
    spelled,
    text,
)


def read(rds: Any, name: str) -> dict[str, Any]:
    """The group with its tags and the parameters that somebody set; {} when there is none."""
    group = api.describe_parameter_group(rds, name)
    if group is None:
        return {}
    parameters = api.describe_parameters(rds, name, Source="user")
    return {
        "name": name,
        "family": group["DBParameterGroupFamily"],
        "description": group.get("Description"),
        "parameters": {each["ParameterName"]: each.get("ParameterValue") for each in parameters},
        "tags": api.read_tags(rds, group["DBParameterGroupArn"]),
    }


def predict(options: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """The group as the options want it."""
    if before and options["family"] not in (None, before["family"]):
        message = f"AWS cannot change the family {before['family']} of DB parameter group {options['name']}"
        raise AnsibleAWSError(message=message)
    current = before.get("parameters", {})
    wanted = {name: text(value) for name, value in (options["parameters"] or {}).items()}
    kept = {name: current[name] for name, value in wanted.items() if same_value(current.get(name), value)}
    others = {} if options["purge_parameters"] and options["parameters"] is not None else current
    return {
        "name": options["name"],
        "family": before.get("family") or options["family"],
        "description": before.get("description") or options["description"],
        "parameters": {**others, **wanted, **kept},
        "tags": tag_change(before.get("tags", {}), options["tags"], options["purge_tags"]).result,
    }


def ensure_present(rds: Any, options: dict[str, Any], check_mode: bool) -> tuple[Outcome, list[str]]:
    """Create the group, set and reset parameters; with the names of those that wait for a reboot."""
    name = options["name"]
    before = read(rds, name)
    missing = [option for option in ("family", "description") if not options[option]]
    if not before and missing:
        raise AnsibleAWSError(
            message=f"DB parameter group {name} does not exist; to create it set {', '.join(missing)}"
        )
    after = predict(options, before)
    changed = [key for key, value in after["parameters"].items() if before.get("parameters", {}).get(key) != value]
    removed = sorted(before.get("parameters", {}).keys() - after["parameters"].keys())
    if not before and not check_mode:
        api.create_parameter_group(rds, name, after["family"], after["description"], after["tags"])
    # AWS knows which parameters are static; on a fresh account in check mode there is nothing to ask.
    described: dict[str, dict[str, Any]] = {}
    if (changed or removed) and (before or not check_mode):
        described = {each["ParameterName"]: each for each in api.describe_parameters(rds, name)}
    methods = {key: apply_method(described.get(key)) for key in [*changed, *removed]}
    for key in changed:
        after["parameters"][key] = spelled(after["parameters"][key], (described.get(key) or {}).get("AllowedValues"))
    if not check_mode:
        apply(rds, name, {key: after["parameters"][key] for key in changed}, removed, methods)
        tagging = tag_change(before.get("tags", {}), after["tags"], True)
        if before and tagging:
            group = api.describe_parameter_group(rds, name) or {}
            api.set_tags(rds, group["DBParameterGroupArn"], tagging)
    pending = sorted(key for key, method in methods.items() if method == "pending-reboot") if before else []
    return Outcome(before != after, before, after), pending


def apply(rds: Any, name: str, to_set: dict[str, str], to_reset: list[str], methods: dict[str, str]) -> None:
    """Set and reset parameters."""
    api.set_parameters(
        rds,
        name,
        [
            {"ParameterName": key, "ParameterValue": value, "ApplyMethod": methods[key]}
            for key, value in sorted(to_set.items())
        ],
    )
    api.reset_parameters(rds, name, [{"ParameterName": key, "ApplyMethod": methods[key]} for key in to_reset])


def ensure_absent(rds: Any, options: dict[str, Any], check_mode: bool) -> dict[str, Outcome]:
    """Delete the group, and those that the prefix and the tags choose."""
    names = [options["name"]] if options["name"] else []
    if options["purge_name_prefix"]:
        wanted = {key: str(value) for key, value in options["purge_where_tagged"].items()}
        for name, arn in sorted(api.parameter_group_names(rds, options["purge_name_prefix"]).items()):
            if name not in names and wanted.items() <= api.read_tags(rds, arn).items():
                names.append(name)
    outcomes = {name: read(rds, name) for name in names}
    for name, before in outcomes.items():
        if before and not check_mode:
            api.delete_parameter_group(rds, name)
    return {name: Outcome(bool(before), before) for name, before in outcomes.items()}


def run(rds: Any, options: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Bring the group to its state, and return what the module returns."""
    if options["state"] == "present":
        outcome, pending = ensure_present(rds, options, check_mode)
        return outcome.result("parameter_group", pending_reboot=pending, deleted=[])
    outcomes = ensure_absent(rds, options, check_mode)
    deleted = [name for name, outcome in outcomes.items() if outcome.changed]
    return joint_result(outcomes, parameter_group={}, pending_reboot=[], deleted=deleted)


def main() -> None:
    """Bring the group to its state."""
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str"},
            "family": {"type": "str"},
            "description": {"type": "str"},
            "parameters": {"type": "dict"},
            "purge_parameters": {"type": "bool", "default": True},
            "purge_name_prefix": {"type": "str"},
            "purge_where_tagged": {"type": "dict", "default": {}},
            **STATE_OPTION,
            **TAG_OPTIONS,
        },
        required_if=[("state", "present", ["name"])],
        required_one_of=[("name", "purge_name_prefix")],
        supports_check_mode=True,
    )
    exit_with(module, lambda: run(client(module, "rds"), module.params, module.check_mode))


if __name__ == "__main__":
    main()
