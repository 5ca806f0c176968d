# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The changes of one run of a playbook, as its results tell them, and how a prediction differs from what was done."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

# What AWS chooses itself, so that check mode cannot know it: ids, the ends of ARNs, hosts in URLs, times, the
# numbers of load balancers, addresses of databases; fingerprints are of certificates that are made on the way. In check
# mode no account is known either: URLs of queues have it.
CHOSEN_BY_AWS = (
    (re.compile(r"\bhttps?://[^/]+(/\d{12}(?=/))?"), "URL"),
    (re.compile(r"\barn:aws[a-z-]*:([a-z0-9-]+):[^\s\"']*"), r"arn:\1"),
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "UUID"),
    (re.compile(r"\b([a-z0-9-]+)\.([0-9a-z]+\.[a-z0-9-]+\.rds\.amazonaws\.com|rds\.[a-z0-9-]+\.local)\b"), r"\1.rds"),
    (re.compile(r"\b(app|targetgroup)/([a-z0-9-]+)/[0-9a-z]{16}\b"), r"\1/\2/ID"),
    (re.compile(r"^[0-9a-f]{2}(:[0-9a-f]{2}){31}$"), "FINGERPRINT"),
    (re.compile(r"\bns-[0-9a-z]{16,32}\b"), "ns-ID"),
    (re.compile(r"\b([a-z]{1,10})-[0-9a-f]{8,17}\b"), r"\1-ID"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*(Z|[+-]\d\d:\d\d)?"), "TIME"),
)
# Masked values (as JSON) of which nothing is left to compare.
UNKNOWABLE = frozenset({'"UUID"', '"TIME"', '"FINGERPRINT"'})
# Attributes that go on by themselves: creating, then available.
MOVING = ("status",)
SHOWN = 160


@dataclass(frozen=True)
class Change:
    """One resource that one task changed, or in check mode would change; ``before`` and ``after`` as in its diff."""

    host: str
    task: str
    item: str = ""
    resource: str = ""
    before: Any = field(default_factory=dict)
    after: Any = field(default_factory=dict)

    def name(self) -> str:
        return " > ".join(filter(None, (self.host, self.task, self.item, self.resource)))

    def line(self) -> str:
        """As one line of JSON."""
        return json.dumps(asdict(self), default=str, sort_keys=True)


def of_result(host: str, task: str, item: str, result: Mapping[str, Any]) -> list[Change]:
    """The changes that one result of a task tells: one for each entry of its diff, or one without attributes."""
    diff = result.get("diff") or [{}]
    return [
        Change(
            host=host,
            task=task,
            item=item,
            resource=str(entry.get("after_header") or entry.get("before_header") or ""),
            before=entry.get("before") or {},
            after=entry.get("after") or {},
        )
        for entry in ([diff] if isinstance(diff, Mapping) else diff)
    ]


def read(path: Path) -> list[Change]:
    """The changes in a file that the callback wrote."""
    return [Change(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def masked(value: Any) -> Any:
    """``value`` without what AWS chooses itself; lists are in order, as most of AWS' lists have none."""
    if isinstance(value, Mapping):
        return {str(key): masked(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return sorted(
            (masked(entry) for entry in value), key=lambda entry: json.dumps(entry, sort_keys=True, default=str)
        )
    if isinstance(value, str):
        for pattern, replacement in CHOSEN_BY_AWS:
            value = pattern.sub(replacement, value)
    return value


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Path and masked JSON text of everything in ``value`` that is not a dictionary itself."""
    if isinstance(value, Mapping) and value:
        for key, entry in value.items():
            yield from leaves(entry, f"{path}.{key}" if path else str(key))
    elif value not in ({}, None) and not path.endswith(MOVING):
        yield path, json.dumps(masked(value), sort_keys=True, default=str)


def shown(value: str, other: str) -> str:
    """``value``, or if it is long, the part from shortly before where it differs from ``other``."""
    start = next((place for place, pair in enumerate(zip(value, other, strict=False)) if pair[0] != pair[1]), 0)
    start = max(0, start - SHOWN // 2) if len(value) > SHOWN else 0
    return ("..." if start else "") + value[start : start + SHOWN] + ("..." if len(value) > start + SHOWN else "")


def difference(predicted: Change, done: Change) -> list[str]:
    """Attributes that became other than predicted.

    Of a new resource, attributes that were not predicted at all are AWS' own choice and do not count.
    """
    guess, fact = dict(leaves(predicted.after)), dict(leaves(done.after))
    old = dict(leaves(done.before))
    told = [
        f"{done.name()}: {path}: predicted {shown(guess[path], became)}, became {shown(became, guess[path])}"
        for path in sorted(guess)
        if (became := fact.get(path, "nothing")) != guess[path] and became not in UNKNOWABLE
    ]
    unforeseen = [path for path in sorted(fact.keys() - guess.keys()) if old and fact[path] != old.get(path)]
    return told + [f"{done.name()}: {path}: not predicted, became {shown(fact[path], '')}" for path in unforeseen]


def numbered(changes: Iterable[Change]) -> dict[tuple[str, int], Change]:
    """By name, and by how many of that name came before."""
    seen: Counter[str] = Counter()
    result = {}
    for change in changes:
        result[change.name(), seen[change.name()]] = change
        seen[change.name()] += 1
    return result


def differences(predicted: Iterable[Change], done: Iterable[Change]) -> list[str]:
    """Every way in which what was done differs from what was predicted, one line each; [] when it does not."""
    guesses, facts = numbered(predicted), numbered(done)
    told = [f"{name}: predicted, but not changed" for name, number in guesses if (name, number) not in facts]
    told += [f"{name}: changed, but not predicted" for name, number in facts if (name, number) not in guesses]
    for key in guesses.keys() & facts.keys():
        told += difference(guesses[key], facts[key])
    return sorted(told)
