# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""apply.yml against a stand-in for the controller: once, again, after changes by hand, and the removal."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.awx.conftest import IMAGE, SECRETS, SETTINGS, TOKEN, play
from ansible_collections.sm2a.airflow.tests.awx.stand_in.server import Controller
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT

pytestmark = pytest.mark.chain("awx")

APPLY = PROJECT / "extensions/awx/apply.yml"
RECAP = re.compile(r"ok=(\d+) +changed=(\d+)")
# The only endpoint to which each secret goes.
GOES_TO = {
    "SM2A_AWX_EXTERNAL_ID": "credentials",
    "SM2A_AWX_SECRET_ACCESS_KEY": "credentials",
    "SM2A_AWX_MAIL_PASSWORD": "notification_templates",
    "SM2A_AWX_SLACK_TOKEN": "notification_templates",
    "SM2A_AWX_WEBHOOK_PASSWORD": "notification_templates",
}


def apply(tools: Path, controller: Controller, secrets: bool = False, **more: Any) -> tuple[str, int]:
    """Output of a run, with the secret values in the environment or without, and how many tasks reported a change."""
    where = {"CONTROLLER_HOST": controller.address, "CONTROLLER_OAUTH_TOKEN": TOKEN, **(SECRETS if secrets else {})}
    said = play(tools, APPLY, {**SETTINGS, **more}, where)
    found = RECAP.search(said)
    assert found, said
    return said, int(found[2])


@pytest.fixture(scope="module")
def applied(tools: Path, controller: Controller) -> str:
    """Output of the first run."""
    return apply(tools, controller, secrets=True)[0]


def test_everything_is_made(applied: str, controller: Controller, configuration: dict[str, Any]) -> None:
    assert applied
    names = controller.names()
    for kind, variable in (
        ("job_templates", "controller_templates"),
        ("workflow_job_templates", "controller_workflows"),
        ("schedules", "controller_schedules"),
        ("teams", "aap_teams"),
        ("labels", "controller_labels"),
        ("notification_templates", "controller_notifications"),
        ("credentials", "controller_credentials"),
    ):
        assert names[kind] == sorted(entry["name"] for entry in configuration[variable]), kind
    nodes = [node for one in configuration["controller_workflows"] for node in one["simplified_workflow_nodes"]]
    assert names["workflow_job_template_nodes"] == sorted(node["identifier"] for node in nodes)
    links = [key for key, ids in controller.store.associations.items() if key[2] == "success_nodes" and ids]
    assert len(links) == sum(bool(node.get("success_nodes")) for node in nodes)
    grants = [
        ids
        for (kind, _id, actors), ids in controller.store.associations.items()
        if (kind, actors) == ("roles", "teams")
    ]
    assert sum(map(len, grants)) == sum(
        len(role["teams"])
        * sum(len(role.get(kind, [])) for kind in ("job_templates", "workflows", "projects", "inventories"))
        for role in configuration["controller_roles"]
    )


def test_no_secret_is_where_it_does_not_belong(applied: str, controller: Controller) -> None:
    for name, value in SECRETS.items():
        assert value not in applied, name
        paths = [call.path for call in controller.calls if value in json.dumps(call.body) or value in call.path]
        assert {path.split("/")[3] for path in paths} == {GOES_TO[name]}, name
    assert TOKEN not in applied
    assert not any(TOKEN in json.dumps(call.body) or TOKEN in call.path for call in controller.calls)


@pytest.mark.usefixtures("applied")
def test_a_second_run_changes_nothing(tools: Path, controller: Controller) -> None:
    """Nor does one without the secret values, which stay where they are."""
    controller.calls.clear()
    said, changed = apply(tools, controller)
    assert changed == 0, said
    # The module sends null for a kind that is not given, which is no other value.
    assert {call.path.split("/")[3] for call in controller.changes()} <= {"inventories"}


@pytest.mark.usefixtures("applied")
def test_what_was_changed_by_hand_is_put_right(tools: Path, controller: Controller) -> None:
    store = controller.store
    deploy = next(one for one in store.all("job_templates") if one["name"] == "SM2A: deploy")
    deploy["allow_simultaneous"] = True
    release = next(one for one in store.all("workflow_job_templates") if one["name"] == "SM2A: release")
    node = store.create("workflow_job_template_nodes", {"workflow_job_template": release["id"], "identifier": "stray"})
    drift = next(one for one in store.all("job_templates") if one["name"] == "SM2A: drift")
    gone = {"name": "SM2A: drift of gone", "unified_job_template": drift["id"], "rrule": "x", "limit": "gone"}
    store.create("schedules", gone)
    own = store.create("schedules", {**gone, "name": "somebody's own"})
    [credential] = store.all("credentials")
    _said, changed = apply(tools, controller, awx_aws_region="eu-north-1")
    assert changed == 4
    assert credential["inputs"]["region"] == "eu-north-1"
    assert credential["inputs"]["secret_access_key"] == SECRETS["SM2A_AWX_SECRET_ACCESS_KEY"]
    assert deploy["allow_simultaneous"] is False
    assert store.find("workflow_job_template_nodes", node["id"]) is None
    assert [one["name"] for one in store.all("schedules")] == ["SM2A: drift of small", "somebody's own"]
    store.delete("schedules", own["id"])


@pytest.mark.usefixtures("applied")
def test_removal_takes_what_was_applied_and_only_that(tools: Path, controller: Controller) -> None:
    store = controller.store
    organization = store.all("organizations")[0]["id"]
    kept = store.create("projects", {"name": "somebody's own", "organization": organization})
    apply(tools, controller, awx_state="absent")
    assert controller.names() == {"organizations": ["SM2A"], "projects": ["somebody's own"]}
    store.delete("projects", kept["id"])
    _said, changed = apply(tools, controller, awx_state="absent")
    assert (controller.names(), changed) == ({}, 1)
    controller.calls.clear()
    _said, changed = apply(tools, controller, awx_state="absent")
    assert (changed, controller.changes()) == (0, [])


@pytest.mark.parametrize(
    ("settings", "environment", "said"),
    [
        ({}, {"CONTROLLER_OAUTH_TOKEN": ""}, "CONTROLLER_OAUTH_TOKEN is not set"),
        ({}, {"CONTROLLER_HOST": ""}, "CONTROLLER_HOST is not set"),
        ({}, {"CONTROLLER_OAUTH_TOKEN": "wrong"}, "Invalid authentication credentials"),
        ({"awx_state": "gone"}, {}, "awx_state must be present or absent, not gone"),
        ({"awx_execution_environment_image": ""}, {}, "make execution-environment"),
        ({"awx_execution_environment_image": IMAGE.partition("@")[0]}, {}, "must name an image by its digest"),
        ({}, {}, "A notification by slack needs SM2A_AWX_SLACK_TOKEN in the environment"),
    ],
)
def test_wrong_input_ends_before_a_change(
    tools: Path, controller: Controller, settings: dict[str, Any], environment: dict[str, str], said: str
) -> None:
    controller.calls.clear()
    where = {"CONTROLLER_HOST": controller.address, "CONTROLLER_OAUTH_TOKEN": TOKEN, **environment}
    output = play(tools, APPLY, {**SETTINGS, **settings}, where, fails=True)
    assert said in " ".join(output.split())
    assert controller.changes() == []
