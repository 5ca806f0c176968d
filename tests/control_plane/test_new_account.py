# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A new account, with AWS's default quotas and no service-linked roles, takes an environment at the first run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs
from sm2a_local_aws.quotas import catalogue

# Seconds until a service can assume the role that it made for itself.
PROPAGATION = 4.0
ROLES = {"AWSServiceRoleForECS", "AWSServiceRoleForElasticLoadBalancing", "AWSServiceRoleForRDS"}


@pytest.fixture(scope="module")
def quotas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of the account, with AWS's default values."""
    file = tmp_path_factory.mktemp("quotas") / "account.json"
    file.write_text(json.dumps({"quotas": {quota.code: quota.value for quota in catalogue.QUOTAS}}))
    return file


@pytest.fixture(scope="module")
def control_plane(tmp_path_factory: pytest.TempPathFactory, quotas: Path) -> Iterator[runs.ControlPlane]:
    directory = tmp_path_factory.mktemp("new_account")
    times = directory / "times.json"
    times.write_text(json.dumps({"service_linked_role": PROPAGATION}))
    with runs.control_plane(directory, "--account", str(quotas), "--waiting-times", str(times)) as aws:
        yield aws


def test_the_first_run_deploys_and_the_second_changes_nothing(control_plane: runs.ControlPlane) -> None:
    iam = control_plane.client("iam")
    assert iam.list_roles()["Roles"] == []
    first = control_plane.play("site")
    assert first.code == 0, first.end()
    paths = [role["Path"] for role in iam.list_roles()["Roles"]]
    linked = {role["RoleName"] for role in iam.list_roles()["Roles"] if role["Path"].startswith("/aws-service-role/")}
    assert linked == ROLES
    assert len(paths) > len(linked)
    second = control_plane.play("site")
    assert second.code == 0, second.end()
    assert second.changed == []


def test_a_used_up_quota_is_named_with_the_next_step(control_plane: runs.ControlPlane, quotas: Path) -> None:
    held = json.loads(quotas.read_text())
    used = len(control_plane.client("ec2").describe_vpcs()["Vpcs"])
    quotas.write_text(json.dumps({"quotas": {**held["quotas"], "L-F678F1CE": used}}))
    try:
        # The preflight would have said so.
        refused = control_plane.play(
            "site", extra={"sm2a_name": "second", "preflight_ignore": ["vpcs", "fargate_on_demand_vcpu"]}
        )
    finally:
        quotas.write_text(json.dumps(held))
    assert refused.code != 0
    assert "The maximum number of VPCs has been reached" in refused.message
    assert "request an increase under Service Quotas" in refused.message
