# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Compare variables with the argument specs of roles: unknown names and ill-typed values, each named. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Container, Iterable, Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

# Facts that are set under a prefix and are no options: what the check returns, and the one of each role.
PUBLISHED = ("inputs", "outputs")
# Keys of a spec that are documentation, or that this file judges itself.
NOT_FOR_VALIDATOR = ("description", "version_added", "pattern", "required")

Spec = Mapping[str, Mapping[str, Any]]


def owner_of(name: str, prefixes: Iterable[str]) -> str | None:
    """The longest of ``prefixes`` that ``name`` starts with (``load_balancer`` for ``load_balancer_scheme``)."""
    owners = [prefix for prefix in prefixes if name.startswith(prefix + "_")]
    return max(owners, key=len, default=None)


def unknown_variables(names: Iterable[str], specs: Mapping[str, Spec]) -> list[str]:
    """One sentence for each name that carries the prefix of a spec but is not in any spec."""
    known = {option for spec in specs.values() for option in spec}
    problems = []
    for name in sorted(names):
        owner = owner_of(name, specs)
        if owner is None or name in known or name.removeprefix(f"{owner}_") in PUBLISHED:
            continue
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
        hint = f"; did you mean {close[0]}?" if close else ""
        problems.append(f"{name}: {owner} has no such variable{hint}")
    return problems


def ill_typed_variables(values: Mapping[str, Any], specs: Mapping[str, Spec]) -> list[str]:
    """One sentence for each given value that its spec refuses; values of ``no_log`` options are not repeated."""
    problems = []
    for spec in specs.values():
        for name, option in spec.items():
            if name in values and values[name] is not None:
                problem = _problem(name, values[name], option)
                if problem:
                    problems.append(f"{name}: {problem}")
    # sm2a_name stands in the spec of every role.
    return sorted(set(problems))


def typed_variables(values: Mapping[str, Any], unresolved: Container[str], spec: Spec) -> dict[str, Any]:
    """Every option of ``spec`` with its value in the type that the spec declares, or its default, or None.

    ``values`` must have passed `ill_typed_variables`. Left out are secrets (``no_log``) and what is ``unresolved``.
    """
    typed = {}
    for name, option in spec.items():
        if name in unresolved or _is_secret(option):
            continue
        given = values.get(name)
        typed[name] = _validated(name, option.get("default") if given is None else given, option)
    return typed


def _validated(name: str, value: Any, option: Mapping[str, Any]) -> Any:
    """``value`` as Ansible converts it for a module with this option."""
    if value is None:
        return None
    return _given(_validator(name, option).validate({name: value}).validated_parameters[name], option)


def _given(value: Any, option: Mapping[str, Any]) -> Any:
    """``value`` without the options inside it that have no value, which Ansible adds as None."""
    if isinstance(value, list):
        element = {"options": option.get("options"), "type": option.get("elements", "raw")}
        return [_given(item, element) for item in value]
    inner = option.get("options")
    if not isinstance(value, Mapping) or not inner:
        return value
    return {key: _given(item, inner.get(key, {})) for key, item in value.items() if item is not None}


def _validator(name: str, option: Mapping[str, Any]) -> ArgumentSpecValidator:
    return ArgumentSpecValidator({name: {key: value for key, value in option.items() if key not in NOT_FOR_VALIDATOR}})


def renamed_variables(values: Mapping[str, Any], renamed: Mapping[str, str], specs: Mapping[str, Spec]) -> list[str]:
    """One sentence for each variable that has a value of its own and another name; ``renamed`` is old to new.

    The default of a role's option is a variable of the playbook as well, and does not count.
    """
    defaults = {name: option.get("default") for spec in specs.values() for name, option in spec.items()}
    return [
        f"{old}: is called {new} here"
        for old, new in renamed.items()
        if old in values and values[old] != defaults.get(old)
    ]


def missing_variables(values: Mapping[str, Any], spec: Spec) -> list[str]:
    """One sentence for each required option of ``spec`` without a value."""
    return [
        f"{name}: is required" for name in sorted(spec) if spec[name].get("required") and values.get(name) in (None, "")
    ]


def _problem(name: str, value: Any, option: Mapping[str, Any]) -> str | None:
    if option.get("type", "str") in ("str", "path", "raw") and isinstance(value, (list, dict)):
        # Ansible would turn these into text.
        return None if option.get("type") == "raw" else f"must be a string, not a {type(value).__name__}"
    if misshaped := _misshaped(value, option):
        return misshaped
    errors = _validator(name, option).validate({name: value}).error_messages
    if errors:
        return "the value is refused (not shown: it may be secret)" if _is_secret(option) else "; ".join(errors)
    pattern = option.get("pattern")
    if pattern and not re.fullmatch(pattern, str(value)):
        return f"{str(value)!r} does not match {pattern}"
    return None


def _misshaped(value: Any, option: Mapping[str, Any]) -> str | None:
    """Text where a list or dictionary belongs: Ansible would take it apart, but the roles get it as it is.

    Values are not repeated. ``option`` is that of an argument spec, or what its elements are.
    """
    kind = option.get("type", "str")
    if isinstance(value, str) and kind in ("list", "dict"):
        return f"must be a {'list' if kind == 'list' else 'dictionary'}, not text"
    if kind == "list" and isinstance(value, list):
        element = {"type": option.get("elements", "raw"), "options": option.get("options")}
        return next((problem for item in value if (problem := _misshaped(item, element))), None)
    if kind == "dict" and isinstance(value, Mapping):
        inner = option.get("options") or {}
        found = ((name, _misshaped(value[name], inner[name])) for name in inner if name in value)
        return next((f"{name} {problem}" for name, problem in found if problem), None)
    return None


def _is_secret(option: Mapping[str, Any]) -> bool:
    return bool(option.get("no_log")) or any(_is_secret(inner) for inner in (option.get("options") or {}).values())
