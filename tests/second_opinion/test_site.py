# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Whole environments on an emulator that nobody patched for them: made, repeated, removed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.sm2a.airflow.tests.second_opinion import gaps, resources
from ansible_collections.sm2a.airflow.tests.second_opinion.account import JUDGED, account, end_tasks
from ansible_collections.sm2a.airflow.tests.second_opinion.judged_calls import Judged, read
from ansible_collections.sm2a.airflow.tests.second_opinion.option_sets import CHOSEN, SETS, Prepare
from ansible_collections.sm2a.airflow.tests.support.control_plane import DESTROY, NAME
from ansible_collections.sm2a.airflow.tests.support.predictions import Comparison, changes, compare, play
from ansible_collections.sm2a.airflow.tests.support.role_files import role_names

RUNGS = ("run as predicted", "check again", "run again", "removal as predicted", "removal again")
# Images are given here, the local AWS is another one, and the preflight makes nothing.
ROLES = set(role_names()) - {"images", "local_aws", "preflight", "smoke_dag"}


@dataclass(frozen=True)
class Life:
    """Of one environment: each rung's differences, a line each, what the account holds of it and in the end; calls."""

    differences: dict[str, list[str]]
    made: Comparison
    held: dict[str, list[str]]
    left: dict[str, list[str]]
    calls: Judged

    def lines(self) -> list[str]:
        """The differences of all rungs."""
        return [line for lines in self.differences.values() for line in lines]


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Life]:
    """One beside the other: what drives them are processes of their own."""
    directories = [tmp_path_factory.mktemp(name) for name in CHOSEN]
    with ThreadPoolExecutor() as pool:
        lived = pool.map(life_of, [SETS[name] for name in CHOSEN], directories)
        return dict(zip(CHOSEN, lived, strict=True))


def life_of(prepare: Prepare, directory: Path) -> Life:
    """Make, repeat and remove an environment in an account of its own."""
    with account(directory) as aws:
        extra = prepare(aws, directory)
        name = str(extra.get("sm2a_name", NAME))
        made = compare(aws, "site", extra)
        checked, again = play(aws, "site", extra, "--check"), play(aws, "site", extra)
        held = resources.of_environment(aws, name)
        end_tasks(aws, name)
        removed = compare(aws, "teardown", {**extra, **DESTROY})
        gone = play(aws, "teardown", {**extra, **DESTROY})
        left = resources.of_environment(aws, name)
    repeated = [gaps.of_repetition(changes(run)) for run in (checked, again, gone)]
    rungs = [made.differences(), *repeated[:2], removed.differences(), repeated[2]]
    differences = {rung: [f"{rung}: {line}" for line in lines] for rung, lines in zip(RUNGS, rungs, strict=True)}
    return Life(differences, made, held, left, read(directory / JUDGED))


@pytest.mark.parametrize("rung", RUNGS)
@pytest.mark.parametrize("options", CHOSEN)
def test_only_what_moto_lacks_differs(lives: dict[str, Life], options: str, rung: str) -> None:
    told = gaps.unexplained(lives[options].differences[rung], gaps.GAPS)
    assert not told, "\n".join(told)


@pytest.mark.parametrize("options", CHOSEN)
def test_every_role_makes_something(lives: dict[str, Life], options: str) -> None:
    roles = {change.task.split(" : ")[0].rsplit(".", maxsplit=1)[-1] for change in lives[options].made.done}
    assert roles >= ROLES


@pytest.mark.parametrize("options", CHOSEN)
def test_nothing_is_left(lives: dict[str, Life], options: str) -> None:
    life = lives[options]
    assert [kind for kind, names in life.held.items() if not names] == []
    assert {kind: names for kind, names in life.left.items() if names} == {}


@pytest.mark.parametrize("options", CHOSEN)
def test_aws_refuses_none_of_the_calls(lives: dict[str, Life], options: str) -> None:
    calls = lives[options].calls
    assert not calls.refused, "\n".join(calls.refused)
    assert len(calls.counts) > 100


@pytest.mark.parametrize("options", CHOSEN)
def test_every_gap_still_shows(lives: dict[str, Life], options: str) -> None:
    assert [gap.lacks for gap in gaps.closed(options, lives[options].lines(), gaps.GAPS)] == []
