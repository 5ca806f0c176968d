# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What a person or the account can have wrong: the job fails with a line that says so, and holds no lock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.awx_jobs.controller import JobRun
from ansible_collections.sm2a.airflow.tests.awx_jobs.desk import IMAGES, Desk, document, holder
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs
from ansible_collections.sm2a.airflow.tests.support.fault_proxy.proxy import fault_proxy
from ansible_collections.sm2a.airflow.tests.support.fault_proxy.rules import Rule

pytestmark = pytest.mark.engine

# Services that a deployment reads.
READ = (
    *("acm", "cloudwatch", "ec2", "ecr", "ecs", "elasticloadbalancing", "iam", "kms", "logs", "rds", "route53", "s3"),
    *("secretsmanager", "servicediscovery", "servicequotas", "sns", "sqs", "wafv2"),
)


def refused(run: JobRun, aws: runs.ControlPlane) -> str:
    """The one message of a job that failed before it changed anything."""
    assert run.status == "failed", run.end()
    assert run.changed == []
    assert holder(aws) is None
    [said] = run.failures
    assert "Traceback" not in run.output
    return said


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"airflow_wait_timeout": "soon"}, ("airflow_wait_timeout", "soon")),
        ({"database_apply_immediately": "perhaps"}, ("database_apply_immediately", "perhaps")),
        ({"images_airflow_image": "registry.example.com/airflow:latest"}, ("images_airflow_image", "digest")),
        ({"airflow_wait_timeuot": "60"}, ("airflow_wait_timeuot", "airflow_wait_timeout")),
        # Unsafe text is never a template, so that no answer reads a secret.
        ({"secrets_admin_email": "{{ lookup('env', 'HOME') }}@example.com"}, ("secrets_admin_email", "lookup")),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_wrong_answers(
    desk: Desk, empty_account: runs.ControlPlane, answers: Mapping[str, Any], said: tuple[str]
) -> None:
    message = refused(desk.launch("SM2A: deploy", {**IMAGES, **answers}), desk.aws)
    assert [word for word in said if word not in message] == []


def test_several_wrong_answers_are_in_one_list(desk: Desk, empty_account: runs.ControlPlane) -> None:
    wrong = {"airflow_wait_timeout": "soon", "airflow_migrate_timeout": "-1", "database_apply_immediately": "perhaps"}
    message = refused(desk.launch("SM2A: deploy", {**IMAGES, **wrong}), desk.aws)
    assert [name for name in wrong if name not in message] == []


def test_a_host_that_is_not_in_the_inventory(desk: Desk, empty_account: runs.ControlPlane) -> None:
    """As when nobody entered the name of the environment."""
    template = desk.definitions.template("SM2A: deploy")
    run = desk.launch("SM2A: deploy", IMAGES, limit=template["limit"])
    assert run.status == "failed"
    assert run.tasks == []
    assert "leaves us with no hosts to target" in " ".join(run.output.split())


def test_images_that_are_not_given_and_cannot_be_built(desk: Desk, empty_account: runs.ControlPlane) -> None:
    message = refused(desk.launch("SM2A: deploy"), desk.aws)
    [line] = [line for line in message.splitlines() if line.startswith("- ")]
    assert "container_engine" in line
    assert "images_airflow_image" in line
    assert "playbooks/build_images.yml" in line
    assert desk.aws.client("ecr").describe_repositories()["repositories"] == []


@pytest.mark.parametrize("role", ["of-others", "of-nobody"])
def test_a_role_that_does_not_trust_the_user(desk: Desk, empty_account: runs.ControlPlane, role: str) -> None:
    others = document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs.amazonaws.com"}})
    desk.aws.client("iam").create_role(RoleName="of-others", AssumeRolePolicyDocument=others)
    other = desk.credential(role_arn=f"arn:aws:iam::000000000000:role/{role}")
    message = refused(desk.launch("SM2A: deploy", IMAGES, credential=other), desk.aws)
    assert "sts:AssumeRole" in message
    assert role in message


def test_a_role_that_may_only_look(desk: Desk, empty_account: runs.ControlPlane) -> None:
    """The preflight finds nothing in the way; the first change is refused."""
    iam = desk.aws.client("iam")
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=desk.trust)
    actions = [f"{service}:{verb}*" for service in READ for verb in ("Describe", "Get", "List")]
    may = document({"Effect": "Allow", "Action": actions, "Resource": "*"})
    iam.put_role_policy(RoleName="reader", PolicyName="look", PolicyDocument=may)
    reader = desk.credential(role_arn="arn:aws:iam::000000000000:role/reader")
    message = refused(desk.launch("SM2A: deploy", IMAGES, credential=reader), desk.aws)
    assert "The credentials lack s3:CreateBucket" in message


def test_a_session_that_ends_in_the_middle(desk: Desk, empty_account: runs.ControlPlane) -> None:
    """The SDK renews a session of the credential type. This one was revoked: nothing of it works, unlocking neither."""
    with fault_proxy(desk.aws.endpoint) as proxy:

        def when(event: Mapping[str, Any], _cancel: Any) -> None:
            if event["event"] == "playbook_on_task_start" and "Create the queues" in event["event_data"]["task"]:
                proxy.book.set([Rule("expired")])

        run = desk.launch("SM2A: deploy", IMAGES, credential=desk.credential(proxy.endpoint), when=when)
        assert run.status == "failed"
        assert "expired" in run.failures[0]
        assert "PLAY RECAP" in run.output
        proxy.book.set([])
    if holder(desk.aws):
        unlocked = desk.launch("SM2A: unlock")
        assert unlocked.status == "successful", unlocked.end()
    again = desk.launch("SM2A: deploy", IMAGES)
    assert again.status == "successful", again.end()
    assert holder(desk.aws) is None
