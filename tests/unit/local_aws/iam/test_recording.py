# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Rights that were asked for are read back as what they were, and can be put to other policies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.sm2a.airflow.tests.support.ports import free_port
from ansible_collections.sm2a.airflow.tests.unit.local_aws.conftest import CLUSTER, LocalAws
from sm2a_local_aws.iam import recording
from sm2a_local_aws.iam.policy import documents as policies
from sm2a_local_aws.iam.policy.evaluation import Decision, Policies, Request, Verdict, evaluate
from sm2a_local_aws.iam.policy.principals import Principal

CALLER = "arn:aws:sts::111122223333:assumed-role/deployer/ci"


def test_rights_are_read_back(tmp_path: Path) -> None:
    file = tmp_path / "rights.jsonl"
    asked = Request.of("ec2:CreateTags", "arn:aws:ec2:eu-west-1:1:vpc/*", {"aws:TagKeys": ["a", "b"], "a:b": "c"})
    recording.write(file, CALLER, asked, Decision(Verdict.IMPLICIT_DENY, "because"))
    recording.write(file, "administrator", asked, None)
    (first, request, line), (second, again, _line) = recording.read(file)
    assert (first, second) == (CALLER, "administrator")
    assert request == again == asked
    assert (line["decision"], line["reason"]) == ("implicitDeny", "because")


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """What a local AWS wrote while its administrator made a cluster."""
    file = tmp_path / "rights.jsonl"
    flags = ["--control-plane-only", "--record-rights", str(file)]
    aws = LocalAws("test-recording", free_port(), tmp_path / "state", flags)
    started = aws.command("start")
    assert started.returncode == 0, started.stderr
    try:
        aws.client("ecs").create_cluster(clusterName=CLUSTER, tags=[{"key": "a", "value": "b"}])
    finally:
        aws.command("stop")
    return file


def test_a_run_of_the_administrator_shows_what_a_role_would_need(recorded: Path) -> None:
    rights = list(recording.read(recorded))
    assert {caller for caller, _request, _line in rights} == {"administrator"}
    statement = {"Effect": "Allow", "Action": "ecs:CreateCluster", "Resource": f"*:cluster/{CLUSTER}"}
    narrow = policies.parse(json.dumps({"Version": "2012-10-17", "Statement": statement}))
    decided = {
        request.action: evaluate(Principal(CALLER, "111122223333"), request, Policies([narrow])).allowed
        for _caller, request, _line in rights
    }
    assert decided == {"ecs:CreateCluster": True, "ecs:TagResource": False, "iam:CreateServiceLinkedRole": False}
