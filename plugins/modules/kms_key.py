#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
module: kms_key
short_description: Manage one symmetric KMS key, never two
version_added: 0.1.0
description:
  - Creates, changes and deletes a customer managed AWS KMS key for symmetric encryption, with alias, key policy and
    rotation.
  - Unlike M(amazon.aws.kms_key) it finds a key without its alias by O(lookup_tags), so that neither a lost reply nor
    an interrupted run leaves a second key, has a diff, and sets the rotation period.
  - For up to six minutes it repeats calls that AWS refuses because it does not know a new key or its tags yet.
  - A key that waits for its deletion is restored.
  - An option that is not set leaves the key's value alone.
author:
  - SM2A contributors (@sm2a)
options:
  alias:
    description: Alias of the key, with or without C(alias/).
    type: str
    required: true
  lookup_tags:
    description:
      - Tags that no other key of the account and region carries.
      - The key gets them besides O(tags), and is found by them when it has no alias.
    type: dict
    required: true
  description:
    description: Description of the key.
    type: str
  enabled:
    description: Whether the key can be used. A key that is restored is enabled unless this is V(false).
    type: bool
  enable_key_rotation:
    description: Whether KMS makes new key material regularly. What was encrypted before stays readable.
    type: bool
  rotation_period_in_days:
    description: Days between two rotations, 90 to 2560.
    type: int
    default: 365
  policy:
    description: Key policy, compared by meaning.
    type: json
  pending_window:
    description: For O(state=absent), the days (7 to 30) during which the key can be restored.
    type: int
    default: 30
  state:
    description: Whether the key exists. One that waits for its deletion counts as absent.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
  - sm2a.airflow.attributes
  - sm2a.airflow.state
"""

EXAMPLES = r"""
- name: A key that rotates every year
  sm2a.airflow.kms_key:
    alias: airflow
    lookup_tags:
      application: airflow
    description: Secrets and logs of Airflow
    enable_key_rotation: true

- name: Schedule its deletion
  sm2a.airflow.kms_key:
    alias: airflow
    lookup_tags:
      application: airflow
    pending_window: 7
    state: absent
"""

RETURN = r"""
key:
  description: The key after the task; in check mode as predicted. Empty when it is absent.
  returned: always
  type: dict
  contains:
    key_id:
      description: Id of the key.
      type: str
      returned: when the key exists
    key_arn:
      description: ARN of the key; in check mode a placeholder of the right shape for a key to be created.
      type: str
      returned: when the key exists
    alias:
      description: Alias, with C(alias/); none when the key has lost it.
      type: str
      returned: when the key exists
    description:
      description: Description of the key.
      type: str
      returned: when the key exists
    enabled:
      description: Whether the key can be used.
      type: bool
      returned: when the key exists
    pending_deletion:
      description: Whether the key waits for its deletion.
      type: bool
      returned: when the key exists
    rotation_period_in_days:
      description: Days between two rotations, none when the key does not rotate.
      type: int
      returned: when the key exists
    policy:
      description: Key policy.
      type: dict
      returned: when the key exists
    tags:
      description: Tags of the key.
      type: dict
      returned: when the key exists
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.policy import compare_policies
from ansible_collections.sm2a.airflow.plugins.module_utils import kms as api
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import (
    STATE_OPTION,
    TAG_OPTIONS,
    client,
    exit_with,
    tag_change,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.common.results import Outcome

Options = Mapping[str, Any]


def wanted_tags(options: Options) -> dict[str, str]:
    """Tags of a new key."""
    tags = {key: str(value) for key, value in (options["tags"] or {}).items()}
    return {**tags, **options["lookup_tags"]}


def wanted_rotation(options: Options, current: int | None) -> int | None:
    """Days between two rotations afterwards, None for none."""
    if options["enable_key_rotation"] is None:
        return current
    return options["rotation_period_in_days"] if options["enable_key_rotation"] else None


def ensure_present(kms: Any, options: Options, check_mode: bool) -> Outcome:
    """Create, restore or change the key."""
    before = api.read_key(kms, options["alias"], options["lookup_tags"])
    if before:
        return Outcome(*change(kms, before, options, check_mode))
    if check_mode:
        return Outcome(True, {}, change(kms, new_key(kms, options), options, check_mode)[2])
    metadata = api.create_key(
        kms, options["description"] or "", options["policy"], wanted_tags(options), options["lookup_tags"]
    )
    return Outcome(True, {}, change(kms, api.view(kms, metadata, None), options, check_mode)[2])


def new_key(kms: Any, options: Options) -> dict[str, Any]:
    """What check mode takes for a key that has just been created."""
    return {
        **api.placeholder(kms),
        "alias": None,
        "description": options["description"] or "",
        "enabled": True,
        "pending_deletion": False,
        "rotation_period_in_days": None,
        "policy": options["policy"] or {},
        "tags": wanted_tags(options),
    }


def change(
    kms: Any, before: dict[str, Any], options: Options, check_mode: bool
) -> tuple[bool, dict[str, Any], dict[str, Any]]:
    """Bring an existing key to the wanted state; returns (changed, before, after)."""
    key_id, after, steps = before["key_id"], dict(before), list[Callable[[], None]]()

    def differs(aspect: str, wanted: Any) -> bool:
        """Note what an aspect is to be; whether that is new."""
        different = bool(wanted is not None and wanted != before[aspect])
        if different:
            after[aspect] = wanted
        return different

    if differs("pending_deletion", False):
        steps.append(lambda: api.cancel_deletion(kms, key_id))
    enabled = options["enabled"] is not False if before["pending_deletion"] else options["enabled"]
    if differs("enabled", enabled):
        steps.append(lambda: api.set_enabled(kms, key_id, after["enabled"]))
    if differs("alias", options["alias"]):
        steps.append(lambda: api.create_alias(kms, options["alias"], key_id))
    if differs("description", options["description"]):
        steps.append(lambda: api.set_description(kms, key_id, options["description"]))
    if options["policy"] is not None and compare_policies(before["policy"], options["policy"]):
        after["policy"] = options["policy"]
        steps.append(lambda: api.set_policy(kms, key_id, options["policy"]))
    rotation = wanted_rotation(options, before["rotation_period_in_days"])
    if rotation != before["rotation_period_in_days"]:
        after["rotation_period_in_days"] = rotation
        steps.append(lambda: api.set_rotation(kms, key_id, rotation))
    # Without tags of the user's only the identity is seen to.
    purge = options["purge_tags"] and options["tags"] is not None
    tagging = tag_change(before["tags"], wanted_tags(options), purge)
    if tagging.set:
        steps.append(lambda: api.set_tags(kms, key_id, tagging.set))
    if tagging.remove:
        steps.append(lambda: api.remove_tags(kms, key_id, tagging.remove))
    after["tags"] = tagging.result
    if not check_mode:
        for step in steps:
            step()
    return bool(steps), before, after


def ensure_absent(kms: Any, options: Options, check_mode: bool) -> Outcome:
    """Schedule the deletion of the key when it exists."""
    before = api.read_key(kms, options["alias"], options["lookup_tags"])
    if not before or before["pending_deletion"]:
        return Outcome(False)
    if not check_mode:
        api.schedule_deletion(kms, before["key_id"], options["pending_window"])
    return Outcome(True, before)


def argument_spec() -> dict[str, Any]:
    """The options as AnsibleModule wants them."""
    return {
        "alias": {"type": "str", "required": True},
        "lookup_tags": {"type": "dict", "required": True},
        "description": {"type": "str"},
        "enabled": {"type": "bool"},
        "enable_key_rotation": {"type": "bool"},
        "rotation_period_in_days": {"type": "int", "default": 365},
        "policy": {"type": "json"},
        "pending_window": {"type": "int", "default": 30},
        **TAG_OPTIONS,
        **STATE_OPTION,
    }


def normal(params: Options) -> dict[str, Any]:
    """The options with the alias in KMS' form, the policy parsed and the identity as text."""
    policy = params["policy"]
    return {
        **params,
        "alias": api.alias_name(params["alias"]),
        "policy": None if policy is None else json.loads(policy),
        "lookup_tags": {key: str(value) for key, value in params["lookup_tags"].items()},
    }


def main() -> None:
    """Manage the key."""
    module = AnsibleAWSModule(argument_spec=argument_spec(), supports_check_mode=True)
    kms, options = client(module, "kms"), normal(module.params)
    ensure = ensure_present if options["state"] == "present" else ensure_absent
    exit_with(module, lambda: ensure(kms, options, module.check_mode).result("key"))


if __name__ == "__main__":
    main()
