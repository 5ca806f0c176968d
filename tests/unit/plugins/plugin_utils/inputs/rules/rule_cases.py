# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Tables of values that rules accept or refuse, and the tests that go through them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.table import JointRule, Rule

# Option -> values that every rule about it accepts, and values that one refuses.
Cases = Mapping[str, tuple[Sequence[Any], Sequence[Any]]]
# Values of several options that are refused together -> what the sentence says, None when they are right.
JointCases = Sequence[tuple[dict[str, Any], "str | None"]]
Problems = Callable[[Mapping[str, Any]], list[str]]


def accepted(cases: Cases) -> list[tuple[str, Any]]:
    """Each option with each value that is right."""
    return [(option, value) for option, (right, _wrong) in cases.items() for value in right]


def refused(cases: Cases) -> list[tuple[str, Any]]:
    """Each option with each value that is wrong."""
    return [(option, value) for option, (_right, wrong) in cases.items() for value in wrong]


def unproved(rules: Iterable[Rule], cases: Cases) -> list[str]:
    """The rules that no value of the table breaks."""
    return [
        f"{rule.option}: {rule.source}"
        for rule in rules
        if not any(rule.problem(value) for value in cases.get(rule.option, ((), ()))[1])
    ]


def unproved_joint(rules: Iterable[JointRule], cases: JointCases) -> list[str]:
    """The joint rules that no values of the table break."""
    return [", ".join(rule.options) for rule in rules if not any(rule.problem(values) for values, _said in cases)]


def says(problems: Iterable[str], option: str) -> list[str]:
    """The sentences about this option, alone or with others."""
    return [problem for problem in problems if option in problem.partition(":")[0].split(", ")]


class RuleTests:
    """The tests of files of rules: a subclass has their tables."""

    rules: Sequence[Rule]
    joint_rules: Sequence[JointRule]
    cases: Cases
    together: JointCases
    problems: Problems

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """A test for each entry of the tables."""
        for argument, values in (("right", accepted(self.cases)), ("wrong", refused(self.cases))):
            if argument in metafunc.fixturenames:
                metafunc.parametrize(argument, values, ids=[option for option, _value in values])
        if "joint" in metafunc.fixturenames:
            metafunc.parametrize("joint", self.together, ids=[said or "right" for _values, said in self.together])

    def test_what_is_right_passes(self, right: tuple[str, Any]) -> None:
        option, value = right
        # Whether it is right with others, joint cases say.
        assert [one for one in self.problems({option: value}) if one.startswith(f"{option}: ")] == []

    def test_what_is_wrong_is_refused(self, wrong: tuple[str, Any]) -> None:
        option, value = wrong
        found = says(self.problems({option: value}), option)
        assert found
        assert all(" must " in problem for problem in found)
        # In the tables it stands for what may be a secret.
        assert "canary" not in " ".join(found)

    def test_options_that_must_fit_together(self, joint: tuple[dict[str, Any], str | None]) -> None:
        values, said = joint
        found = self.problems(values)
        assert [said in problem for problem in found] == [True] if said else found == []

    def test_every_rule_has_a_value_that_breaks_it(self) -> None:
        assert unproved(self.rules, self.cases) == []
        assert unproved_joint(self.joint_rules, self.together) == []
