# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Patterns of IAM policies: `*`, `?` and policy variables such as `${aws:username}`.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

# A context key has one value, or several (aws:TagKeys).
Context = Mapping[str, "str | tuple[str, ...]"]

VARIABLE = re.compile(r"\$\{([^{}]*)\}")
# ${*}, ${?} and ${$} stand for the character itself.
CHARACTERS = ("*", "?", "$")


def matches(pattern: str, value: str, context: Context, *, variables: bool = True, ignore_case: bool = False) -> bool:
    """Whether the value fits the pattern; a pattern with a variable that has no value fits nothing."""
    source = _with_variables(pattern, context) if variables and "${" in pattern else _regular(pattern)
    return source is not None and _compiled(source, ignore_case).fullmatch(value) is not None


def matches_arn(pattern: str, value: str, context: Context) -> bool:
    """As the Arn operators match: each of the six parts for itself."""
    patterns, values = _arn_parts(pattern), value.split(":", 5)
    if len(patterns) != len(values):
        return False
    return all(matches(one, other, context) for one, other in zip(patterns, values, strict=True))


def substituted(text: str, context: Context) -> str | None:
    """The text with its variables replaced, for operators without wildcards; None when one has no value."""
    if "${" not in text:
        return text
    values = [_value(name, context) for name in VARIABLE.findall(text)]
    if None in values:
        return None
    found = iter(values)
    return VARIABLE.sub(lambda _match: str(next(found)), text)


def _arn_parts(pattern: str) -> list[str]:
    """A colon inside a variable is no border."""
    protected = VARIABLE.sub(lambda match: match[0].replace(":", "\0"), pattern)
    return [part.replace("\0", ":") for part in protected.split(":", 5)]


def _value(name: str, context: Context) -> str | None:
    if name in CHARACTERS:
        return name
    key, _, default = name.partition(",")
    value = context.get(key.strip().lower())
    if isinstance(value, str):
        return value
    stripped = default.strip()
    return stripped[1:-1] if len(stripped) >= 2 and stripped[0] == stripped[-1] == "'" else None


def _with_variables(pattern: str, context: Context) -> str | None:
    parts, end = [], 0
    for match in VARIABLE.finditer(pattern):
        value = _value(match[1], context)
        if value is None:
            return None
        # A value is text: a star in it is a star.
        parts += [_regular(pattern[end : match.start()]), re.escape(value)]
        end = match.end()
    return "".join([*parts, _regular(pattern[end:])])


@functools.lru_cache(maxsize=4096)
def _regular(pattern: str) -> str:
    return re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")


@functools.lru_cache(maxsize=4096)
def _compiled(source: str, ignore_case: bool) -> re.Pattern[str]:
    return re.compile(source, re.DOTALL | (re.IGNORECASE if ignore_case else 0))
