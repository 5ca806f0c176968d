# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The forms that limits of values have: ranges, choices, patterns, and the same for each element of a list. Pure.

Empty text is no value, as it is for Ansible's defaults; a rule that minds it says so itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.table import Problem

LONGEST_SHOWN = 80


def is_number(value: Any) -> bool:
    """Whether this is a number; True and False are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def number(values: Mapping[str, Any], option: str, default: Any = None) -> Any:
    """The option's number, or ``default``."""
    value = values.get(option)
    return value if is_number(value) else default


def text(values: Mapping[str, Any], option: str, default: str = "") -> str:
    """The option's text, or ``default``."""
    value = values.get(option)
    return str(value) if isinstance(value, str) and value else default


def items(values: Mapping[str, Any], option: str) -> list[Any]:
    """The option's list, or an empty one."""
    value = values.get(option)
    return list(value) if isinstance(value, (list, tuple)) else []


def entries(values: Any) -> list[Mapping[str, Any]]:
    """The dictionaries in a list; what is none is left out."""
    return [entry for entry in values if isinstance(entry, Mapping)] if isinstance(values, (list, tuple)) else []


def shown(value: Any) -> str:
    """A value as a sentence repeats it: text in quotes, long text cut."""
    if not isinstance(value, str):
        return str(value)
    return repr(str(value) if len(value) <= LONGEST_SHOWN else f"{value[:LONGEST_SHOWN]}...")


def of_text(judge: Callable[[str], str | None]) -> Problem:
    """A rule about text that is not empty."""

    def problem(value: Any) -> str | None:
        return judge(str(value)) if isinstance(value, str) and value else None

    return problem


@dataclass(frozen=True)
class Range:
    """A number from ``least`` to ``most`` (None is no limit), or one of ``besides``; ``span`` says so in a sentence."""

    least: float | None
    most: float | None
    span: str
    besides: Collection[float] = ()

    def __call__(self, value: Any) -> str | None:
        """What is wrong with the number."""
        low = self.least is not None and is_number(value) and value < self.least
        high = self.most is not None and is_number(value) and value > self.most
        return f"must be {self.span}, not {value}" if (low or high) and value not in self.besides else None


@dataclass(frozen=True)
class Choices:
    """A number or text of a list, which ``described`` may describe."""

    allowed: tuple[Any, ...]
    described: str

    def __call__(self, value: Any) -> str | None:
        """What is wrong with the value."""
        if isinstance(value, (bool, list, dict)) or value == "" or value in self.allowed:
            return None
        return f"must be {self.described or 'one of ' + ', '.join(map(str, self.allowed))}, not {shown(value)}"


def between(least: float, most: float, unit: str = "", besides: Collection[float] = ()) -> Range:
    """A number from ``least`` to ``most``, or one of ``besides``."""
    allowed = [str(one) for one in besides]
    return Range(least, most, f"{' or '.join([*allowed, f'{least} to {most}'])}{unit and f' {unit}'}", besides)


def at_least(least: float, unit: str = "") -> Range:
    """A number that is not smaller."""
    return Range(least, None, f"{least}{unit and f' {unit}'} or more")


def at_most(most: float, unit: str = "") -> Range:
    """A number that is not larger."""
    return Range(None, most, f"at most {most}{unit and f' {unit}'}")


def one_of(choices: Iterable[Any], described: str = "") -> Choices:
    """A number or text of a list."""
    return Choices(tuple(choices), described)


def matching(pattern: str, described: str, repeat: bool = True) -> Problem:
    """Text of a form; ``described`` follows "must be". Without ``repeat`` the value, maybe a secret, is not shown."""
    form = re.compile(pattern)

    def judge(value: str) -> str | None:
        if form.fullmatch(value):
            return None
        return f"must be {described}, not {shown(value)}" if repeat else f"must be {described}"

    return of_text(judge)


def each(judge: Problem) -> Problem:
    """The same for every element of a list; an empty element is wrong."""

    def problem(value: Any) -> str | None:
        if not isinstance(value, (list, tuple)):
            return None
        found = ["must have no empty entry" if one == "" else judge(one) for one in value if one is not None]
        return "; ".join(dict.fromkeys(sentence for sentence in found if sentence)) or None

    return problem


def member(name: str, judge: Problem) -> Problem:
    """The same for one member of a dictionary, or of each dictionary in a list, which is named as well."""

    def problem(value: Any) -> str | None:
        owners = [value] if isinstance(value, Mapping) else entries(value)
        found = [(owner, judge(owner[name])) for owner in owners if owner.get(name) is not None]
        listed = not isinstance(value, Mapping)
        sentences = [f"{_place(name, owner, listed)} {sentence}" for owner, sentence in found if sentence]
        return "; ".join(dict.fromkeys(sentences)) or None

    return problem


def _place(name: str, owner: Mapping[str, Any], listed: bool) -> str:
    """``max of group gpu``; a dictionary that is no element of a list needs no name."""
    called = owner.get("name")
    return f"{name} of {called}" if listed and name != "name" and isinstance(called, str) else name
