# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Values of variables with their templates rendered at every depth, or the reason why that cannot be done."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleError
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.conversion import NOT_SHOWN
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.specs import Spec, is_secret

# What a role offers to those after it.
OUTPUTS = re.compile(r"\b\w+_outputs\b")


def rendered(names: Iterable[str], variables: Mapping[str, Any], templar: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """Values by name, and the reason by name for each that cannot be rendered. ``omit`` is no value."""
    values, failed = {}, {}
    for name in names:
        try:
            values[name] = _plain(templar.template(variables[name]))
        except AnsibleError as error:
            reason = str(getattr(error, "message", error))
            if "Omit" not in reason:
                failed[name] = reason.partition("\n")[0]
    return values, failed


def render_problems(failed: Mapping[str, str], spec: Spec) -> list[str]:
    """One sentence for each variable that cannot be rendered, by `rendered`'s reasons."""
    return [
        f"{name}: cannot be rendered: {NOT_SHOWN if is_secret(spec.get(name, {})) else reason}"
        for name, reason in failed.items()
    ]


def waits_for_a_role(value: Any) -> bool:
    """Whether the template refers to what a role offers, which may have yet to run."""
    return OUTPUTS.search(str(value)) is not None


def _plain(value: Any) -> Any:
    """The same without templates inside, which are rendered when they are read."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value
