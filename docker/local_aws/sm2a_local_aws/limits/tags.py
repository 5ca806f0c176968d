# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Limits of tags, alike in all services: "Tagging AWS Resources" and the API reference of each of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

LONGEST_KEY, LONGEST_VALUE, MOST = 128, 256, 50
# Members of a call that hold tags, in the spelling of each service.
MEMBERS = ("Tags", "tags", "TagList", "AddTags", "Tag", "TagSet")
KEYS = ("Key", "key", "TagKey")
VALUES = ("Value", "value", "TagValue")
MARKS = frozenset("_.:/=+-@")
# EC2 takes every character.
WITHOUT_CHARACTERS = ("ec2",)


def problems(service: str, parameters: Any) -> Iterator[str]:
    """One sentence for each tag, or set of them, that AWS refuses."""
    for tags in _found(parameters):
        if len(tags) > MOST:
            yield f"A resource can have at most {MOST} tags, not {len(tags)}"
        for key, value in tags:
            yield from _tag_problems(service, key, value)


def _found(node: Any) -> Iterator[list[tuple[str, str]]]:
    if isinstance(node, Mapping):
        for name, inner in node.items():
            tags = _tags(inner) if name in MEMBERS else None
            if tags is None:
                yield from _found(inner)
            else:
                yield tags
    elif isinstance(node, list):
        for item in node:
            yield from _found(item)


def _tags(node: Any) -> list[tuple[str, str]] | None:
    """Key and value of each; None for something else of this name."""
    if isinstance(node, Mapping) and all(isinstance(value, str) for value in node.values()):
        return list(node.items())
    if not isinstance(node, list) or not all(isinstance(item, Mapping) for item in node):
        return None
    pairs = []
    for item in node:
        key = next((item[name] for name in KEYS if name in item), None)
        if not isinstance(key, str):
            return None
        pairs.append((key, next((item[name] for name in VALUES if isinstance(item.get(name), str)), "")))
    return pairs


def _tag_problems(service: str, key: str, value: str) -> Iterator[str]:
    if key.lower().startswith("aws:"):
        yield "Tag keys starting with 'aws:' are reserved for system use"
    if not 1 <= len(key) <= LONGEST_KEY:
        yield f"A tag key has 1 to {LONGEST_KEY} characters, not {len(key)}"
    if len(value) > LONGEST_VALUE:
        yield f"A tag value has at most {LONGEST_VALUE} characters, not {len(value)}"
    if service not in WITHOUT_CHARACTERS and not _is_written(key + value):
        yield f"The tag {key!r} has characters other than letters, numbers, spaces and _.:/=+-@"


def is_key(key: str) -> bool:
    """Whether it has the length and the characters of a tag's key."""
    return 1 <= len(key) <= LONGEST_KEY and _is_written(key)


def is_value(value: str) -> bool:
    """Whether it has the length and the characters of a tag's value."""
    return len(value) <= LONGEST_VALUE and _is_written(value)


def _is_written(text: str) -> bool:
    return all(character in MARKS or unicodedata.category(character)[0] in "LZN" for character in text)
