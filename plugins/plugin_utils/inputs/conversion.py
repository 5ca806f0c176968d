# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Bring a value to the type that its option declares, at every depth, or say why that cannot be. Pure.

Surveys, ``-e name=value`` and INI inventories know text only: ``"false"`` is a boolean here, ``"1024"`` a number, and
text in YAML or JSON a list or a dictionary. Text without content, and null, stand for an option that is not given.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.yaml import yaml_load
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.quotes import unquoted
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.specs import is_secret
from yaml import YAMLError

NOT_SHOWN = "the value is refused (not shown: it may be secret)"
KINDS = {"list": "a list", "dict": "a dictionary"}
# Text that a program wrote for a value that it did not have.
NO_VALUES = ("None", "null", "~")
# What Ansible's own check of a single value looks at.
OF_A_VALUE = ("type", "choices")

Option = Mapping[str, Any]


class Conversion:
    """Of one option of a role: its converted value, and one sentence for each thing that is wrong with it."""

    def __init__(self, name: str, value: Any, option: Option) -> None:
        self._name = name
        self._secret = is_secret(option)
        self.problems: list[str] = []
        self.value = self._converted(value, option, "")

    def _refuse(self, where: str, problem: str, shows_value: bool = True) -> None:
        hidden = self._secret and shows_value
        self.problems.append(f"{self._name}{where}: {NOT_SHOWN if hidden else problem}")

    def _converted(self, value: Any, option: Option, where: str) -> Any:
        """The value, or the default where it is not given; None when there is neither, or when it is refused."""
        if is_missing(value):
            if option.get("required") and where:
                self._refuse(where, "is required")
                return None
            value = option.get("default")
            if value is None:
                return None
        kind = option.get("type", "str")
        if kind in KINDS:
            return self._container(value, kind, option, where)
        return self._scalar(value, kind, option, where)

    def _scalar(self, value: Any, kind: str, option: Option, where: str) -> Any:
        if kind == "raw":
            return value
        if problem := _kind_problem(value, kind, option):
            self._refuse(where, problem, shows_value=False)
            return None
        # Text around which a person left a space.
        if isinstance(value, str) and kind != "str":
            value = value.strip()
        checked = ArgumentSpecValidator({"value": {key: option[key] for key in OF_A_VALUE if key in option}}).validate(
            {"value": value}
        )
        if checked.error_messages:
            self._refuse(where, _scalar_problem(value, kind, option))
            return None
        return checked.validated_parameters["value"]

    def _container(self, value: Any, kind: str, option: Option, where: str) -> Any:
        if isinstance(value, str):
            value = self._parsed(value, option, where)
        if value is None:
            return None
        if kind == "list" and isinstance(value, (int, float)) and option.get("elements", "str") not in KINDS:
            value = [value]
        if kind == "list" and isinstance(value, (list, tuple)):
            return self._list(list(value), option, where)
        if kind == "dict" and isinstance(value, Mapping):
            return self._dictionary(value, option, where)
        self._refuse(where, f"must be {KINDS[kind]}, not {_kind_of(value)}", shows_value=False)
        return None

    def _parsed(self, text: str, option: Option, where: str) -> Any:
        """What text stands for: YAML, JSON, or a list of words with commas or line ends between them."""
        kind = option.get("type")
        if self._secret:
            self._refuse(
                where, f"must be {KINDS[str(kind)]}, not text (not shown: it may be secret)", shows_value=False
            )
            return None
        try:
            # A plain string: the parser knows none that carries where Ansible found it.
            parsed = yaml_load(str(text))
        except YAMLError:
            parsed = text
        words = kind == "list" and option.get("elements", "str") not in KINDS
        if words and not isinstance(parsed, (list, dict)):
            return [word.strip() for word in re.split(r"[,\n]", text) if word.strip()]
        if isinstance(parsed, dict if kind == "dict" else list):
            return parsed
        self._refuse(where, f"must be {KINDS[str(kind)]}, or text that is one in YAML or JSON")
        return None

    def _list(self, values: list[Any], option: Option, where: str) -> list[Any]:
        element = {"type": option.get("elements", "raw"), "options": option.get("options")}
        if "choices" in option:
            element["choices"] = option["choices"]
        converted = []
        for number, value in enumerate(values, 1):
            place = f"{where}, {label(value, number)}"
            if is_missing(value):
                self._refuse(place, "is empty")
            else:
                converted.append(self._converted(value, element, place))
        return converted

    def _dictionary(self, values: Mapping[Any, Any], option: Option, where: str) -> dict[Any, Any]:
        inner = option.get("options")
        if not inner:
            return dict(values)
        for name in values:
            if name not in inner:
                self._refuse(where, f"there is no {name} in it{likely(str(name), inner)}")
        converted = {}
        for name, declared in inner.items():
            value = self._converted(values.get(name), declared, f"{where}, {name}")
            if value is not None:
                converted[name] = value
        return converted


def is_missing(value: Any) -> bool:
    """Whether it stands for an option that is not given."""
    return value is None or (isinstance(value, str) and not value.strip())


def nulls(name: str, value: Any) -> Iterator[str]:
    """One sentence for each place where YAML has a name with nothing behind it; ``value`` is as it was written."""
    if value is None:
        yield f"{name}: has no value (null in YAML); give it one, or take the name away"
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from nulls(f"{name}, {key}", inner)
    elif isinstance(value, list):
        for number, inner in enumerate(value, 1):
            yield from nulls(f"{name}, {label(inner, number)}", inner)


def likely(name: str, known: Mapping[str, Any] | list[str]) -> str:
    """The end of a sentence about an unknown name: the known one that looks like it."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.75)
    return f"; did you mean {close[0]}?" if close else ""


def label(value: Any, number: int) -> str:
    """How a sentence calls an item of a list."""
    name = value.get("name") if isinstance(value, Mapping) else None
    return f"group {name}" if isinstance(name, str) and name.strip() else f"item {number}"


def _kind_of(value: Any) -> str:
    kinds = ((bool, "true or false"), (str, "text"), ((int, float), "a number"), ((datetime, date), "a date"))
    named = ((Mapping, KINDS["dict"]), ((list, tuple), KINDS["list"]), *kinds)
    return next((name for types, name in named if isinstance(value, types)), "binary data")


def _kind_problem(value: Any, kind: str, option: Option) -> str | None:
    """What is wrong with the kind of a value, which is not repeated."""
    wanted = article(kind)
    if kind in ("str", "path") and "choices" not in option and (problem := unquoted(value)):
        return problem
    if isinstance(value, (list, tuple, Mapping, bytes, date)):
        return f"must be {wanted}, not {_kind_of(value)}"
    if kind in ("int", "float") and isinstance(value, bool):
        return f"must be {wanted}, not true or false"
    if kind == "int" and isinstance(value, float) and not value.is_integer():
        return f"must be {wanted}, not a fraction"
    if kind == "str" and value in NO_VALUES and "choices" not in option:
        return f"is the word {value}, which stands for no value; give it one, or take the name away"
    return None


def article(kind: str) -> str:
    """A type as a sentence names it."""
    return {"bool": "true or false", "int": "a whole number", "float": "a number"}.get(kind, "text")


def _scalar_problem(value: Any, kind: str, option: Option) -> str:
    if option.get("choices"):
        return f"must be one of {', '.join(map(str, option['choices']))}, not {value}"
    return f"must be {article(kind)}, not {str(value)!r}"
