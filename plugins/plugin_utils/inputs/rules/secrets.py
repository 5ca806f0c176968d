# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What Secrets Manager or Airflow refuses of connections and variables. Sentences never repeat a value. Pure."""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.shapes import shown, text
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.connections import connection_problem

# SecretString of https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
MOST_BYTES = 65536
# Name of the same page, without the slash: an Airflow id is the last part of it.
NAME = re.compile(r"[A-Za-z0-9_+=.@-]+")
LONGEST_NAME = 512
CONNECTIONS, VARIABLES = "secrets_connections", "secrets_variables"
GROUP_OPTIONS = {"secrets_group_connections": CONNECTIONS, "secrets_group_variables": VARIABLES}
SOURCE = "value_from"
SOURCES = ("environment", "file", "secret")


def problems(values: Mapping[str, Any]) -> list[str]:
    """One sentence for each connection or variable that cannot be stored, or that Airflow could not use."""
    environment = text(values, "sm2a_name")
    found: list[str] = []
    for option in (CONNECTIONS, VARIABLES):
        kind = option.removeprefix("secrets_")
        found.extend(_named(option, values.get(option), f"{environment}/{kind}/", option == CONNECTIONS))
    for option, like in GROUP_OPTIONS.items():
        groups = values.get(option)
        kind = like.removeprefix("secrets_")
        for group, secrets in groups.items() if isinstance(groups, Mapping) else ():
            if sentence := _name_problem(group, ""):
                found.append(f"{option}: the name of group {shown(str(group))} {sentence}")
            else:
                prefix = f"{environment}/groups/{group}/{kind}/"
                found.extend(_named(f"{option}.{group}", secrets, prefix, like == CONNECTIONS))
    return found


def _named(where: str, secrets: Any, prefix: str, connections: bool) -> Iterator[str]:
    for name, value in secrets.items() if isinstance(secrets, Mapping) else ():
        if sentence := _name_problem(name, prefix):
            yield f"{where}: the name {shown(str(name))} {sentence}"
        elif sentence := _value_problem(value, connections):
            yield f"{where}.{name}: {sentence}"


def _name_problem(name: Any, prefix: str) -> str | None:
    if name is None or isinstance(name, bool):
        return "must be text, not what YAML makes of a bare word such as yes, no or null; put it in quotes"
    if not NAME.fullmatch(str(name)):
        return "must have only letters, digits and _+=.@-, which Secrets Manager allows"
    if len(prefix + str(name)) > LONGEST_NAME:
        most = LONGEST_NAME - len(prefix)
        return f"must have at most {most} characters with {prefix} before it, not {len(str(name))}"
    return None


def _value_problem(value: Any, connection: bool) -> str | None:
    if value is None:
        return "must have a value, not none; write it, or take the name out"
    if isinstance(value, Mapping) and set(value) == {SOURCE}:
        return _source_problem(value[SOURCE])
    if isinstance(value, str):
        return _text_problem(value) or (connection_problem(value) if connection else None)
    if connection and not isinstance(value, Mapping) and isinstance(value, (bool, int, float, list, tuple)):
        return "must be a URI in quotes or a dictionary, as Airflow's connections are, not another type"
    if connection and isinstance(value, Mapping) and not value:
        return "must not be an empty dictionary; write conn_type, host and so on, or take the name out"
    return _json_problem(value) or (connection_problem(value) if connection and isinstance(value, Mapping) else None)


def _text_problem(value: str) -> str | None:
    if not value:
        return "must not be empty, which Secrets Manager refuses; write a value, or take the name out"
    return _size_problem(value)


def _size_problem(stored: str) -> str | None:
    size = len(stored.encode("utf-8", "surrogatepass"))
    if size <= MOST_BYTES:
        return None
    return f"must have at most {MOST_BYTES} bytes in Secrets Manager, not {size}; keep it in S3 and its place here"


def _source_problem(source: Any) -> str | None:
    if not isinstance(source, Mapping):
        return f"{SOURCE} must be a dictionary with one of {', '.join(SOURCES)}"
    given = [name for name in SOURCES if source.get(name) not in (None, "")]
    unknown = [str(name) for name in source if name not in (*SOURCES, "key")]
    if len(given) != 1:
        return f"{SOURCE} must have exactly one of {', '.join(SOURCES)}, not {', '.join(given) or 'none'}"
    if unknown:
        return f"{SOURCE} must have only {', '.join(SOURCES)} and key, not {', '.join(unknown)}"
    return _kind_problem(source, given[0])


def _kind_problem(source: Mapping[str, Any], kind: str) -> str | None:
    place = source[kind]
    if not isinstance(place, str):
        return f"{kind} of {SOURCE} must be text; put it in quotes"
    if kind != "secret" and source.get("key") not in (None, ""):
        return f"key of {SOURCE} must only be given with secret, not with {kind}; take it out"
    # Ansible takes ~ for a home directory.
    if kind == "file" and not PurePosixPath(place).is_absolute() and not place.startswith("~"):
        return f"file of {SOURCE} must be an absolute path on the controller"
    return None


def _json_problem(value: Any) -> str | None:
    """Why a value that is no text cannot be stored as JSON."""
    try:
        for place, leaf in _leaves(value, ""):
            if sentence := _leaf_problem(leaf):
                return f"{place} {sentence}".strip()
        stored = json.dumps(value, sort_keys=True, default=str)
    except (TypeError, ValueError, RecursionError):
        return "must be what JSON can hold, with text as keys; put keys that are numbers, dates or yes and no in quotes"
    return _size_problem(stored)


def _leaves(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(key, datetime.date):
                yield f"{place}.{key}".strip("."), key
            yield from _leaves(item, f"{place}.{key}".strip("."))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{place}[{index}]")
    else:
        yield place, value


def _leaf_problem(leaf: Any) -> str | None:
    # A datetime is a date as well.
    if isinstance(leaf, (datetime.date, datetime.time)):
        return "is a date; put it in quotes"
    if isinstance(leaf, (bytes, bytearray, set, frozenset)):
        return f"must be what JSON can hold, not a {type(leaf).__name__}; write text or a list"
    if isinstance(leaf, float) and not math.isfinite(leaf):
        return "must be a number that JSON has, not infinite or .nan; put it in quotes"
    return None
