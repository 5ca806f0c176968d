# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Values of variables, with their templates rendered at every depth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleUndefinedVariable


def rendered(names: Iterable[str], variables: Mapping[str, Any], templar: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """Values by name, and the reason by name for each that refers to something that is not defined."""
    values, undefined = {}, {}
    for name in names:
        try:
            values[name] = _plain(templar.template(variables[name]))
        except AnsibleUndefinedVariable as error:
            undefined[name] = str(error)
    return values, undefined


def _plain(value: Any) -> Any:
    """The same without templates inside, which are rendered when they are read."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value
