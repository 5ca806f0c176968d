# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The deployment that is audited: one for all files, in the order access policies, then the audit and its twins."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs
from ansible_collections.sm2a.airflow.tools.audit.environment import Environment

LIFECYCLE = {
    "rulePriority": 1,
    "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 9},
    "action": {"type": "expire"},
}


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """The default deployment, with a repository as the role images makes it (its images are given by digest)."""
    with runs.control_plane(tmp_path_factory.mktemp("audit")) as aws:
        site = aws.play("site")
        assert site.code == 0, site.end()
        ecr = aws.client("ecr")
        name = f"{runs.NAME}/airflow"
        scan = {"scanOnPush": True}
        ecr.create_repository(repositoryName=name, imageTagMutability="IMMUTABLE", imageScanningConfiguration=scan)
        ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=json.dumps({"rules": [LIFECYCLE]}))
        yield Environment(runs.NAME, aws.client)
