# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Names of variables that no role has, or has no longer. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.conversion import is_missing, likely
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.specs import Spec, owner_of

# Facts that are set under a prefix and are no options: the converted options, and what a role offers to others.
PUBLISHED = ("inputs", "outputs")
# What a controller hands to the later jobs of a workflow (run_summary).
HANDED_ON = ("sm2a_summary",)
# What people write for a prefix.
SHORT = {"lb": "load_balancer", "alb": "load_balancer", "elb": "load_balancer", "db": "database", "net": "network"}


def is_published(name: str, prefixes: Iterable[str]) -> bool:
    """Whether it is a fact of an earlier run of the check or of a role."""
    owner = owner_of(name, prefixes)
    return owner is not None and name.removeprefix(f"{owner}_") in PUBLISHED


def unknown_variables(names: Iterable[str], specs: Mapping[str, Spec], own: Set[str] = frozenset()) -> list[str]:
    """One sentence for each name that is in no spec, and carries the prefix of one or is nearly an option of one.

    ``own`` are the options that the user sets: what is short for one of these is a variable of the user's.
    """
    every = {option for spec in specs.values() for option in spec}
    known = sorted(every)
    problems = []
    for name in sorted(names):
        if name in every or name in HANDED_ON or is_published(name, specs):
            continue
        if owner := owner_of(name, specs):
            problems.append(f"{name}: {owner} has no such variable{likely(name, known)}")
        elif (meant := _meant(name, specs, known)) and meant not in own:
            problems.append(f"{name}: there is no such variable; did you mean {meant}?")
    return problems


def _meant(name: str, prefixes: Iterable[str], known: list[str]) -> str | None:
    """The option that somebody meant who wrote capitals or hyphens, shortened a prefix, or misspelt one."""
    plain = name.lower().replace("-", "_")
    begin, _underscore, rest = plain.partition("_")
    for exact in (plain, f"{SHORT.get(begin, begin)}_{rest}"):
        if exact in known:
            return exact
    close = difflib.get_close_matches(plain, known, n=1, cutoff=0.9) if _misspells_a_prefix(plain, prefixes) else []
    return close[0] if close else None


def _misspells_a_prefix(name: str, prefixes: Iterable[str]) -> bool:
    """Whether it begins nearly as one of the prefixes does (``load_balancr_`` for ``load_balancer_``)."""
    words = name.split("_")
    for prefix in prefixes:
        begin = "_".join(words[: prefix.count("_") + 1])
        if difflib.SequenceMatcher(None, begin, prefix).ratio() > 0.75:
            return True
    return False


def wired_variables(names: Set[str], plays: Any) -> list[str]:
    """One sentence for each of the user's variables that the playbook sets itself, so that one of both would be lost.

    ``plays`` is the playbook as YAML has it. The state of a role belongs to the playbook as well.
    """
    wired = dict(_wiring(plays))
    problems = []
    for name in sorted(names & wired.keys()):
        instead = f"set {_source(name, str(wired[name]))} instead" if "sm2a_inputs." in str(wired[name]) else ""
        problems.append(f"{name}: this playbook sets it itself; {instead or 'take it away'}")
    return problems


def _source(name: str, template: str) -> str:
    """The variable of the user from which the playbook takes it: the one that looks most like it."""
    sources: list[str] = re.findall(r"\bsm2a_inputs\.(\w+)", template)
    return max(sources, key=lambda source: difflib.SequenceMatcher(None, source, name).ratio())


def _wiring(node: Any) -> Iterator[tuple[str, Any]]:
    """Names and values that tasks hand to the roles that they import."""
    if isinstance(node, list):
        for item in node:
            yield from _wiring(item)
    elif isinstance(node, Mapping):
        if role := node.get("ansible.builtin.import_role"):
            yield f"{role['name'].rpartition('.')[2]}_state", None
            yield from (node.get("vars") or {}).items()
        for part in ("tasks", "block", "rescue", "always"):
            yield from _wiring(node.get(part))


def own_variables(variables: Mapping[str, Any], defaults: Mapping[str, Any]) -> set[str]:
    """Names of those that are not as the roles' defaults, which are variables of the playbook as well, have them."""
    return {name for name, value in variables.items() if name not in defaults or value != defaults[name]}


def renamed_variables(names: Iterable[str], renamed: Mapping[str, str]) -> list[str]:
    """One sentence for each of the user's variables that has another name here; ``renamed`` is old to new."""
    return [f"{old}: is called {renamed[old]} here" for old in sorted(names) if old in renamed]


def missing_variables(values: Mapping[str, Any], spec: Spec) -> list[str]:
    """One sentence for each required option of ``spec`` without a value."""
    return [
        f"{name}: is required" for name in sorted(spec) if spec[name].get("required") and is_missing(values.get(name))
    ]
