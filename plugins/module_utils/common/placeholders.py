# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Made-up identifiers of what does not exist yet, with which check mode can check the tasks after it as well."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

# No account has this number, and no key or certificate this id.
ACCOUNT = "000000000000"
ID = "00000000-0000-0000-0000-000000000000"
# As AnsibleModule wants it: documented by the fragment placeholders.
PLACEHOLDERS_OPTION: dict[str, dict[str, Any]] = {"placeholders": {"type": "bool", "default": False}}

Item = Mapping[str, Any]


def placeholder_arn(client: Any, resource: str, service: str | None = None) -> str:
    """An ARN in the partition and region of ``client``, and of its service unless another is named."""
    meta = client.meta
    return f"arn:{meta.partition}:{service or meta.service_model.signing_name}:{meta.region_name}:{ACCOUNT}:{resource}"


def are_wanted(module: AnsibleAWSModule) -> bool:
    """Whether placeholders are returned: only in check mode, and only when the task asks for them."""
    return bool(module.check_mode and module.params["placeholders"])


def listed(
    module: AnsibleAWSModule, found: Iterable[Item], names: Iterable[str], identifiers: Callable[[str], Item]
) -> list[dict[str, Any]]:
    """What an info module returns of several resources: each that was ``found``, and whether it exists.

    When placeholders are wanted it is one for each of ``names``, with the ``identifiers`` of that name that it lacks.
    """
    if not are_wanted(module):
        return [{**item, "exists": True} for item in found]
    by_name = {item["name"]: item for item in found}
    return [completed(by_name.get(name, {}), {"name": name, **identifiers(name)}) for name in names]


def single(module: AnsibleAWSModule, found: Item | None, identifiers: Item) -> list[dict[str, Any]]:
    """What an info module returns of one resource that was or was not ``found``: a list of at most one."""
    if are_wanted(module):
        return [completed(found or {}, identifiers)]
    return [{**found, "exists": True}] if found else []


def completed(item: Item, identifiers: Item) -> dict[str, Any]:
    """The item, which is empty when it does not exist, with the identifiers that it lacks."""
    lacking = {key: value for key, value in identifiers.items() if not item.get(key)}
    return {**item, **lacking, "exists": bool(item)}
