# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What projects often want fits beside Airflow, on both processors; `make project-sets` really installs it."""

from __future__ import annotations

import pytest
from ansible_collections.sm2a.airflow.tests.projects.resolution import PLATFORMS, at_once, building_for, problem_of
from ansible_collections.sm2a.airflow.tests.projects.sets import ProjectSet, requirement_sets


@pytest.mark.parametrize("architecture", PLATFORMS)
def test_sets_of_python_packages_fit_beside_airflow(architecture: str) -> None:
    sets = requirement_sets()
    with building_for(architecture):
        problems = at_once(problem_of, sets)
    assert {one.name: problem for one, problem in zip(sets, problems, strict=True) if problem} == {}


def test_a_set_that_cannot_fit_is_told() -> None:
    with building_for("amd64"):
        assert "No solution found" in problem_of(ProjectSet("old", ("click<8",), (), ""))
