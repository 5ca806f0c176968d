# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Convert between snake_case module values and the names and types of an AWS API, guided by botocore's own model.

The model settles what name rules cannot: ``size_in_gib`` is ``sizeInGiB``, the keys of ``dockerLabels`` are the
user's and stay as they are, and ``cpu`` is a string in one place and an integer in another.
A shape is a ``botocore.model.Shape``: ``client.meta.service_model.operation_model("UpdateService").input_shape``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError


def snake(name: str) -> str:
    """``enableECSManagedTags`` -> ``enable_ecs_managed_tags``."""
    name = name.replace("GiB", "Gib")
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()


def input_shape(client: Any, operation: str) -> Any:
    """The shape of what ``operation`` takes."""
    return client.meta.service_model.operation_model(operation).input_shape


def to_aws(value: Any, shape: Any, where: str = "") -> Any:
    """``value`` with the API's names and types; keys whose value is None are left out.

    AnsibleAWSError names the place (``web.network_configuration``) of an unknown or missing key or a wrong type.
    """
    if shape.type_name == "structure":
        return _structure_to_aws(value, shape, where)
    if shape.type_name == "list":
        _require(isinstance(value, (list, tuple)), where, "a list", value)
        return [to_aws(item, shape.member, f"{where}[{index}]") for index, item in enumerate(value)]
    if shape.type_name == "map":
        _require(isinstance(value, Mapping), where, "a dictionary", value)
        return {str(key): to_aws(item, shape.value, f"{where}.{key}") for key, item in value.items()}
    return _scalar_to_aws(value, shape, where)


def _structure_to_aws(value: Any, shape: Any, where: str) -> dict[str, Any]:
    _require(isinstance(value, Mapping), where, "a dictionary", value)
    names = {snake(member): member for member in shape.members}
    unknown = sorted(set(value) - set(names))
    if unknown:
        raise AnsibleAWSError(message=f"{where}: unknown key {unknown[0]!r}; the API has {', '.join(sorted(names))}")
    converted = {
        names[key]: to_aws(item, shape.members[names[key]], f"{where}.{key}" if where else key)
        for key, item in value.items()
        if item is not None
    }
    missing = [snake(member) for member in shape.required_members if member not in converted]
    if missing:
        raise AnsibleAWSError(message=f"{where}: missing {', '.join(missing)}")
    return converted


def _scalar_to_aws(value: Any, shape: Any, where: str) -> Any:
    _require(not isinstance(value, (Mapping, list)), where, f"a value of type {shape.type_name}", value)
    try:
        if shape.type_name == "boolean":
            return boolean(value)
        if shape.type_name in ("integer", "long"):
            return int(value)
        if shape.type_name in ("double", "float"):
            return float(value)
    except (TypeError, ValueError):
        _require(False, where, f"a value of type {shape.type_name}", value)
    text = str(value)
    _require(not shape.enum or text in shape.enum, where, f"one of {', '.join(shape.enum)}", value)
    return text


def _require(condition: bool, where: str, expected: str, value: Any) -> None:
    if not condition:
        raise AnsibleAWSError(message=f"{where}: expected {expected}, got {value!r}")


def to_snake(value: Any, shape: Any) -> Any:
    """An API answer of ``shape`` with snake_case names; unknown names are converted by rule."""
    if isinstance(value, Mapping):
        if shape is not None and shape.type_name == "map":
            return dict(value)
        members = shape.members if shape is not None and shape.type_name == "structure" else {}
        return {snake(key): to_snake(item, members.get(key)) for key, item in value.items()}
    if isinstance(value, list):
        member = shape.member if shape is not None and shape.type_name == "list" else None
        return [to_snake(item, member) for item in value]
    return value
