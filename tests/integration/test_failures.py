# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A deployment that goes wrong is red, says why, and leaves running what ran; the next good run converges."""

from __future__ import annotations

import time
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.integration.availability import Availability
from ansible_collections.sm2a.airflow.tests.support.stack.airflow_api import FINISHED, AirflowApi
from ansible_collections.sm2a.airflow.tests.support.stack.fixtures import Measures, Say, Stack
from ansible_collections.sm2a.airflow.tests.support.stack.playbooks import deploy
from ansible_collections.sm2a.airflow.tests.support.stack.poll import poll
from ansible_collections.sm2a.airflow.tests.support.stack.settings import NAME

pytestmark = pytest.mark.chain("stack")

ROLLBACK_SECONDS = 90
WORKER_LOG_PORT, TRIGGERER_LOG_PORT = 8793, 8794
UNREAD = "Could not read served logs"
# One task runs for some seconds and the next is deferred for some: time enough to read their logs meanwhile.
DAG = """
import time
from datetime import timedelta

from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
from airflow.sdk import BaseOperator, dag, task

class Wait(BaseOperator):
    def execute(self, context):
        self.defer(trigger=TimeDeltaTrigger(timedelta(seconds=15)), method_name="resume")

    def resume(self, context, event):
        print("waited")

@dag(schedule=None)
def from_bucket():
    @task
    def say():
        print("from the bucket")
        time.sleep(15)
    say() >> Wait(task_id="wait")

from_bucket()
"""


def services(stack: Stack) -> dict[str, dict[str, Any]]:
    """Task definition and running count of each service."""
    ecs = stack.aws("ecs")
    arns = ecs.list_services(cluster=NAME)["serviceArns"]
    described = ecs.describe_services(cluster=NAME, services=arns)["services"]
    return {each["serviceName"]: {key: each[key] for key in ("taskDefinition", "runningCount")} for each in described}


def airflow_image(stack: Stack) -> str:
    """URI of the Airflow image that runs."""
    ecs = stack.aws("ecs")
    definition = ecs.describe_task_definition(taskDefinition=f"{NAME}-scheduler")["taskDefinition"]
    return str(definition["containerDefinitions"][0]["image"])


def live_log(airflow: AirflowApi, run: str, name: str, state: str, port: int) -> str:
    """Log of a task of the DAG in ``state``: as soon as it is served from ``port``, or the last one of that time."""
    log = ""

    def over() -> bool:
        nonlocal log
        (task,) = [each for each in airflow.tasks("from_bucket", run) if each["task_id"] == name]
        if task["state"] == state:
            log = airflow.log("from_bucket", run, task)
        return task["state"] in FINISHED or (f":{port}/log/" in log and UNREAD not in log)

    poll(over, 240, pause=1)
    return log


def test_failed_migration_leaves_every_service_as_it_was(stack: Stack, say: Say) -> None:
    before = services(stack)
    arguments = {"sql_alchemy_connect_args": "nowhere.arguments"}
    run = deploy("failed_migration", say, {"airflow_config": {"database": arguments}})
    assert run.code != 0
    # The exit code of the task, and the last line that it wrote.
    assert "exit code 1" in run.end(120)
    assert "sql_alchemy_connect_args" in run.end(120)
    assert services(stack) == before


def test_image_that_does_not_start_is_rolled_back(stack: Stack, say: Say) -> None:
    before = services(stack)["autoscaler"]
    # An image without the autoscaler's program.
    run = deploy("wrong_image", say, {"images_autoscaler_image": airflow_image(stack)})
    assert run.code != 0
    assert "No module named sm2a_autoscaler" in run.end()
    # The run ends as soon as ECS gives up; the old version starts again right after.
    assert poll(lambda: services(stack)["autoscaler"], ROLLBACK_SECONDS, lambda count: count == before) == before


@pytest.fixture(scope="session")
def rolled(stack: Stack, certificate: str, measures: Measures, say: Say) -> Availability:
    """The next good run, which gives every service a new revision: DAGs come from Amazon S3 from now on."""
    before = services(stack)
    changes = {"storage_dags_bucket": True, "airflow_dags_source": "s3", "airflow_dags_refresh_interval": 10}
    with Availability(certificate) as seen:
        run = deploy("recovered", say, changes)
    assert run.code == 0, run.end()
    after = services(stack)
    assert [name for name in before if before[name]["taskDefinition"] == after[name]["taskDefinition"]] == []
    assert {name: each["runningCount"] for name, each in after.items() if each["runningCount"] < 1} == {}
    say(f"rolled in {run.seconds:.0f} s; {seen.requests} requests, of which failed: {seen.failures}")
    measures.record(roll_seconds=run.seconds, roll_requests=seen.requests, roll_requests_failed=len(seen.failures))
    return seen


def test_next_good_run_rolls_every_service_without_downtime(rolled: Availability) -> None:
    assert rolled.requests > 20
    assert rolled.failures == []


def test_dags_arrive_from_s3_without_a_deployment(
    stack: Stack, rolled: Availability, airflow: AirflowApi, measures: Measures, say: Say
) -> None:
    s3 = stack.aws("s3")
    buckets = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    (bucket,) = [name for name in buckets if name.startswith(f"{NAME}-dags-")]
    started = time.monotonic()
    s3.put_object(Bucket=bucket, Key="dags/from_bucket.py", Body=DAG.encode())
    airflow.wait_for_dag("from_bucket")
    seconds = round(time.monotonic() - started, 1)
    measures.record(dag_from_s3_seconds=seconds)
    say(f"a DAG in the bucket was there after {seconds} s")
    run = airflow.trigger("from_bucket")
    # S3 has a log only when its part of the task is over; until then it comes from where that runs, or says why not.
    running = live_log(airflow, run, "say", "running", WORKER_LOG_PORT)
    assert f":{WORKER_LOG_PORT}/log/" in running and UNREAD not in running, running
    deferred = live_log(airflow, run, "wait", "deferred", TRIGGERER_LOG_PORT)
    assert f":{TRIGGERER_LOG_PORT}/log/" in deferred and UNREAD not in deferred, deferred
    assert airflow.wait_for_run("from_bucket", run, 240) == "success"
