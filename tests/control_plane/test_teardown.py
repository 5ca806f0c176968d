# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""teardown.yml looks at everything that stands in its way before it touches anything, and says what will be lost."""

from __future__ import annotations

import json
import subprocess
import time
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.control_plane.conftest import Deployed
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs

PEM = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU\n-----END CERTIFICATE-----"
MANIFEST = json.dumps({"schemaVersion": 2, "config": {}, "layers": []})
SAY, STOP = "Say what will be lost and what is kept", "Stop before anything is removed"
# Keeps what can be kept; runs.DESTROY keeps nothing.
CAREFUL: dict[str, Any] = {
    "database_deletion_protection": False,
    "database_final_snapshot_identifier": "the-end",
    "load_balancer_deletion_protection": False,
    "images_force_delete": True,
}
OBSTACLES = [
    f"The repository {runs.NAME}/airflow holds 1 image: set images_force_delete to true to lose them.",
    f"The load balancer {runs.NAME} is protected from deletion: set load_balancer_deletion_protection to false.",
    f"The database {runs.NAME} is protected from deletion: set database_deletion_protection to false.",
]


def said(run: runs.PlaybookRun) -> list[str]:
    """What the run says of what will be lost and what is kept."""
    [message] = [result["msg"] for result in run.results if result["task"] == SAY]
    return [str(line) for line in message]


def account(aws: runs.ControlPlane) -> dict[str, Any]:
    """What a run that stops halfway would have removed, and what it would have stopped at."""
    ecs = aws.client("ecs")
    return {
        "services": sorted(ecs.list_services(cluster=runs.NAME, maxResults=100)["serviceArns"]),
        "clusters": ecs.list_clusters()["clusterArns"],
        "roles": sorted(role["RoleName"] for role in aws.client("iam").list_roles()["Roles"]),
        "logs": sorted(group["logGroupName"] for group in aws.client("logs").describe_log_groups()["logGroups"]),
        "alarms": len(aws.client("cloudwatch").describe_alarms()["MetricAlarms"]),
        "repositories": len(aws.client("ecr").describe_repositories()["repositories"]),
        "load balancers": len(aws.client("elbv2").describe_load_balancers()["LoadBalancers"]),
        "databases": len(aws.client("rds").describe_db_instances()["DBInstances"]),
        "queues": sorted(aws.client("sqs").list_queues()["QueueUrls"]),
    }


@pytest.fixture(scope="module")
def full(deployed: Deployed) -> Deployed:
    """The default environment with a message, an object and an image, from when its images were built by the role."""
    aws = deployed.aws
    aws.client("ecr").create_repository(repositoryName=f"{runs.NAME}/airflow")
    aws.client("ecr").put_image(repositoryName=f"{runs.NAME}/airflow", imageManifest=MANIFEST, imageTag="one")
    queue = aws.client("sqs").get_queue_url(QueueName=f"{runs.NAME}-default")["QueueUrl"]
    aws.client("sqs").send_message(QueueUrl=queue, MessageBody="task")
    identity = aws.client("sts").get_caller_identity()
    aws.client("s3").put_object(Bucket=f"{runs.NAME}-logs-{identity['Account']}", Key="airflow/log", Body=b"done")
    return deployed


@pytest.mark.parametrize("options", [["--check"], []])
def test_every_protection_is_named_at_once_and_nothing_is_touched(full: Deployed, options: list[str]) -> None:
    before = account(full.aws)
    assert all(before.values())
    refused = full.aws.play("teardown", *options)
    assert refused.code == 2, refused.end()
    assert refused.tasks("failed") == [STOP]
    assert refused.message.splitlines() == [
        "Nothing was removed. In the way:",
        *(f"- {obstacle}" for obstacle in OBSTACLES),
    ]
    assert account(full.aws) == before
    assert refused.summary[1].endswith(": none")
    assert refused.summary[-1] == "Not complete: a task failed, see above. The same playbook goes on from here"
    # The lock is free for the next run.
    assert "run lock of" not in refused.output


def test_what_will_be_lost_and_what_is_kept_is_said_before(full: Deployed) -> None:
    lines = said(full.aws.play("teardown", "--check", extra=CAREFUL))
    bucket = f"{runs.NAME}-logs-{full.aws.client('sts').get_caller_identity()['Account']}"
    for line in (
        f"Lost: 1 image in the repository {runs.NAME}/airflow.",
        f"Lost: 1 message in the queue {runs.NAME}-default.",
        f"Lost: The automated backups of the database {runs.NAME}, of the last 7 days.",
        f"Kept: The KMS key alias/{runs.NAME}, as secrets_destroy_kms_key is false.",
        f"Kept: The bucket {bucket} with 1 object, as storage_force_destroy is false.",
    ):
        assert line in lines
    [database] = [line for line in lines if "final snapshot" in line]
    assert database.startswith(f"Kept: The data of the database {runs.NAME} (postgres 17")
    assert database.endswith(" GiB), in the final snapshot the-end.")
    [logs] = [line for line in lines if f" under /sm2a/{runs.NAME}/," in line]
    assert logs.startswith("Lost: The logs in CloudWatch")
    secrets = [line for line in lines if "secrets (" in line]
    assert len(secrets) == 2
    assert all(line.endswith("after 7 days in which they can be restored.") for line in secrets)
    destroyed = said(full.aws.play("teardown", "--check", extra=runs.DESTROY))
    assert [line for line in destroyed if line.startswith("Kept")] == []
    assert any(line.endswith(" GiB), without a final snapshot.") for line in destroyed)
    assert f"Lost: The bucket {bucket} with 1 object." in destroyed


def test_another_environment_than_the_one_that_was_named_is_not_touched(full: Deployed) -> None:
    before = account(full.aws)
    refused = full.aws.play("teardown", extra={**runs.DESTROY, "sm2a_destroy": "production"})
    assert refused.code == 2, refused.end()
    assert refused.message.startswith(
        f"Nothing was removed: sm2a_destroy is production, and this environment is {runs.NAME}."
    )
    assert account(full.aws) == before
    named = full.aws.play("teardown", "--check", extra={**CAREFUL, "sm2a_destroy": runs.NAME})
    assert named.code == 0, named.end()


def test_a_removal_that_was_killed_is_looked_at_as_well(full: Deployed) -> None:
    ecs = full.aws.client("ecs")

    def kill_without_a_cluster(process: subprocess.Popen[bytes]) -> None:
        while process.poll() is None:
            if not ecs.list_clusters()["clusterArns"]:
                runs.kill(process)
            time.sleep(0.05)

    killed = full.aws.play("teardown", extra=CAREFUL, watch=kill_without_a_cluster)
    assert killed.code == -9, killed.end()
    refused = full.aws.play("teardown")
    assert refused.code == 2, refused.end()
    assert refused.tasks("failed") == [STOP]
    assert refused.changed == []
    # The run may have come as far as the images.
    assert refused.message.splitlines()[-2:] == [f"- {obstacle}" for obstacle in OBSTACLES[1:]]


def test_what_can_be_kept_is_kept_and_a_second_run_changes_nothing(full: Deployed) -> None:
    removal = full.aws.play("teardown", extra=CAREFUL)
    assert removal.code == 0, removal.end()
    [snapshot] = full.aws.client("rds").describe_db_snapshots()["DBSnapshots"]
    assert snapshot["DBSnapshotIdentifier"] == "the-end"
    assert full.aws.client("ecr").describe_repositories()["repositories"] == []
    again = full.aws.play("teardown", extra=CAREFUL)
    assert (again.code, again.changed) == (0, []), again.end()
    assert {line.split(":")[0] for line in said(again)} == {"Kept"}
    # On default settings as well: there is nothing left to protect.
    assert full.aws.play("teardown").code == 0


def test_nothing_is_said_of_an_account_without_the_environment(full: Deployed) -> None:
    full.aws.reset()
    for options in (["--check"], []):
        empty = full.aws.play("teardown", *options)
        assert (empty.code, empty.changed) == (0, []), empty.end()
        assert said(empty) == ["No data is there to be lost."]


def test_a_database_of_somebody_else_stays(full: Deployed) -> None:
    aws = full.aws
    aws.reset()
    master = aws.client("secretsmanager").create_secret(Name="company/master", SecretString='{"username": "root"}')
    rds = aws.client("rds")
    # Even with the name that an instance of the environment would have.
    size = {"DBInstanceClass": "db.t4g.medium", "Engine": "postgres", "AllocatedStorage": 20}
    user = {"MasterUsername": "root", "ManageMasterUserPassword": True}
    rds.create_db_instance(DBInstanceIdentifier=runs.NAME, **size, **user)
    address = {"address": "db.example.com", "port": 5432, "ca_certificates": PEM}
    existing = {"database_existing": {**address, "master_secret_arn": master["ARN"]}}
    site = aws.play("site", extra=existing)
    assert site.code == 0, site.end()
    again = aws.play("site", extra=existing)
    assert (again.code, again.changed) == (0, []), again.end()
    own = f"{runs.NAME}/database/airflow"
    assert aws.client("secretsmanager").describe_secret(SecretId=own)["Name"] == own
    removal = aws.play("teardown", extra={**runs.DESTROY, **existing})
    assert removal.code == 0, removal.end()
    assert "Kept: Airflow's databases and users in db.example.com, and the secret of the master user." in said(removal)
    [instance] = rds.describe_db_instances()["DBInstances"]
    assert instance["DBInstanceStatus"] == "available"
    found = {one["Name"] for one in aws.client("secretsmanager").list_secrets()["SecretList"]}
    assert "company/master" in found
    assert own not in found
