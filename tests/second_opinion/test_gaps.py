# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The table of gaps explains what it says and nothing else, and each entry says where moto lacks it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from ansible_collections.sm2a.airflow.tests.second_opinion import gaps
from ansible_collections.sm2a.airflow.tests.second_opinion.gaps import MOTO, Gap
from ansible_collections.sm2a.airflow.tests.second_opinion.option_sets import SETS
from ansible_collections.sm2a.testing.plugins.plugin_utils.changes import Change

QUEUES = Gap(r"^run again: .*Queues > .*: redrive", "keeps no RedriveAllowPolicy", f"{MOTO}sqs/models.py#L1")
CHANGED = Change(
    "cp", "Queues", resource="queue q", before={"redrive": "a", "delay": 0}, after={"redrive": "b", "delay": 0}
)


def test_each_attribute_that_a_repetition_changes_is_told() -> None:
    assert gaps.of_repetition([CHANGED]) == ['cp > Queues > queue q: redrive: "a" became "b"']


def test_a_change_that_shows_no_attribute_is_told() -> None:
    assert gaps.of_repetition([Change("cp", "Queues")]) == ["cp > Queues: changed"]


def test_a_gap_explains_its_line_only() -> None:
    lines = [
        'run again: cp > Queues > queue q: redrive: "a" became "b"',
        'check again: cp > Queues > queue q: redrive: "a" became "b"',
        "run again: cp > Queues > queue q: delay: 0 became 1",
    ]
    assert gaps.unexplained(lines, [QUEUES]) == lines[1:]


def test_a_gap_without_a_line_is_closed() -> None:
    assert gaps.closed("defaults", ["run again: cp > Queues > queue q: redrive: 1 became 2"], [QUEUES]) == []
    assert gaps.closed("defaults", [], [QUEUES]) == [QUEUES]


def test_a_gap_of_other_options_is_not_looked_for() -> None:
    of_others = replace(QUEUES, options="others")
    assert gaps.closed("defaults", [], [of_others]) == []
    assert gaps.closed("others", [], [of_others]) == [of_others]


@pytest.mark.parametrize("gap", [pytest.param(gap, id=gap.lacks) for gap in gaps.GAPS])
def test_a_gap_says_where_it_is(gap: Gap) -> None:
    assert re.fullmatch(r"https://github\.com/getmoto/moto/(blob/5\.2\.5/\S+#L\d+(-L\d+)?|issues/\d+)", gap.source)
    assert len(gap.lacks) > 10
    assert gap.options in ("", *SETS)
