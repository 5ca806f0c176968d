# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Numbers that YAML reads otherwise than a person wrote them: ``010`` is 8, ``12:30`` is 750, and ``1.10`` is 1.1.

After YAML nobody can tell; but Ansible keeps where a value comes from, and the file has it still.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ansible.module_utils.common.yaml import yaml_load
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.conversion import NOT_SHOWN, label
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.specs import is_secret

try:
    from ansible._internal._datatag._tags import Origin
except ImportError:  # ansible-core before 2.19 keeps no places.
    Origin = None

KEEPS_PLACES = Origin is not None
# A plain number ends where a list or a dictionary in one line goes on.
NUMBER = re.compile(r"[+-]?[0-9.][^\s,\]}]*")


def misread(name: str, value: Any, option: Mapping[str, Any]) -> Iterator[str]:
    """One sentence for each number of an option that is another one than written; ``value`` is as Ansible loaded it.

    Whole numbers anywhere; others only where no type is declared, so that they become text.
    """
    yield from _misread(name, value, option, is_secret(option))


def _misread(where: str, value: Any, option: Mapping[str, Any], secret: bool) -> Iterator[str]:
    if isinstance(value, Mapping):
        inner = option.get("options") or {}
        for key, one in value.items():
            yield from _misread(f"{where}, {key}", one, inner.get(key, {}), secret)
    elif isinstance(value, (list, tuple)):
        element = {"type": option.get("elements"), "options": option.get("options")}
        for number, one in enumerate(value, 1):
            yield from _misread(f"{where}, {label(one, number)}", one, element, secret)
    elif written := _other_text(value, free=option.get("type") is None):
        yield (
            f"{where}: {NOT_SHOWN}: YAML reads another number than the one written; put it in quotes"
            if secret
            else f"{where}: is written {written}, which YAML reads as {value}; put it in quotes, or write {value}"
        )


def _other_text(value: Any, free: bool) -> str | None:
    """What the file has in the place of a number, when it is no usual way to write that number."""
    if isinstance(value, bool) or not isinstance(value, (int, float) if free else int):
        return None
    written = _written(value)
    return None if written is None or written.removeprefix("+") == str(value) else written


def _written(value: Any) -> str | None:
    """The text at the place where a value comes from; None when that cannot be told."""
    origin = Origin.get_tag(value) if Origin else None
    if not origin or not origin.path or not origin.line_num or not origin.col_num:
        return None
    lines = _lines(origin.path)
    line = lines[origin.line_num - 1] if origin.line_num <= len(lines) else ""
    found = NUMBER.match(line, origin.col_num - 1)
    # After an anchor or a tag of YAML, for example, something else stands there.
    return found.group() if found and yaml_load(found.group()) == value else None


@cache
def _lines(path: str) -> tuple[str, ...]:
    """The lines of a file; none of one that is encrypted, is no file or cannot be read."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ()
    return () if text.startswith("$ANSIBLE_VAULT;") else tuple(text.splitlines())
