# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""SM2A's main job, on real containers: deploy, log in, run DAGs through Celery and SQS, scale, remove."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sized
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest
import requests
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.airflow_option_names import OPTIONS, SENSITIVE
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.airflow_option_values import type_of
from ansible_collections.sm2a.airflow.tests.support.stack import drawing, engine, local_aws_api, watch
from ansible_collections.sm2a.airflow.tests.support.stack.airflow_api import AirflowApi
from ansible_collections.sm2a.airflow.tests.support.stack.browser import log_in
from ansible_collections.sm2a.airflow.tests.support.stack.canaries import leaks, secret_values
from ansible_collections.sm2a.airflow.tests.support.stack.fixtures import Measures, Say, Stack
from ansible_collections.sm2a.airflow.tests.support.stack.playbooks import play
from ansible_collections.sm2a.airflow.tests.support.stack.poll import poll
from ansible_collections.sm2a.airflow.tests.support.stack.settings import (
    ARTIFACTS,
    HTTP_PORT,
    HTTPS_PORT,
    LOCAL_AWS_STATE,
    NAME,
    URL,
    WORKERS_MAXIMUM,
    WORKERS_MINIMUM,
)
from ansible_collections.sm2a.airflow.tests.support.stack.task_logs import executions, run_logs
from ansible_collections.sm2a.airflow.tools import airflow_options

pytestmark = pytest.mark.chain("stack")

Collected = TypeVar("Collected", bound=Sized)
SERVICES = {
    "api-server": 2,
    "scheduler": 1,
    "dag-processor": 1,
    "triggerer": 1,
    "worker-default": WORKERS_MINIMUM,
    "autoscaler": 1,
}
# More than one worker's share, and long enough for new workers to start and take some.
LOAD = {"tasks": 60, "seconds": 12}
SCALE_IN_SECONDS = 420


def seconds_between(run: list[dict[str, Any]], trigger: datetime) -> float:
    """From the trigger to the end of the last task."""
    last = max(datetime.fromisoformat(task["end_date"]) for task in run)
    return round((last - trigger).total_seconds(), 1)


def test_every_service_runs_its_tasks(stack: Stack) -> None:
    ecs = stack.aws("ecs")
    described = ecs.describe_services(cluster=NAME, services=list(SERVICES))["services"]
    assert {service["serviceName"]: service["runningCount"] for service in described} == SERVICES
    arns = ecs.list_tasks(cluster=NAME)["taskArns"]
    health = [task["healthStatus"] for task in ecs.describe_tasks(cluster=NAME, tasks=arns)["tasks"]]
    assert health == ["HEALTHY"] * sum(SERVICES.values())


def test_images_are_named_by_digest(stack: Stack) -> None:
    for definition in task_definitions(stack):
        for container in definition["containerDefinitions"]:
            assert re.search(r"@sha256:[0-9a-f]{64}$", container["image"]), container["image"]


def task_definitions(stack: Stack) -> list[dict[str, Any]]:
    """Every active task definition of the account."""
    ecs = stack.aws("ecs")
    arns = ecs.list_task_definitions()["taskDefinitionArns"]
    assert arns
    return [ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"] for arn in arns]


def test_the_options_of_airflow_are_those_that_the_checks_know(stack: Stack) -> None:
    """``tools/airflow_options.py`` wrote them down, for an earlier image perhaps."""
    [scheduler] = engine.containers(NAME, "scheduler")
    line = engine.run_python(scheduler, airflow_options.PROGRAM)
    described = {section: set(names) for section, names in line.items()}
    assert described == {section: set(names.split()) for section, names in OPTIONS.items()}
    options = [(section, name, said) for section, names in line.items() for name, said in names.items()]
    assert {(section, name) for section, name, said in options if said["sensitive"]} == SENSITIVE
    declared = {(section, name): airflow_options.type_of(said) or "text" for section, name, said in options}
    assert declared == {(section, name): type_of(section, name) for section, name in declared}


def test_http_is_sent_to_https(stack: Stack) -> None:
    answer = requests.get(f"http://localhost:{HTTP_PORT}/dags", allow_redirects=False, timeout=10)
    assert answer.status_code == 301
    address = urlsplit(answer.headers["Location"])
    assert (address.scheme, address.hostname, address.port, address.path) == ("https", "localhost", HTTPS_PORT, "/dags")


def test_wrong_password_is_refused(stack: Stack, admin: dict[str, str], certificate: str) -> None:
    with pytest.raises(requests.HTTPError, match="401"):
        AirflowApi(admin["username"], "not-the-password", certificate)


def test_admin_logs_in_with_a_browser(stack: Stack, admin: dict[str, str], say: Say) -> None:
    page = log_in(URL, admin["username"], admin["password"], ARTIFACTS / "dags.png")
    assert "sm2a_smoke" in page
    assert "sm2a_load" in page
    say("logged in with Chromium: artifacts/dags.png")


def settled(read: Callable[[], Collected], wanted: int) -> Collected:
    """What ``read`` returns once it holds ``wanted`` entries, or when a minute is over."""
    return poll(read, 60, lambda found: len(found) >= wanted)


@pytest.fixture(scope="session")
def smoke(stack: Stack, airflow: AirflowApi, measures: Measures, say: Say) -> dict[str, Any]:
    """A finished run of the smoke DAG: its id, tasks, and the SQS calls of its time."""
    airflow.wait_for_dag("sm2a_smoke")
    local_aws_api.record_calls()
    started = datetime.now(UTC)
    run = airflow.trigger("sm2a_smoke")
    state = airflow.wait_for_run("sm2a_smoke", run, 600)
    tasks = airflow.tasks("sm2a_smoke", run)
    assert state == "success", {task["task_id"]: task["state"] for task in tasks}
    duration = seconds_between(tasks, started)
    say(f"smoke DAG: {len(tasks)} tasks in {duration} s")
    measures.record(smoke_tasks=len(tasks), smoke_trigger_to_last_success_seconds=duration)
    before = started - timedelta(seconds=1)
    sent = watch.calls(stack.aws, "SendMessage", before)
    # A worker deletes the message a moment after Airflow knows that the task succeeded.
    deleted = settled(lambda: watch.calls(stack.aws, "DeleteMessage", before), len(sent))
    logs = run_logs(stack.aws, run, len(tasks))
    return {"run": run, "tasks": tasks, "sent": sent, "deleted": deleted, "logs": logs}


def test_smoke_dag_succeeds(smoke: dict[str, Any]) -> None:
    tasks = smoke["tasks"]
    assert len(tasks) >= 30
    assert Counter(task["state"] for task in tasks) == {"success": len(tasks)}
    assert {task["try_number"] for task in tasks} == {1}


def test_each_task_went_through_sqs_once(smoke: dict[str, Any], measures: Measures) -> None:
    sent = [watch.celery_task_id(call) for call in smoke["sent"]]
    measures.record(smoke_messages_sent=len(sent), smoke_messages_deleted=len(smoke["deleted"]))
    assert len(sent) == len(set(sent)) == len(smoke["tasks"])
    assert len(smoke["deleted"]) == len(sent)
    assert {call["QueueUrl"].rsplit("/", 1)[1] for call in smoke["sent"]} == {f"{NAME}-default"}


def test_the_playbook_runs_the_smoke_dag(smoke: dict[str, Any], admin: dict[str, str], say: Say) -> None:
    assert smoke["run"]
    run = play("smoke_dag", ["playbooks/smoke_dag.yml"], say, "-vvv", timeout=900)
    assert run.code == 0, run.end()
    assert run.changed_tasks == ["sm2a.airflow.smoke_dag : Run the DAG"]
    said = run.log.read_text(encoding="utf-8")
    assert f"success: {URL}/dags/sm2a_smoke/runs/sm2a__" in " ".join(said.split())
    assert admin["password"] not in said


def test_logs_lie_in_s3_and_are_shown_by_the_api(airflow: AirflowApi, smoke: dict[str, Any]) -> None:
    keys = smoke["logs"]
    assert len(keys) == len(smoke["tasks"])
    assert all(key.startswith("airflow/dag_id=sm2a_smoke/") and key.endswith("/attempt=1.log") for key in keys)
    seventh = next(task for task in smoke["tasks"] if (task["task_id"], task["map_index"]) == ("square", 7))
    shown = airflow.log("sm2a_smoke", smoke["run"], seventh)
    assert "The square of 7 is 49" in shown
    assert "s3://" in shown, shown[:2000]


def test_second_run_changes_nothing(stack: Stack, measures: Measures, say: Say) -> None:
    playbooks = ["playbooks/local_aws.yml", "site.yml"]
    again = play("second_run", playbooks, say, "-vvv", timeout=900)
    measures.record(second_run_seconds=again.seconds)
    assert again.code == 0, again.end()
    assert again.changed == 0, again.changed_tasks


def test_no_secret_is_in_output_or_task_definitions(stack: Stack) -> None:
    secrets = secret_values(stack.aws("secretsmanager"))
    assert len(secrets) >= 8
    for log in (stack.site.log, stack.site.log.with_name("second_run.log")):
        assert leaks(log.read_text(encoding="utf-8", errors="replace"), secrets) == [], log
    for definition in task_definitions(stack):
        assert leaks(json.dumps(definition, default=str), secrets) == [], definition["taskDefinitionArn"]


def test_no_secret_is_in_the_container_logs(stack: Stack) -> None:
    # The smoke DAG itself prints the variable that it reads: that is user data, not SM2A's.
    every = secret_values(stack.aws("secretsmanager"))
    secrets = {value: name for value, name in every.items() if "/variables/" not in name}
    logs = stack.container_logs()
    assert logs
    for group, text in logs.items():
        assert leaks(text, secrets) == [], group


def test_load_raises_the_workers_and_loses_no_task(
    stack: Stack, airflow: AirflowApi, measures: Measures, say: Say
) -> None:
    queue = stack.aws("sqs").get_queue_url(QueueName=f"{NAME}-default")["QueueUrl"]
    started = datetime.now(UTC)
    with watch.Watch(stack.aws, "worker-default", queue) as seen:
        run = airflow.trigger("sm2a_load", LOAD)
        state = airflow.wait_for_run("sm2a_load", run, 900)
        say(f"load DAG ended with {state}, workers desired {seen.samples[-1].desired}")
        wait_for_minimum(seen, say)
    tasks = airflow.tasks("sm2a_load", run)
    drawing.write(seen.samples, f"sm2a_load: {len(tasks)} tasks of {LOAD['seconds']} s", ARTIFACTS)
    executed = executions(run_logs(stack.aws, run, len(tasks)).values())
    doubled = sum(count - 1 for count in executed.values())
    measures.record(
        load_tasks=len(tasks),
        load_trigger_to_last_success_seconds=seconds_between(tasks, started),
        load_workers_maximum=max(sample.desired for sample in seen.samples),
        load_workers_running_maximum=max(sample.running for sample in seen.samples),
        load_tasks_failed=sum(1 for task in tasks if task["state"] != "success"),
        load_tasks_doubled=doubled,
        load_worker_counts=[(sample.second, sample.desired, sample.running) for sample in changes(seen.samples)],
    )
    assert state == "success"
    assert Counter(task["state"] for task in tasks) == {"success": len(tasks)}
    assert {task["try_number"] for task in tasks} == {1}
    assert executed == Counter({str(index): 1 for index in range(LOAD["tasks"])})
    assert WORKERS_MINIMUM < max(sample.running for sample in seen.samples) <= WORKERS_MAXIMUM
    assert len({task["hostname"] for task in tasks}) > 1, "one worker did it all"
    assert (seen.samples[-1].desired, seen.samples[-1].running) == (WORKERS_MINIMUM, WORKERS_MINIMUM)


def wait_for_minimum(seen: watch.Watch, say: Say) -> None:
    """Return when the worker service is back at its minimum, or when the time for it is over."""
    latest = poll(
        lambda: seen.samples[-1],
        SCALE_IN_SECONDS,
        lambda sample: sample.desired == sample.running == WORKERS_MINIMUM,
    )
    say(f"{latest.running} workers {latest.second:.0f} s after the trigger")


def changes(samples: list[watch.Sample]) -> list[watch.Sample]:
    """The first sample and those whose worker counts differ from the one before."""
    pairs = zip([None, *samples], samples, strict=False)
    return [
        now for before, now in pairs if before is None or (before.desired, before.running) != (now.desired, now.running)
    ]


def test_memory_of_the_stack(stack: Stack, measures: Measures, say: Say) -> None:
    containers, processes = engine.memory(LOCAL_AWS_STATE)
    measures.record(containers_megabytes=containers, local_aws_megabytes=processes)
    say(f"memory: containers {sum(containers.values())} MB, local AWS {processes} MB")
    assert len(containers) >= sum(SERVICES.values())
    assert sum(containers.values()) + processes < 12_000
