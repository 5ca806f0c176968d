# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Each component does its work with the credentials of its task role, which the local AWS enforces, and no more."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from ansible_collections.sm2a.airflow.plugins.plugin_utils.secret_readers import CONFIGURATION
from ansible_collections.sm2a.airflow.tests.control_plane.conftest import Deployed
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs
from botocore.exceptions import ClientError

Client = Callable[[str], Any]
NAME = runs.NAME
LOG = "airflow/dag_id=smoke/run_id=1/task_id=hello/attempt=1.log"


@pytest.fixture(scope="module")
def component(deployed: Deployed) -> Callable[[str], Client]:
    """From a component to a function from a service to a client with the component's role."""

    def session(name: str) -> Client:
        role = f"arn:aws:iam::000000000000:role/{NAME}-{name.replace('_', '-')}"
        keys = deployed.aws.client("sts").assume_role(RoleArn=role, RoleSessionName="task")["Credentials"]
        return lambda service: boto3.client(
            service,
            region_name=runs.REGION,
            endpoint_url=deployed.aws.endpoint,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )

    return session


@pytest.fixture(scope="module")
def logs_bucket(deployed: Deployed) -> str:
    (found,) = [
        bucket["Name"]
        for bucket in deployed.aws.client("s3").list_buckets()["Buckets"]
        if bucket["Name"].startswith(f"{NAME}-logs")
    ]
    return str(found)


@pytest.fixture(scope="module")
def queue(deployed: Deployed) -> str:
    return str(deployed.aws.client("sqs").get_queue_url(QueueName=f"{NAME}-default")["QueueUrl"])


@pytest.fixture(scope="module")
def worker_task(deployed: Deployed) -> str:
    ecs = deployed.aws.client("ecs")
    return str(ecs.list_tasks(cluster=NAME, serviceName="worker-default")["taskArns"][0])


def refused(call: Callable[..., Any], /, **parameters: Any) -> bool:
    """Whether IAM does not let it."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return "is not authorized to perform" in str(caught.value)


@pytest.mark.parametrize("name", sorted(CONFIGURATION))
def test_a_component_reads_its_configuration_and_no_other(
    deployed: Deployed, component: Callable[[str], Client], name: str
) -> None:
    names = [
        one["Name"]
        for page in deployed.aws.client("secretsmanager").get_paginator("list_secrets").paginate()
        for one in page["SecretList"]
    ]
    existing = {one.removeprefix(f"{NAME}/config/") for one in names if one.startswith(f"{NAME}/config/")}
    own, others = existing & set(CONFIGURATION[name]), existing - set(CONFIGURATION[name])
    reader = component(name)("secretsmanager")
    assert own
    for secret in own:
        assert reader.get_secret_value(SecretId=f"{NAME}/config/{secret}")["SecretString"]
    for secret in others:
        assert refused(reader.get_secret_value, SecretId=f"{NAME}/config/{secret}")


def test_a_message_goes_from_the_scheduler_to_a_worker(component: Callable[[str], Client], queue: str) -> None:
    scheduler, worker = component("scheduler")("sqs"), component("worker")("sqs")
    scheduler.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])
    scheduler.send_message(QueueUrl=queue, MessageBody=json.dumps({"task": "hello"}))
    worker.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])
    (message,) = worker.receive_message(QueueUrl=queue)["Messages"]
    handle = message["ReceiptHandle"]
    worker.change_message_visibility(QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=60)
    assert refused(worker.send_message, QueueUrl=queue, MessageBody="{}")
    worker.delete_message(QueueUrl=queue, ReceiptHandle=handle)
    assert refused(scheduler.receive_message, QueueUrl=queue)


def test_logs_are_written_by_workers_and_read_by_the_api_server(
    component: Callable[[str], Client], logs_bucket: str
) -> None:
    worker, server = component("worker")("s3"), component("api_server")("s3")
    worker.put_object(Bucket=logs_bucket, Key=LOG, Body=b"hello", IfNoneMatch="*")
    assert refused(worker.put_object, Bucket=logs_bucket, Key=LOG, Body=b"forged")
    assert refused(worker.get_object, Bucket=logs_bucket, Key=LOG)
    found = server.list_objects_v2(Bucket=logs_bucket, Prefix=LOG.rpartition("/")[0])["Contents"]
    assert server.get_object(Bucket=logs_bucket, Key=found[0]["Key"])["Body"].read() == b"hello"
    assert refused(server.list_objects_v2, Bucket=logs_bucket)


def test_a_worker_protects_workers_and_stops_nothing(
    deployed: Deployed, component: Callable[[str], Client], worker_task: str
) -> None:
    ecs = component("worker")("ecs")
    scheduler = deployed.aws.client("ecs").list_tasks(cluster=NAME, serviceName="scheduler")["taskArns"][0]
    ecs.update_task_protection(cluster=NAME, tasks=[worker_task], protectionEnabled=False)
    assert refused(ecs.update_task_protection, cluster=NAME, tasks=[scheduler], protectionEnabled=False)
    assert refused(ecs.stop_task, cluster=NAME, task=worker_task)
    assert refused(ecs.run_task, cluster=NAME, launchType="FARGATE", taskDefinition=f"{NAME}-migrate")


def test_the_autoscaler_measures_and_sizes_workers(
    component: Callable[[str], Client], queue: str, worker_task: str
) -> None:
    client = component("autoscaler")
    ecs = client("ecs")
    client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])
    (service,) = ecs.describe_services(cluster=NAME, services=["worker-default"])["services"]
    ecs.update_service(cluster=NAME, service="worker-default", desiredCount=service["desiredCount"])
    ecs.list_tasks(cluster=NAME, serviceName="worker-default", desiredStatus="RUNNING", maxResults=100)
    ecs.describe_tasks(cluster=NAME, tasks=[worker_task])
    ecs.get_task_protection(cluster=NAME, tasks=[worker_task])
    ecs.update_task_protection(cluster=NAME, tasks=[worker_task], protectionEnabled=True, expiresInMinutes=1)
    scheduler = ecs.list_tasks(cluster=NAME, serviceName="scheduler")["taskArns"]
    assert refused(ecs.stop_task, cluster=NAME, task=scheduler[0])
    assert refused(ecs.update_service, cluster=NAME, service="scheduler", desiredCount=0)
    assert refused(ecs.update_service, cluster=NAME, service="worker-default", taskDefinition=f"{NAME}-migrate")
    ecs.update_task_protection(cluster=NAME, tasks=[worker_task], protectionEnabled=False)
    ecs.stop_task(cluster=NAME, task=worker_task)


def test_the_migration_reads_the_master_user(deployed: Deployed, component: Callable[[str], Client]) -> None:
    instance = deployed.aws.client("rds").describe_db_instances()["DBInstances"][0]
    master = instance["MasterUserSecret"]["SecretArn"]
    assert component("migrate")("secretsmanager").get_secret_value(SecretId=master)["SecretString"]
    for name in CONFIGURATION.keys() - {"migrate"}:
        assert refused(component(name)("secretsmanager").get_secret_value, SecretId=master)
