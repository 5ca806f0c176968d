# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The end of the stack: teardown removes what the roles made, and the local AWS leaves nothing on the machine."""

from __future__ import annotations

import pytest
from ansible_collections.sm2a.airflow.tests.integration.conftest import CompanyDatabase
from ansible_collections.sm2a.airflow.tests.support.stack import engine
from ansible_collections.sm2a.airflow.tests.support.stack.fixtures import Measures, Say, Stack
from ansible_collections.sm2a.airflow.tests.support.stack.playbooks import play
from ansible_collections.sm2a.airflow.tests.support.stack.settings import (
    HTTP_PORT,
    HTTPS_PORT,
    LOCAL_AWS_STATE,
    NAME,
    PORT,
)

pytestmark = pytest.mark.chain("stack")


def test_teardown_removes_every_resource_and_leaves_what_is_not_its_own(
    stack: Stack, company: CompanyDatabase, measures: Measures, say: Say
) -> None:
    before = company.contents()
    teardown = play("teardown", ["playbooks/teardown.yml"], say, timeout=600)
    measures.record(teardown_seconds=teardown.seconds)
    assert teardown.code == 0, teardown.end()
    assert [cluster for cluster in stack.aws("ecs").list_clusters()["clusterArns"] if NAME in cluster] == []
    assert stack.aws("rds").describe_db_instances()["DBInstances"] == []
    assert stack.aws("elbv2").describe_load_balancers()["LoadBalancers"] == []
    assert stack.aws("sqs").list_queues(QueueNamePrefix=NAME).get("QueueUrls", []) == []
    assert [bucket for bucket in stack.aws("s3").list_buckets()["Buckets"] if bucket["Name"].startswith(NAME)] == []
    vpcs = stack.aws("ec2").describe_vpcs(Filters=[{"Name": "tag:sm2a:environment", "Values": [NAME]}])["Vpcs"]
    assert vpcs == []
    # Databases and users stay on the company's own server, and the secret of its master user.
    assert company.contents() == before
    secret = stack.aws("secretsmanager").describe_secret(SecretId=company.option["master_secret_arn"])
    assert "DeletedDate" not in secret


def test_second_teardown_changes_nothing(stack: Stack, say: Say) -> None:
    again = play("second_teardown", ["playbooks/teardown.yml"], say, timeout=300)
    assert again.code == 0, again.end()
    assert again.changed == 0, again.changed_tasks


def test_removing_the_local_aws_leaves_nothing(stack: Stack, say: Say) -> None:
    down = play("down", ["playbooks/local_aws.yml"], say, extra={"local_aws_state": "absent"}, timeout=300)
    assert down.code == 0, down.end()
    assert engine.leftovers(NAME) == {}
    assert engine.processes(LOCAL_AWS_STATE) == []
    assert [port for port in (PORT, HTTPS_PORT, HTTP_PORT) if engine.answers(port)] == []
    assert not LOCAL_AWS_STATE.exists() or list(LOCAL_AWS_STATE.iterdir()) == []
