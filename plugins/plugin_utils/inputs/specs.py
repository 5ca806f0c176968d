# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The options of every role, as its ``meta/argument_specs.yml`` declares them, and those of the whole stack."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ansible.module_utils.common.yaml import yaml_load
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.stack_options import STACK_OPTIONS

ROLES = Path(__file__).resolve().parents[3] / "roles"
MAIN = "main"

# Option name to its declaration.
Spec = Mapping[str, Mapping[str, Any]]


@cache
def entry_points(role: str) -> dict[str, Spec]:
    """Options of each entry point of a role, by the names of both."""
    document = yaml_load((ROLES / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    return {name: entry_point.get("options", {}) for name, entry_point in document["argument_specs"].items()}


def role_spec(role: str, entry_point: str = MAIN) -> dict[str, Mapping[str, Any]]:
    """Every option of a role. Required is what this entry point requires."""
    points = entry_points(role)
    merged: dict[str, Mapping[str, Any]] = {}
    for options in points.values():
        merged.update({name: {**option, "required": False} for name, option in options.items()})
    return {**merged, **points[entry_point]}


def all_specs() -> dict[str, Spec]:
    """The options of the stack and of every role, by the prefix of their names."""
    roles = sorted(path.parents[1].name for path in ROLES.glob("*/meta/argument_specs.yml"))
    return {"sm2a": STACK_OPTIONS, **{role: role_spec(role) for role in roles}}


@cache
def role_defaults() -> dict[str, Any]:
    """The default of every option that has one, as the roles write it: templates are not rendered."""
    defaults: dict[str, Any] = {}
    for path in ROLES.glob("*/defaults/main.yml"):
        defaults.update(yaml_load(path.read_text(encoding="utf-8")) or {})
    return defaults


def owner_of(name: str, prefixes: Iterable[str]) -> str | None:
    """The longest of ``prefixes`` that ``name`` starts with (``load_balancer`` for ``load_balancer_scheme``)."""
    owners = [prefix for prefix in prefixes if name.startswith(prefix + "_")]
    return max(owners, key=len, default=None)


def is_secret(option: Mapping[str, Any]) -> bool:
    """Whether the option, or one inside it, may hold a secret."""
    return bool(option.get("no_log")) or any(is_secret(inner) for inner in (option.get("options") or {}).values())


# Ansible imports actions, and so this, before it forks the workers of their tasks: these find the specs read.
all_specs()
