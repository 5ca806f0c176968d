# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Resource policies of an environment's secrets."""

from __future__ import annotations

DOCUMENTATION = r"""
name: secret_policies
version_added: 0.1.0
short_description: Give secrets their resource policies
description:
  - Adds C(policy) to each secret of a list, by its name. A policy only denies. It denies everything to other accounts,
    and reading the value to everyone but the task roles that need it, who deploys, and the readers that are given.
author:
  - SM2A contributors (@sm2a)
options:
  _input:
    description: Secrets as M(sm2a.airflow.secretsmanager_secret) takes them, each with its C(name), or names alone.
    type: list
    elements: raw
    required: true
  environment:
    description: Name of the environment, with which the names of its secrets and roles begin.
    type: str
    required: true
  caller:
    description: ARN of who deploys, as M(sm2a.airflow.caller_identity_info) returns it.
    type: str
    required: true
  restrict:
    description: Whether values have named readers only.
    type: bool
    default: true
  readers:
    description: ARNs of more readers, with C(*) for any text.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: A secret that only the migration and who deploys can read
  sm2a.airflow.secretsmanager_secret:
    secrets: "{{ [secret] | sm2a.airflow.secret_policies('staging', 'arn:aws:iam::123456789012:role/deploy') }}"
  vars:
    secret:
      name: staging/admin
      generate: {kind: password}
"""

RETURN = r"""
_value:
  description: The secrets, each with its C(policy).
  type: list
  elements: dict
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.secret_readers import resource_policy


def secret_policies(
    secrets: Iterable[Mapping[str, Any] | str],
    environment: str,
    caller: str,
    restrict: bool = True,
    readers: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """The secrets, each with the policy that its name calls for."""
    return [
        {
            **secret,
            "policy": resource_policy(
                str(secret["name"]).removeprefix(f"{environment}/"), environment, caller, restrict, readers
            ),
        }
        for secret in ({"name": each} if isinstance(each, str) else each for each in secrets)
    ]


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"secret_policies": secret_policies}
