# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The autoscaler on real containers and real Airflow: bursts, long tasks, and what fails in the middle of them."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.live import fleet
from ansible_collections.sm2a.airflow.tests.live.fleet import CONCURRENCY, DAG, GROUPS, MAXIMUM, MINIMUM, Burst
from ansible_collections.sm2a.airflow.tests.support.stack import drawing, engine, local_aws_api
from ansible_collections.sm2a.airflow.tests.support.stack.airflow_api import AirflowApi
from ansible_collections.sm2a.airflow.tests.support.stack.fixtures import Measures, Say, Stack
from ansible_collections.sm2a.airflow.tests.support.stack.poll import wait_until
from ansible_collections.sm2a.airflow.tests.support.stack.settings import ARTIFACTS, NAME

TASKS, SECONDS = 30, 20  # on each of the two queues
BACK_SECONDS = 420
RESTART_SECONDS = 25
ROLL_OUT_SECONDS = 180.0
# Longer than a deployment takes to come to the groups that are gone.
TAKEN_OUT_SECONDS = 240.0
# Time in which every worker has read its drain marker.
MARKER_SECONDS = 25.0


@pytest.fixture
def at_minimum(stack: Stack, airflow: AirflowApi) -> None:
    """Every group is as small as it may be."""
    fleet.wait_for_size(stack, MINIMUM, BACK_SECONDS)


def start(airflow: AirflowApi, default: list[float], heavy: list[float]) -> tuple[str, datetime]:
    """Trigger the DAG with tasks that last so many seconds; the id of the run, and when that was."""
    started = datetime.now(UTC)
    return airflow.trigger(DAG, {"default": default, "heavy": heavy}), started


def start_burst(airflow: AirflowApi) -> tuple[str, datetime]:
    return start(airflow, [SECONDS] * TASKS, [SECONDS] * TASKS)


def every_task_once(stack: Stack, burst: Burst, tasks: int = TASKS) -> None:
    """Each task succeeded with its first try, and was executed once."""
    assert Counter(task["state"] for task in burst.tasks) == {"success": len(burst.tasks)}
    assert {task["try_number"] for task in burst.tasks} == {1}
    assert fleet.executions(stack, burst) == dict.fromkeys(GROUPS, tasks)


def largest(stack: Stack, group: str, since: datetime) -> int:
    return max(sample.running for sample in fleet.samples(stack, group, since))


@pytest.fixture(scope="session")
def scaled(stack: Stack, airflow: AirflowApi, measures: Measures, say: Say) -> Burst:
    """A burst on groups that start at their minimum; artifacts/live_<group>.svg shows it until they are back there."""
    fleet.wait_for_size(stack, MINIMUM, BACK_SECONDS)
    burst = fleet.finish(airflow, *start_burst(airflow))
    say(f"burst with scaling: {burst.drain_seconds} s")
    fleet.wait_for_size(stack, MINIMUM, BACK_SECONDS)
    back = (datetime.now(UTC) - burst.started).total_seconds()
    measures.record(live_scaled_drain_seconds=burst.drain_seconds, live_back_at_minimum_seconds=round(back, 1))
    for group in GROUPS:
        title = f"{group}: {TASKS} tasks of {SECONDS} s, from the autoscaler's metrics"
        drawing.write(fleet.samples(stack, group, burst.started), title, ARTIFACTS, f"live_{group}")
    return burst


def test_a_burst_on_two_groups_is_done_once_and_scales_both(stack: Stack, scaled: Burst) -> None:
    every_task_once(stack, scaled)
    assert {group: largest(stack, group, scaled.started) for group in GROUPS} == MAXIMUM


def test_scale_in_beside_long_tasks_kills_none(
    stack: Stack, airflow: AirflowApi, at_minimum: None, measures: Measures, say: Say
) -> None:
    long, short = [150.0] * 2, [15.0] * 22
    run, started = start(airflow, long + short, long + short)
    burst = fleet.finish(airflow, run, started)
    every_task_once(stack, burst, len(long + short))
    for group in GROUPS:
        seen = [sample for sample in fleet.samples(stack, group, started) if sample.second < burst.drain_seconds]
        sizes = [sample.running for sample in seen]
        smallest = min(sizes[sizes.index(max(sizes)) :])
        say(f"{group}: {max(sizes)} workers, {smallest} while the long tasks ran")
        measures.record(**{f"live_long_{group}": [max(sizes), smallest]})
        assert smallest < max(sizes), "nothing was scaled in while the long tasks ran"


def test_a_roll_out_lets_busy_workers_finish(stack: Stack, airflow: AirflowApi, at_minimum: None, say: Say) -> None:
    long = [ROLL_OUT_SECONDS] * 2
    run, started = start(airflow, long, long)
    wait_until("the long tasks run", lambda: sum(hosts(airflow, run).values()) == 2 * len(long), 120)
    before = {group: fleet.workers(stack, group) for group in GROUPS}
    old_hosts = set(hosts(airflow, run))
    for group in GROUPS:
        stack.aws("ecs").update_service(cluster=NAME, service=f"worker-{group}", forceNewDeployment=True)
    wait_until("all workers of the earlier deployment drain", lambda: rolls_out(stack, before), 120)
    time.sleep(MARKER_SECONDS)
    say(f"roll-out: the old workers drain after {round(-fleet.left(started))} s")
    next_run, _ = start(airflow, [1.0] * 4, [1.0] * 4)
    assert airflow.wait_for_run(DAG, next_run, 120) == "success"
    new_hosts = {task["hostname"] for task in airflow.tasks(DAG, next_run)}
    assert old_hosts.isdisjoint(new_hosts), "a worker that drains took a task"
    assert airflow.state(DAG, run) == "running", "the long tasks are too short for this test"
    every_task_once(stack, fleet.finish(airflow, run, started), len(long))
    wait_until(
        "the old workers are gone", lambda: not any(before[group] & fleet.workers(stack, group) for group in GROUPS), 60
    )
    assert {len(service["deployments"]) for service in fleet.services(stack).values()} == {1}


def rolls_out(stack: Stack, before: dict[str, set[str]]) -> bool:
    """Whether in every group some of the earlier workers are left, and all of these drain."""
    left = {group: arns & fleet.workers(stack, group) for group, arns in before.items()}
    return all(arns and fleet.draining(stack, arns) == arns for arns in left.values())


def hosts(airflow: AirflowApi, run: str) -> Counter[str]:
    """How many of the mapped tasks run on each worker."""
    tasks = [task for task in airflow.tasks(DAG, run) if task["task_id"].startswith("work_")]
    return Counter(task["hostname"] for task in tasks if task["state"] == "running")


def autoscaler_containers() -> list[str]:
    """Ids of the running containers of the autoscaler, each with the engine that has it."""
    return engine.containers(NAME, "autoscaler")


def test_a_killed_autoscaler_goes_on(stack: Stack, airflow: AirflowApi, at_minimum: None, say: Say) -> None:
    run, started = start_burst(airflow)
    time.sleep(SECONDS)
    before = autoscaler_containers()
    assert len(before) == 1
    engine.kill(before[0])
    burst = fleet.finish(airflow, run, started)
    say(f"burst with an autoscaler that was killed: {burst.drain_seconds} s")
    every_task_once(stack, burst)
    after = autoscaler_containers()
    assert len(after) == 1
    assert after != before
    fleet.wait_for_size(stack, MINIMUM, BACK_SECONDS)
    assert {group: largest(stack, group, started) for group in GROUPS} == MAXIMUM


def decreases(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [record for record in records if record["action"] == "scale_in"]


def test_the_size_is_held_while_the_database_restarts(
    stack: Stack, airflow: AirflowApi, at_minimum: None, say: Say
) -> None:
    run, started = start_burst(airflow)
    time.sleep(SECONDS)
    silent = datetime.now(UTC)
    # As RDS restarts one: silent for a while, then every connection is lost.
    with engine.paused(f"{NAME}-rds-{NAME}"):
        time.sleep(RESTART_SECONDS)
    stack.aws("rds").reboot_db_instance(DBInstanceIdentifier=NAME)
    burst = fleet.finish(airflow, run, started)
    say(f"burst with a database that restarted: {burst.drain_seconds} s")
    every_task_once(stack, burst)
    for group in GROUPS:
        records = fleet.ticks(stack, group, silent)
        blind = [record for record in records if record["tasks"] is None or record["tasks"]["source"] != "database"]
        say(f"{group}: {len(blind)} ticks without the database")
        assert blind, "no tick was made without the database"
        assert decreases(blind) == []
        # With the database, never below what waits and runs.
        seeing = [record for record in records if record not in blind]
        for record in decreases(seeing):
            assert record["desired"] * CONCURRENCY >= record["tasks"]["queued"] + record["tasks"]["running"]


def test_the_size_is_held_while_sqs_is_silent(stack: Stack, airflow: AirflowApi, at_minimum: None, say: Say) -> None:
    run, started = start_burst(airflow)
    time.sleep(SECONDS)
    silent = datetime.now(UTC)
    local_aws_api.outage("sqs", 60)
    time.sleep(60)
    during = {group: fleet.ticks(stack, group, silent) for group in GROUPS}
    burst = fleet.finish(airflow, run, started)
    say(f"burst with SQS silent for a minute: {burst.drain_seconds} s")
    every_task_once(stack, burst)
    for group, records in during.items():
        assert records, "no tick was made"
        assert any(record["messages"] is None for record in records), "SQS answered"
        assert decreases(records) == [], group


def test_a_burst_is_nearly_as_quick_as_on_a_fixed_fleet(
    stack: Stack, airflow: AirflowApi, scaled: Burst, measures: Measures, say: Say
) -> None:
    fleet.deploy(say, "live_fixed", MAXIMUM)
    fleet.wait_for_size(stack, MAXIMUM, 180)
    fixed = fleet.finish(airflow, *start_burst(airflow))
    every_task_once(stack, fixed)
    ratio = scaled.drain_seconds / fixed.drain_seconds
    measures.record(live_fixed_drain_seconds=fixed.drain_seconds, live_drain_ratio=round(ratio, 2))
    say(f"drain: {scaled.drain_seconds} s with scaling, {fixed.drain_seconds} s with {MAXIMUM} all the time")
    # Started at a third of the slots and at none, with workers that take half a minute to start.
    assert ratio < 2.5


def test_a_group_that_is_taken_out_finishes_its_tasks(stack: Stack, airflow: AirflowApi, say: Say) -> None:
    """`airflow_drain_timeout` is what such a worker has."""
    long = [TAKEN_OUT_SECONDS] * 2
    run, started = start(airflow, [1.0], long)
    wait_until("the long tasks run", lambda: sum(hosts(airflow, run).values()) == len(long), 120)
    deployed = fleet.deploy(say, "live_without_heavy", {"default": MINIMUM["default"]})
    assert any("groups that are gone" in task for task in deployed.changed_tasks)
    # The deployment waited for them.
    burst = fleet.finish(airflow, run, started, 30)
    assert fleet.executions(stack, burst) == {"default": 1, "heavy": len(long)}
    assert {task["try_number"] for task in burst.tasks} == {1}
    left = [arn.rsplit("/", 1)[1] for arn in stack.aws("ecs").list_services(cluster=NAME)["serviceArns"]]
    assert [name for name in left if name.startswith("worker-")] == ["worker-default"]
    queues = {url.rsplit("/", 1)[1] for url in stack.aws("sqs").list_queues(QueueNamePrefix=NAME)["QueueUrls"]}
    assert queues == {f"{NAME}-default", f"{NAME}-dead-letter"}
