# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The port of the database."""

from __future__ import annotations

DOCUMENTATION = r"""
name: database_port
version_added: 0.1.0
short_description: The port of the database
description:
  - The port of a database that exists already, the one that is set, or the usual one of SM2A for the engine.
author:
  - SM2A contributors (@sm2a)
options:
  _input:
    description: The engine, V(postgres) or V(mysql).
    type: str
    required: true
  port:
    description: The port that is set, as C(database_port) has it.
    type: int
  existing:
    description: The database that exists already, as C(database_existing) has it.
    type: dict
"""

EXAMPLES = r"""
- name: Show the port
  ansible.builtin.debug:
    msg: "{{ 'postgres' | sm2a.airflow.database_port }}"
    # 5433
"""

RETURN = r"""
_value:
  description: The port.
  type: int
"""

from collections.abc import Callable, Mapping
from typing import Any

# Neither is the engine's own, which scanners expect.
PORTS = {"postgres": 5433, "mysql": 3307}


def database_port(engine: str, port: int | None = None, existing: Mapping[str, Any] | None = None) -> int:
    """The port of a database of this ``engine``."""
    return int((existing or {}).get("port") or port or PORTS[engine])


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"database_port": database_port}
