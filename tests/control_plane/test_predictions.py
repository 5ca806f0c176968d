# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Check mode on a whole environment: its list of changes is the list of what the run then does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support.control_plane import (
    ARTIFACTS,
    DEFAULT_GROUP,
    DESTROY,
    GROUP_SIZE,
    NEXT_CHANGE,
    ControlPlane,
    PlaybookRun,
)
from ansible_collections.sm2a.airflow.tests.support.predictions import Comparison, changes, compare, play
from ansible_collections.sm2a.airflow.tests.support.role_files import role_names
from ansible_collections.sm2a.testing.plugins.plugin_utils.changes import leaves

GROUPS = [DEFAULT_GROUP, {"name": "heavy", "queue": "heavy", **GROUP_SIZE}]
CHANGED_OPTIONS = {
    **NEXT_CHANGE,
    "database_insights_retention_period": 93,
    "database_monitoring_role_arn": "arn:aws:iam::000000000000:role/company-monitoring",
    "sm2a_tags": {"team": "data"},
}
COMPARED = ["fresh account", "changed options", "removal"]
# Images are given here, and the preflight makes nothing.
ROLES = set(role_names()) - {"images", "local_aws", "preflight", "smoke_dag"}
TITLE = "| run | task | resource | attributes predicted | attributes changed |\n|---|---|---|---|---|\n"


def rows(run: str, comparison: Comparison) -> Iterator[str]:
    """Lines of the table in artifacts."""
    guesses = {one.name(): one for one in comparison.predicted}
    for one in comparison.done:
        guess = guesses.get(one.name())
        count = len(list(leaves(guess.after))) if guess else "not predicted"
        yield f"| {run} | {one.task} | {one.resource} | {count} | {len(list(leaves(one.after)))} |\n"


def admitted(aws: ControlPlane) -> list[str]:
    """The ranges from which the load balancer takes connections."""
    name = {"Name": "group-name", "Values": ["cp-load-balancer"]}
    [group] = aws.client("ec2").describe_security_groups(Filters=[name])["SecurityGroups"]
    return sorted({entry["CidrIp"] for rule in group["IpPermissions"] for entry in rule["IpRanges"]})


@dataclass(frozen=True)
class Life:
    """Of one environment: made, changed, removed; ``repeated`` are the runs of which each should change nothing."""

    compared: dict[str, Comparison]
    repeated: dict[str, PlaybookRun]
    # The DB instance, the ranges that the load balancer admits, and the queues, with the changed options.
    database: dict[str, Any]
    allowed: list[str]
    queues: set[str]


@pytest.fixture(scope="module")
def life(control_plane: ControlPlane) -> Life:
    """artifacts/site_predictions.md shows it."""
    compared, repeated = {}, {}
    removed = {**CHANGED_OPTIONS, **DESTROY}
    made = {"airflow_worker_groups": GROUPS}
    compared["fresh account"] = compare(control_plane, "site", made)
    repeated["run"] = play(control_plane, "site", made)
    compared["changed options"] = compare(control_plane, "site", CHANGED_OPTIONS)
    repeated["check of changed options"] = play(control_plane, "site", CHANGED_OPTIONS, "--check")
    database = control_plane.client("rds").describe_db_instances()["DBInstances"][0]
    allowed = admitted(control_plane)
    queues = {url.rsplit("/", 1)[1] for url in control_plane.client("sqs").list_queues()["QueueUrls"]}
    compared["removal"] = compare(control_plane, "teardown", removed)
    repeated["removal"] = play(control_plane, "teardown", removed)
    ARTIFACTS.mkdir(exist_ok=True)
    lines = [line for name, run in compared.items() for line in rows(name, run)]
    (ARTIFACTS / "site_predictions.md").write_text(TITLE + "".join(lines), encoding="utf-8")
    return Life(compared, repeated, database, allowed, queues)


@pytest.mark.parametrize("run", COMPARED)
def test_what_check_mode_predicts_is_what_is_done(life: Life, run: str) -> None:
    assert life.compared[run].done
    told = life.compared[run].differences()
    assert not told, "\n".join(told)


@pytest.mark.parametrize("run", ["run", "check of changed options", "removal"])
def test_nothing_changes_the_second_time(life: Life, run: str) -> None:
    assert [change.name() for change in changes(life.repeated[run])] == []


def counted(run: PlaybookRun) -> list[str]:
    """The kinds in the summary, with the numbers of what was created, changed and deleted."""
    return [line for line in run.summary if line.startswith("- ")]


@pytest.mark.parametrize("run", COMPARED)
def test_the_summary_counts_what_is_done_and_check_mode_the_same(life: Life, run: str) -> None:
    check, real = life.compared[run].check, life.compared[run].real
    assert counted(check) == counted(real)
    totals = [line.partition(": ") for line in (*check.summary, *real.summary) if line.startswith("Changes")]
    assert [total[0] for total in totals] == ["Changes that a run would make", "Changes"]
    numbers = {word: int(number) for number, word in re.findall(r"(\d+) (\w+)", totals[1][2])}
    parts = [part for line in counted(real) for part in re.findall(r"(\d+) (?:created|changed|deleted)", line)]
    assert sum(numbers.values()) == sum(map(int, parts))
    assert sum(numbers.values()) >= len(real.changed)
    assert {"fresh account": "created", "changed options": "changed", "removal": "deleted"}[run] in numbers
    assert not any(line.startswith("Not complete") for line in real.summary)


def test_the_summary_says_where_airflow_is(life: Life) -> None:
    summary = life.compared["fresh account"].real.summary
    assert summary[0] == "site.yml for cp in eu-west-1"
    assert summary[1].startswith("Airflow: https://")
    assert "cp/" in summary[2]
    assert re.fullmatch(r"Time: (\d+ min )?\d+ s", summary[-1])
    assert "- ECS services: 7 created" in summary
    assert [line for line in life.repeated["run"].summary if line.startswith("Changes")] == ["Changes: none"]


def test_every_role_makes_something(life: Life) -> None:
    roles = {change.task.split(" : ")[0].rsplit(".", maxsplit=1)[-1] for change in life.compared["fresh account"].done}
    assert roles >= ROLES


@pytest.mark.parametrize("run", COMPARED)
def test_diff_shows_every_change(life: Life, run: str) -> None:
    shown = life.compared[run].check.output.count("\n+++ after")
    assert shown >= len([change for change in life.compared[run].predicted if change.before or change.after])


def test_a_changed_option_changes_only_what_it_says(life: Life) -> None:
    names = [change.name() for change in life.compared["changed options"].done]
    assert any("queue" in name for name in names)
    assert any("log group" in name for name in names)
    assert any("Security groups" in name for name in names)


def test_a_worker_group_that_is_taken_out_drains_before_its_queue_goes(life: Life) -> None:
    order = [change.task.split(" : ")[-1] for change in life.compared["changed options"].done]
    drained = order.index("Drain and remove the services of worker groups that are gone")
    assert order.index("Delete queues that are no longer listed, when they are empty") > drained
    assert life.queues == {"cp-default", "cp-dead-letter"}


def test_the_changed_options_hold(life: Life) -> None:
    assert life.allowed == CHANGED_OPTIONS["load_balancer_allowed_cidrs"]
    assert life.database["EngineVersion"] == CHANGED_OPTIONS["database_engine_version"]
    assert life.database["DBParameterGroups"][0]["DBParameterGroupName"] == "cp-postgres18"
    assert life.database["PerformanceInsightsRetentionPeriod"] == CHANGED_OPTIONS["database_insights_retention_period"]
    assert life.database["MonitoringRoleArn"] == CHANGED_OPTIONS["database_monitoring_role_arn"]
    assert not life.database["PendingModifiedValues"]
