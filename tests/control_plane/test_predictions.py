# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Check mode on a whole environment: its list of changes is the list of what the run then does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
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
from ansible_collections.sm2a.airflow.tests.support.role_files import role_names
from ansible_collections.sm2a.testing.plugins.plugin_utils.changes import Change, differences, leaves, of_result

GROUPS = [DEFAULT_GROUP, {"name": "heavy", "queue": "heavy", **GROUP_SIZE}]
CHANGED_OPTIONS = {
    **NEXT_CHANGE,
    "database_insights_retention_period": 93,
    "database_monitoring_role_arn": "arn:aws:iam::000000000000:role/company-monitoring",
    "sm2a_tags": {"team": "data"},
}
COMPARED = ["fresh account", "changed options", "removal"]
# Images are given here, and the preflight makes nothing.
ROLES = set(role_names()) - {"images", "local_aws", "preflight"}
TITLE = "| run | task | resource | attributes predicted | attributes changed |\n|---|---|---|---|---|\n"


@dataclass
class Comparison:
    """A run in check mode and the real one after it."""

    check: PlaybookRun
    real: PlaybookRun
    predicted: list[Change] = field(init=False)
    done: list[Change] = field(init=False)

    def __post_init__(self) -> None:
        self.predicted, self.done = changes(self.check), changes(self.real)

    def rows(self, run: str) -> Iterator[str]:
        """Lines of the table in artifacts."""
        guesses = {one.name(): one for one in self.predicted}
        for one in self.done:
            guess = guesses.get(one.name())
            count = len(list(leaves(guess.after))) if guess else "not predicted"
            yield f"| {run} | {one.task} | {one.resource} | {count} | {len(list(leaves(one.after)))} |\n"


def changes(run: PlaybookRun) -> list[Change]:
    """One for each resource that the run changed."""
    changed = [result for result in run.results if result["status"] == "changed"]
    return [change for result in changed for change in of_result("cp", result["task"], "", result)]


def play(aws: ControlPlane, playbook: str, extra: dict[str, Any], *options: str) -> PlaybookRun:
    run = aws.play(playbook, *options, extra=extra)
    assert run.code == 0, run.end()
    return run


def compare(aws: ControlPlane, playbook: str, extra: dict[str, Any]) -> Comparison:
    return Comparison(play(aws, playbook, extra, "--check", "--diff"), play(aws, playbook, extra))


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
    rows = [row for name, run in compared.items() for row in run.rows(name)]
    (ARTIFACTS / "site_predictions.md").write_text(TITLE + "".join(rows), encoding="utf-8")
    return Life(compared, repeated, database, allowed, queues)


@pytest.mark.parametrize("run", COMPARED)
def test_what_check_mode_predicts_is_what_is_done(life: Life, run: str) -> None:
    assert life.compared[run].done
    told = differences(life.compared[run].predicted, life.compared[run].done)
    assert not told, "\n".join(told)


@pytest.mark.parametrize("run", ["run", "check of changed options", "removal"])
def test_nothing_changes_the_second_time(life: Life, run: str) -> None:
    assert [change.name() for change in changes(life.repeated[run])] == []


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
