# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The ladder itself must fail on a module that lies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support import modules as support


class Pretender:
    """A module in memory with one lie: honest, acts_in_check, always_changed, keeps, no_diff."""

    def __init__(self, lie: str = "honest") -> None:
        self.lie = lie
        self.exists = False

    def __call__(self, name: str, args: Mapping[str, Any], check: bool = False, diff: bool = True) -> support.Result:
        wanted = args["state"] == "present"
        changed = wanted != self.exists
        if changed and (not check or self.lie == "acts_in_check") and (wanted or self.lie != "keeps"):
            self.exists = wanted
        if self.lie == "always_changed":
            changed = True
        result: support.Result = {"changed": changed}
        if changed and self.lie != "no_diff":
            result["diff"] = {"before": {}, "after": {"name": name}}
        return result


def climb(module: Pretender) -> support.Ladder:
    """The ladder over ``module``."""
    present, absent = {"state": "present"}, {"state": "absent"}
    return support.climb(module, "pretender", present, absent, lambda: module.exists)


def test_an_honest_module_climbs_the_ladder() -> None:
    assert climb(Pretender()).applied["changed"]


@pytest.mark.parametrize("lie", ["acts_in_check", "always_changed", "keeps", "no_diff"])
def test_every_lie_is_caught(lie: str) -> None:
    with pytest.raises(AssertionError):
        climb(Pretender(lie))


def test_an_honest_module_changes_once() -> None:
    module = Pretender()
    changed = support.change_once(module, "pretender", {"state": "present"}, lambda: module.exists)
    assert changed["changed"]
    assert module.exists


@pytest.mark.parametrize("lie", ["acts_in_check", "always_changed", "no_diff"])
def test_every_lie_about_a_change_is_caught(lie: str) -> None:
    module = Pretender(lie)
    with pytest.raises(AssertionError):
        support.change_once(module, "pretender", {"state": "present"}, lambda: module.exists)
