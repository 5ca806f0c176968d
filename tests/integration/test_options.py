# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Options that `make up` leaves alone, together on one roll-out.

Two schedulers and two DAG processors, one of each is killed; a database of one's own, whose certificate is verified by
an authority of one's own; a network without NAT gateways, where every service that a task calls has an endpoint.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.integration.conftest import CompanyDatabase
from ansible_collections.sm2a.airflow.tests.support.stack import engine, local_aws_api, private_network
from ansible_collections.sm2a.airflow.tests.support.stack.airflow_api import AirflowApi
from ansible_collections.sm2a.airflow.tests.support.stack.fixtures import Measures, Say, Stack
from ansible_collections.sm2a.airflow.tests.support.stack.playbooks import Run, deploy
from ansible_collections.sm2a.airflow.tests.support.stack.poll import wait_until
from ansible_collections.sm2a.airflow.tests.support.stack.settings import GATEWAY, NAME, REGION
from ansible_collections.sm2a.airflow.tests.support.stack.task_logs import executions, run_logs

pytestmark = pytest.mark.chain("stack")

LOAD = {"tasks": 40, "seconds": 4}
# So many tasks are over when a scheduler is killed.
BEFORE_THE_END = 10
HEARTBEATS = """
SELECT job_type, count(DISTINCT hostname) FROM job
WHERE state = 'running' AND latest_heartbeat > now() - INTERVAL '30 seconds' GROUP BY job_type
"""
SESSIONS = """
SELECT usename, bool_and(ssl) FROM pg_stat_activity JOIN pg_stat_ssl USING (pid)
WHERE client_addr IS NOT NULL AND datname IN ('airflow', 'airflow_results') GROUP BY usename
"""


@pytest.fixture(scope="session")
def rolled_out(stack: Stack, company: CompanyDatabase, measures: Measures, say: Say) -> Run:
    """The run that sets all of it."""
    changes = {
        "airflow_scheduler_count": 2,
        "airflow_dag_processor_count": 2,
        "database_engine": "postgres",
        "database_existing": company.option,
        "database_tls_verification": True,
        "network_egress": "endpoints",
        "network_database_cidrs": [f"{GATEWAY}/32"],
    }
    local_aws_api.forget_task_calls()
    run = deploy("options", say, changes)
    assert run.code == 0, run.end()
    measures.record(options_seconds=run.seconds)
    return run


@pytest.fixture(scope="session")
def moved(rolled_out: Run, admin: dict[str, str], certificate: str) -> AirflowApi:
    """Airflow's API on the other database, in which the migration has made the same administrator."""
    api = AirflowApi(admin["username"], admin["password"], certificate)
    api.wait_for_dag("sm2a_load")
    return api


def heartbeats(company: CompanyDatabase) -> dict[str, int]:
    """How many hosts have a running job of each type."""
    return dict(company.server.rows(HEARTBEATS))


def test_each_scheduler_and_dag_processor_has_its_heartbeat(moved: AirflowApi, company: CompanyDatabase) -> None:
    def all_beat() -> bool:
        found = heartbeats(company)
        return found.get("SchedulerJob") == found.get("DagProcessorJob") == 2

    wait_until("two schedulers and two DAG processors have a heartbeat", all_beat, 60)


def test_a_load_is_done_once_though_a_scheduler_and_a_dag_processor_are_killed(
    stack: Stack, moved: AirflowApi, company: CompanyDatabase, measures: Measures, say: Say
) -> None:
    killed = [engine.containers(NAME, service)[0] for service in ("scheduler", "dag-processor")]
    run = moved.trigger("sm2a_load", LOAD)

    def succeeded() -> int:
        return Counter(task["state"] for task in moved.tasks("sm2a_load", run))["success"]

    wait_until("a quarter of the load is done", lambda: succeeded() >= BEFORE_THE_END, 180)
    for container in killed:
        engine.kill(container)
    at = succeeded()
    assert at < LOAD["tasks"], "the load was over before"
    state = moved.wait_for_run("sm2a_load", run, 480)
    tasks = moved.tasks("sm2a_load", run)
    executed = executions(run_logs(stack.aws, run, len(tasks)).values())
    doubled = sum(count - 1 for count in executed.values())
    say(f"load with two schedulers, one killed after {at} tasks: {state}, {doubled} tasks doubled")
    measures.record(two_schedulers_tasks=len(tasks), two_schedulers_tasks_doubled=doubled)
    assert state == "success"
    assert {task["try_number"] for task in tasks} == {1}
    assert executed == Counter({str(index): 1 for index in range(LOAD["tasks"])})
    # ECS puts others in their places.
    wait_until(
        "two of each run again",
        lambda: {"SchedulerJob": 2, "DagProcessorJob": 2}.items() <= heartbeats(company).items(),
        120,
    )


def test_the_database_of_ones_own_is_used_and_verified(
    stack: Stack, moved: AirflowApi, company: CompanyDatabase
) -> None:
    # Each component as its own user, none as the master user, all of them encrypted.
    sessions = dict(company.server.rows(SESSIONS, "postgres"))
    users = {"airflow", "airflow_dag_processor", "airflow_triggerer", "airflow_autoscaler"}
    assert users <= sessions.keys()
    assert company.master not in sessions
    assert set(sessions.values()) == {True}
    place = rf"@{re.escape(GATEWAY)}:{company.server.port}/.*=verify-full"
    for name in ("sql_alchemy_conn", "dag_processor_sql_alchemy_conn", "autoscaler_sql_alchemy_conn", "result_backend"):
        assert re.search(place, stack.secret(f"config/{name}")), name
    [(results,)] = company.server.rows("SELECT count(*) FROM celery_taskmeta", "airflow_results")
    assert results >= LOAD["tasks"]
    [(runs,)] = company.server.rows("SELECT count(*) FROM dag_run WHERE dag_id = 'sm2a_load'")
    assert runs == 1


def endpoints(stack: Stack) -> set[str]:
    """Services with an endpoint in the environment's VPC."""
    ec2 = stack.aws("ec2")
    [vpc] = ec2.describe_vpcs(Filters=[{"Name": "tag:sm2a:environment", "Values": [NAME]}])["Vpcs"]
    found = ec2.describe_vpc_endpoints(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["VpcEndpoints"]
    return {one["ServiceName"].removeprefix(f"com.amazonaws.{REGION}.") for one in found}


def definitions_that_run(stack: Stack) -> list[dict[str, Any]]:
    """The task definitions of all tasks of the cluster."""
    ecs = stack.aws("ecs")
    arns = ecs.list_tasks(cluster=NAME)["taskArns"]
    used = {task["taskDefinitionArn"] for task in ecs.describe_tasks(cluster=NAME, tasks=arns)["tasks"]}
    return [ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"] for arn in sorted(used)]


def test_every_service_that_is_called_has_an_endpoint(stack: Stack, moved: AirflowApi, say: Say) -> None:
    # Also what those called that were replaced, and those of the load that have started since.
    calls = local_aws_api.task_calls()
    callers: dict[str, set[str]] = {}
    for call in calls:
        callers.setdefault(call.service, set()).add(call.role.removeprefix(f"{NAME}-"))
    say(f"tasks called {', '.join(f'{service} ({len(who)} roles)' for service, who in sorted(callers.items()))}")
    assert {"secretsmanager", "sqs", "s3", "ecs"} <= callers.keys(), "not every component did its work"
    assert {"worker", "scheduler", "api-server", "dag-processor", "triggerer", "autoscaler", "migrate"} <= set().union(
        *callers.values()
    )
    definitions = definitions_that_run(stack)
    assert len(definitions) >= 6
    needs = [*private_network.of_calls(calls)]
    needs += [need for definition in definitions for need in private_network.of_task_definition(definition)]
    assert private_network.lacking(needs, endpoints(stack)) == {}


def test_every_call_goes_through_an_endpoint_from_then_on(stack: Stack, moved: AirflowApi) -> None:
    local_aws_api.forget_task_calls()
    run = moved.trigger("sm2a_load", {"tasks": 4, "seconds": 1})
    assert moved.wait_for_run("sm2a_load", run, 240) == "success"
    calls = local_aws_api.task_calls()
    assert {"sqs", "s3", "ecs"} <= {call.service for call in calls}
    assert [call for call in calls if not call.endpoint] == []


def test_a_group_of_an_architecture_that_the_image_lacks_is_refused(stack: Stack, rolled_out: Run, say: Say) -> None:
    ecs = stack.aws("ecs")
    scheduler = ecs.describe_task_definition(taskDefinition=f"{NAME}-scheduler")["taskDefinition"]
    image = str(scheduler["containerDefinitions"][0]["image"])
    arm = {"name": "arm", "queue": "arm", "cpu": 1024, "memory": 2048, "concurrency": 1, "min": 0, "max": 1}
    groups = {"airflow_worker_groups": [{**arm, "cpu_architecture": "ARM64"}], "airflow_cpu_architecture": "X86_64"}
    run = deploy("foreign_architecture", say, {"images_airflow_image": image, **groups})
    assert run.code != 0
    assert "airflow_worker_groups, group arm: ARM64 needs linux/arm64" in run.end()
    assert run.changed == 0
