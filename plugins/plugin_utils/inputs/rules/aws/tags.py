# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Tags that AWS refuses on one of the resources that get them all: the strictest rule of each service. Pure."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.quotes import unquoted
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.shapes import shown
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.table import Problem, Rule

TAGS = "https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html"
ECS_TAG = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Tag.html"
RDS_TAG = "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_Tag.html"
ELB_TAGS = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-tags.html"
IAM_TAGS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html"

LONGEST_KEY, LONGEST_VALUE = 128, 256
PUNCTUATION = "_.:/=+-@"
RESERVED_PREFIXES = ("aws:", "rds:")
OWN_KEYS = ("sm2a:environment", "sm2a:role", "sm2a:source", "sm2a:task_role")
# A resource has environment and role, and one more: its Name, its source or its task role.
OWN_TAGS = 3
MOST_TAGS = 50 - OWN_TAGS


def _of_tags(judge: Any) -> Problem:
    """A rule about a dictionary of tags, whose sentences ``judge`` yields."""

    def problem(value: Any) -> str | None:
        return "; ".join(judge(value)) or None if isinstance(value, Mapping) else None

    return problem


def _scalars(value: Any) -> str | None:
    """A tag's value as the roles send it; None when it is no text, number or boolean."""
    return str(value) if isinstance(value, (str, int, float)) else None


def _values(tags: Mapping[Any, Any]) -> Iterator[str]:
    for key, value in tags.items():
        if value is None:
            yield f"{key} must have a value; write '' for an empty one"
        elif isinstance(value, (Mapping, list, tuple, set)):
            yield f"{key} must be text, not nested; write one tag for each part"
        elif problem := unquoted(value):
            yield f"{key} {problem}"
        elif _scalars(value) is None:
            yield f"{key} must be text, not a {type(value).__name__}; put it in quotes"


def _lengths(tags: Mapping[Any, Any]) -> Iterator[str]:
    for key, value in tags.items():
        if not 1 <= len(str(key)) <= LONGEST_KEY:
            yield f"keys must have 1 to {LONGEST_KEY} characters, not {len(str(key))} as {shown(str(key))}"
        if len(_scalars(value) or "") > LONGEST_VALUE:
            yield f"{key} must have at most {LONGEST_VALUE} characters, not {len(str(value))}"


def _characters(tags: Mapping[Any, Any]) -> Iterator[str]:
    for key, value in tags.items():
        for what, written in ((f"key {shown(str(key))}", str(key)), (str(key), _scalars(value) or "")):
            wrong = sorted({one for one in written if not _is_allowed(one)})
            if wrong:
                yield (
                    f"{what} must have only letters, digits, spaces and {' '.join(PUNCTUATION)}, "
                    f"not {' '.join(map(repr, wrong))}"
                )


def _is_allowed(character: str) -> bool:
    return character in PUNCTUATION or unicodedata.category(character)[0] in "LNZ"


def _outer_spaces(tags: Mapping[Any, Any]) -> Iterator[str]:
    for key, value in tags.items():
        if str(key) != str(key).strip() or (written := _scalars(value) or "") != written.strip():
            yield f"{str(key).strip()} must not begin or end with a space, neither as key nor as value; remove it"


def _prefixes(tags: Mapping[Any, Any]) -> Iterator[str]:
    for key, value in tags.items():
        for what, written in (("keys", str(key)), ("values", _scalars(value) or "")):
            prefix = next((one for one in RESERVED_PREFIXES if written.lower().startswith(one)), None)
            if prefix:
                yield f"{what} must not begin with {prefix}, which AWS keeps for itself, as in {key}; rename it"


def _own_keys(tags: Mapping[Any, Any]) -> Iterator[str]:
    for key in tags:
        if str(key).lower() in OWN_KEYS:
            yield f"{key} must not be set, because the roles set it; choose another key"


def _spellings(tags: Mapping[Any, Any]) -> Iterator[str]:
    for key, count in Counter(str(key).lower() for key in tags).items():
        if count > 1:
            yield f"keys must differ by more than upper and lower case, but {key} is there {count} times; keep one"


def _count(tags: Mapping[Any, Any]) -> Iterator[str]:
    if len(tags) > MOST_TAGS:
        yield f"must be at most {MOST_TAGS}, as AWS allows 50 and the roles add {OWN_TAGS}, not {len(tags)}"


RULES: list[Rule] = [
    Rule("sm2a_tags", TAGS, _of_tags(_values)),
    Rule("sm2a_tags", ECS_TAG, _of_tags(_lengths)),
    Rule("sm2a_tags", RDS_TAG, _of_tags(_characters)),
    Rule("sm2a_tags", ELB_TAGS, _of_tags(_outer_spaces)),
    Rule("sm2a_tags", RDS_TAG, _of_tags(_prefixes)),
    Rule("sm2a_tags", TAGS, _of_tags(_own_keys)),
    Rule("sm2a_tags", IAM_TAGS, _of_tags(_spellings)),
    Rule("sm2a_tags", TAGS, _of_tags(_count)),
]
