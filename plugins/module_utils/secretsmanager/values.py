# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Secret values: how they are generated, merged, composed and compared. Nothing here logs or raises a value."""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import string
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

FERNET_KEY_BYTES = 32
# kind -> (default length in characters, default characters)
KINDS = {
    "password": (32, string.ascii_letters + string.digits),
    "token": (64, string.ascii_letters + string.digits + "-_"),
}
PLACEHOLDER = re.compile(r"\{(\w+)\}")


def generate(kind: str, length: int | None = None, characters: str | None = None) -> str:
    """A new random value: ``fernet_key`` (32 bytes, URL-safe base64), ``password`` or ``token``."""
    if kind == "fernet_key":
        return base64.urlsafe_b64encode(os.urandom(FERNET_KEY_BYTES)).decode()
    if kind not in KINDS:
        raise AnsibleAWSError(message=f"Cannot generate {kind!r}: choose fernet_key, password or token")
    default_length, default_characters = KINDS[kind]
    alphabet = sorted(set(characters or default_characters))
    if len(alphabet) < 2:
        raise AnsibleAWSError(message="Cannot generate a value from fewer than two distinct characters")
    return "".join(secrets.choice(alphabet) for _place in range(length or default_length))


def generated_object(template: Mapping[str, Any], current: str | None) -> str:
    """The JSON object that ``template`` asks for.

    A template value such as ``{"generate": "password", "length": 24}`` is generated when ``current`` (the object
    stored now, None when there is none) has no such key, and kept otherwise. Any other value is set as it is; keys
    of ``current`` that the template does not name are kept.
    """
    merged = dict(as_object(current, "The secret to extend")) if current is not None else {}
    for key, wanted in template.items():
        if not is_generated(wanted):
            merged[key] = wanted
        elif key not in merged:
            merged[key] = generate(wanted["generate"], wanted.get("length"), wanted.get("characters"))
    return json.dumps(merged, sort_keys=True)


def is_generated(value: Any) -> bool:
    """Whether a template value asks for a generated one."""
    return isinstance(value, Mapping) and "generate" in value


def generated_parts(template: Mapping[str, Any], value: str) -> Iterator[str]:
    """The generated values inside a JSON object made from ``template``."""
    stored = json.loads(value)
    return (stored[key] for key, wanted in template.items() if is_generated(wanted))


def compose(template: str, source: str, source_name: str) -> str:
    """``template`` with each ``{key}`` replaced by that key of the JSON object ``source``, percent-encoded."""
    values = as_object(source, f"Secret {source_name}")
    missing = sorted({key for key in PLACEHOLDER.findall(template) if key not in values})
    if missing:
        raise AnsibleAWSError(message=f"Secret {source_name} has no key {', '.join(missing)}")
    return PLACEHOLDER.sub(lambda match: quote(str(values[match.group(1)]), safe=""), template)


def as_object(text: str, what: str) -> dict[str, Any]:
    """The JSON object in ``text``; AnsibleAWSError naming ``what`` when it is not one."""
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise AnsibleAWSError(message=f"{what} does not hold a JSON object")
    return value


def text_of(value: Any) -> str:
    """A given value as the string to store: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def same(current: str | None, wanted: str) -> bool:
    """Whether two stored strings mean the same: equal, or the same JSON object whatever the order of keys."""
    if current is None or current == wanted:
        return current == wanted
    try:
        return as_object(current, "") == as_object(wanted, "")
    except AnsibleAWSError:
        return False
