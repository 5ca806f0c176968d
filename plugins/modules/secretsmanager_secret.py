#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
module: secretsmanager_secret
short_description: Manage Secrets Manager secrets without revealing them
version_added: 0.1.0
description:
  - Creates, changes and deletes AWS Secrets Manager secrets, several in one task.
  - Values are generated or composed inside the module. No value appears in the output, in a diff or in an error; a
    changed value shows as another version id.
  - A secret that is scheduled for deletion is restored and keeps its value.
author:
  - SM2A contributors (@sm2a)
options:
  names:
    description: Names of secrets that are to go, in place of O(secrets); for O(state=absent) only.
    type: list
    elements: str
  secrets:
    description:
      - The secrets, managed in this order. All get the same O(tags).
      - Each takes at most one of O(secrets[].generate), O(secrets[].generate_json), O(secrets[].compose),
        O(secrets[].value) and O(secrets[].value_from). With none of them only the rest is managed, and the secret must
        exist.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the secret.
        type: str
        required: true
      description:
        description: Description of the secret.
        type: str
      generate:
        description: Generate the value once. A secret that has a value keeps it.
        type: dict
        suboptions:
          kind:
            description:
              - V(fernet_key) is 32 random bytes in URL-safe base64.
              - V(password) is letters and digits, V(token) letters, digits, C(-) and C(_).
            type: str
            choices: [fernet_key, password, token]
            required: true
          length:
            description: Number of characters, by default 32 for a password and 64 for a token. Not for a Fernet key.
            type: int
          characters:
            description: Characters to choose from, in place of the default ones. Not for a Fernet key.
            type: str
      generate_json:
        description:
          - "A JSON object. A value such as C({generate: password, length: 24}) is generated once, others are set."
          - Keys that are stored and not named here are kept.
        type: dict
      compose:
        description: Compose the value from another secret, and again whenever that secret or the template changes.
        type: dict
        suboptions:
          source:
            description: Name or ARN of a secret that holds a JSON object.
            type: str
            required: true
          template:
            description: Text in which C({key}) stands for that key of the object, percent-encoded.
            type: str
            required: true
      value:
        description:
          - The value itself, text or anything that becomes JSON. JSON objects are compared by meaning.
          - Give it from an encrypted source such as Ansible Vault.
        type: raw
      value_from:
        description: Where the module finds the value, which then is in no variable of Ansible's at all.
        type: dict
        suboptions:
          environment:
            description: Environment variable of the machine on which the task runs.
            type: str
          file:
            description: Absolute path of a file of that machine. The line break at its end does not count.
            type: path
          secret:
            description: Name or ARN of another secret of the same region.
            type: str
          key:
            description: Key of the JSON object in O(secrets[].value_from.secret) whose value is taken.
            type: str
      tags:
        description: Tags of this secret, besides O(tags).
        type: dict
      policy:
        description:
          - Resource policy, compared by meaning. V({}) removes it. A public one is refused.
          - It changes before the value, and may be what lets the caller read that. Check mode then warns that it cannot
            compare it.
        type: json
  kms_key_id:
    description: Id, ARN or alias of the KMS key that encrypts every secret of the list.
    type: str
  recovery_window_in_days:
    description: For O(state=absent), the days (7 to 30) during which a secret can be restored.
    type: int
    default: 30
  force:
    description: For O(state=absent), delete at once and for ever, without a recovery window.
    type: bool
    default: false
  state:
    description: Whether the secrets exist. One that is scheduled for deletion counts as absent.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
  - sm2a.airflow.attributes
  - sm2a.airflow.state
attributes:
  diff_mode:
    description: Shows metadata and version ids, never values.
"""

EXAMPLES = r"""
- name: What Airflow needs, generated once
  sm2a.airflow.secretsmanager_secret:
    secrets:
      - name: airflow/config/fernet_key
        generate:
          kind: fernet_key
      - name: airflow/database/airflow
        generate_json:
          username: airflow
          password:
            generate: password
      - name: airflow/config/sql_alchemy_conn
        compose:
          source: airflow/database/airflow
          template: postgresql+psycopg2://{username}:{password}@db.example.com:5432/airflow
    kms_key_id: alias/airflow

- name: A connection from the vault
  sm2a.airflow.secretsmanager_secret:
    secrets:
      - name: airflow/connections/warehouse
        value: "{{ vault_warehouse_connection }}"

- name: A connection whose value AWX puts into the environment
  sm2a.airflow.secretsmanager_secret:
    secrets:
      - name: airflow/connections/warehouse
        value_from:
          environment: WAREHOUSE_URI

- name: Schedule the deletion
  sm2a.airflow.secretsmanager_secret:
    state: absent
    recovery_window_in_days: 7
    secrets:
      - name: airflow/connections/warehouse
"""

RETURN = r"""
secrets:
  description: Each secret after the task, in the order of O(secrets); only its name when it is absent.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the secret.
      type: str
      returned: always
    changed:
      description: Whether this secret changed.
      type: bool
      returned: always
    arn:
      description: ARN; in check mode a placeholder of the right shape for a secret to be created.
      type: str
      returned: when the secret exists
    version_id:
      description: Id of the current version; in check mode V(new) when it would change.
      type: str
      returned: when the secret exists
    description:
      description: Description of the secret.
      type: str
      returned: when the secret exists
    kms_key_id:
      description: Key that encrypts the secret, none for the AWS managed one.
      type: str
      returned: when the secret exists
    scheduled_for_deletion:
      description: Whether the secret can still be restored.
      type: bool
      returned: when the secret exists
    tags:
      description: Tags of the secret.
      type: dict
      returned: when the secret exists
"""

import json
from collections.abc import Mapping
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import (
    STATE_OPTION,
    TAG_OPTIONS,
    client,
    exit_with,
    joint_tags,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.common.items import NAMES_OPTION, list_rules, listed_items
from ansible_collections.sm2a.airflow.plugins.module_utils.common.results import Outcome, list_result
from ansible_collections.sm2a.airflow.plugins.module_utils.secretsmanager.state import SecretManager


def argument_spec() -> dict[str, Any]:
    """The options as AnsibleModule wants them. Names that look secret but are not are marked ``no_log`` False."""
    generate = {
        "kind": {"type": "str", "choices": ["fernet_key", "password", "token"], "required": True},
        "length": {"type": "int"},
        "characters": {"type": "str"},
    }
    value_from = {
        "environment": {"type": "str"},
        "file": {"type": "path"},
        "secret": {"type": "str", "no_log": False},
        "key": {"type": "str", "no_log": False},
    }
    sources = ("environment", "file", "secret")
    compose = {"source": {"type": "str", "required": True}, "template": {"type": "str", "required": True}}
    secret = {
        "name": {"type": "str", "required": True},
        "description": {"type": "str"},
        "generate": {"type": "dict", "options": generate},
        "generate_json": {"type": "dict"},
        "compose": {"type": "dict", "options": compose},
        "value": {"type": "raw", "no_log": True},
        "value_from": {
            "type": "dict",
            "options": value_from,
            "mutually_exclusive": [sources],
            "required_one_of": [sources],
            "required_by": {"key": "secret"},
        },
        "tags": {"type": "dict"},
        "policy": {"type": "json"},
    }
    return {
        **NAMES_OPTION,
        "secrets": {
            "type": "list",
            "elements": "dict",
            "no_log": False,
            "options": secret,
            "mutually_exclusive": [("generate", "generate_json", "compose", "value", "value_from")],
        },
        "kms_key_id": {"type": "str"},
        "recovery_window_in_days": {"type": "int", "default": 30},
        "force": {"type": "bool", "default": False},
        **TAG_OPTIONS,
        **STATE_OPTION,
    }


def with_shared_options(options: Mapping[str, Any], secret: Mapping[str, Any]) -> dict[str, Any]:
    """The options of one secret together with those of the whole list; the policy parsed."""
    shared = {name: options[name] for name in ("kms_key_id", "purge_tags")}
    tags = joint_tags(options["tags"], secret["tags"])
    policy = None if secret["policy"] is None else json.loads(secret["policy"])
    return {**secret, **shared, "tags": tags, "policy": policy}


def main() -> None:
    """Manage each secret of the list and report per secret."""
    module = AnsibleAWSModule(argument_spec=argument_spec(), supports_check_mode=True, **list_rules("secrets"))
    options = module.params
    # Whatever the module generates is masked in its output as well, should it ever get there.
    manager = SecretManager(
        client(module, "secretsmanager"),
        module.check_mode,
        hide=module.no_log_values.add,
        warn=module.warn,
    )
    window = None if options["force"] else options["recovery_window_in_days"]

    def ensure(secret: dict[str, Any]) -> Outcome:
        if options["state"] == "absent":
            return manager.ensure_absent(secret["name"], window)
        return manager.ensure_present(with_shared_options(options, secret))

    exit_with(
        module,
        lambda: list_result({secret["name"]: ensure(secret) for secret in listed_items(options, "secrets")}, "secrets"),
    )


if __name__ == "__main__":
    main()
