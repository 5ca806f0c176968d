# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Environments without containers: what an account holds, not what tasks do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs


@pytest.fixture(scope="module")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[runs.ControlPlane]:
    """An empty account for the tests of one file: ``play("site")`` runs a playbook, ``client("ecs")`` looks at it."""
    with runs.control_plane(tmp_path_factory.mktemp("control_plane")) as aws:
        yield aws


@dataclass(frozen=True)
class Deployed:
    """An environment with the default options, as one run of site.yml left it."""

    aws: runs.ControlPlane
    site: runs.PlaybookRun


@pytest.fixture(scope="module")
def deployed(control_plane: runs.ControlPlane) -> Deployed:
    """The default deployment (secure defaults, images by digest), in the account of ``control_plane``."""
    site = control_plane.play("site")
    assert site.code == 0, site.end()
    return Deployed(control_plane, site)
