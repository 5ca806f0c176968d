# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The controller's configuration fits together: playbooks, names, hosts, workflows, and what keeps jobs apart."""

from __future__ import annotations

from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.stack_options import STACK_OPTIONS
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT

AWX = PROJECT / "extensions/awx"
PLAYBOOKS = sorted(path.name for path in (PROJECT / "playbooks").glob("*.yml"))
LINKS = ("success_nodes", "failure_nodes", "always_nodes")
# What an entry names, and the variable that has it.
NAMED = {
    "organization": "aap_organizations",
    "lookup_organization": "aap_organizations",
    "project": "controller_projects",
    "projects": "controller_projects",
    "source_project": "controller_projects",
    "inventory": "controller_inventories",
    "inventories": "controller_inventories",
    "execution_environment": "controller_execution_environments",
    "default_environment": "controller_execution_environments",
    "credentials": "controller_credentials",
    "credential_type": "controller_credential_types",
    "labels": "controller_labels",
    "teams": "aap_teams",
    "job_templates": "controller_templates",
    "workflows": "controller_workflows",
    "notification_templates_success": "controller_notifications",
    "notification_templates_error": "controller_notifications",
    "notification_templates_approvals": "controller_notifications",
}
LISTS = {*NAMED.values(), "controller_inventory_sources", "controller_schedules", "controller_roles"}


def names(configuration: dict[str, Any], variable: str) -> set[str]:
    """Names of the entries of a variable."""
    return {entry["name"] for entry in configuration[variable]}


def hosts() -> set[str]:
    """The environments of the inventory that the pack names."""
    settings = yaml.safe_load((AWX / "controller/settings.yml").read_text(encoding="utf-8"))
    inventory = yaml.safe_load((PROJECT / settings["awx_inventory_path"]).read_text(encoding="utf-8"))
    return set(inventory["sm2a"]["hosts"])


def test_every_playbook_has_a_template_or_a_reason(configuration: dict[str, Any]) -> None:
    without = yaml.safe_load((AWX / "without_template.yml").read_text(encoding="utf-8"))
    launched = {Path(template["playbook"]).name for template in configuration["controller_templates"]}
    assert launched & without.keys() == set()
    assert set(PLAYBOOKS) <= launched | without.keys()
    assert without.keys() <= set(PLAYBOOKS)
    assert all(len(reason) > 20 for reason in without.values())


def test_every_template_has_a_playbook(configuration: dict[str, Any]) -> None:
    missing = [
        template["playbook"]
        for template in configuration["controller_templates"]
        if not (PROJECT / template["playbook"]).is_file()
    ]
    assert missing == []


@pytest.mark.parametrize("variable", sorted(LISTS))
def test_what_is_named_is_there(configuration: dict[str, Any], variable: str) -> None:
    for entry in configuration[variable]:
        for field, kind in NAMED.items():
            given = entry.get(field) or []
            assert {given} if isinstance(given, str) else set(given) <= names(configuration, kind), (entry, field)


@pytest.mark.parametrize("variable", sorted({*LISTS} - {"controller_roles"}))
def test_names_are_used_once(configuration: dict[str, Any], variable: str) -> None:
    assert len(names(configuration, variable)) == len(configuration[variable])


def test_schedules_are_of_hosts_and_templates(configuration: dict[str, Any]) -> None:
    assert configuration["controller_schedules"]
    for schedule in configuration["controller_schedules"]:
        assert schedule["limit"] in hosts()
        assert schedule["unified_job_template"] in names(configuration, "controller_templates")
        assert schedule["rrule"].startswith("DTSTART;TZID=UTC:20260101T030000 RRULE:FREQ=DAILY")


def test_no_job_runs_without_an_environment_or_beside_another(configuration: dict[str, Any]) -> None:
    for entry in (*configuration["controller_templates"], *configuration["controller_workflows"]):
        assert entry["limit"] == configuration["awx_no_environment"]
        assert entry["ask_limit_on_launch"] is True
        assert entry["allow_simultaneous"] is False
    assert configuration["awx_no_environment"] not in hosts()


def test_a_job_may_take_longer_than_a_lock_lasts(configuration: dict[str, Any]) -> None:
    asked = {one["variable"] for survey in configuration["awx_surveys"].values() for one in survey["spec"]}
    assert "sm2a_lock_timeout" not in asked
    for template in configuration["controller_templates"]:
        assert template["timeout"] > STACK_OPTIONS["sm2a_lock_timeout"]["default"]


def test_workflows_are_chains_that_end_with_a_failure(configuration: dict[str, Any]) -> None:
    """One beginning, no circle, and nothing that follows a failure, which would make the workflow a success."""
    launched = {
        name
        for kind in ("controller_templates", "controller_projects", "controller_inventory_sources")
        for name in names(configuration, kind)
    }
    for workflow in configuration["controller_workflows"]:
        nodes = {node["identifier"]: node for node in workflow["simplified_workflow_nodes"]}
        assert len(nodes) == len(workflow["simplified_workflow_nodes"])
        followers = {name: set(node.get("success_nodes", [])) for name, node in nodes.items()}
        TopologicalSorter(followers).prepare()
        followed = set().union(*followers.values())
        assert followed <= nodes.keys()
        assert len(nodes.keys() - followed) == 1
        assert not any(node.get(link) for node in nodes.values() for link in LINKS[1:])
        assert {node["unified_job_template"] for node in nodes.values() if "approval_node" not in node} <= launched


def test_nothing_is_changed_before_somebody_agreed(configuration: dict[str, Any]) -> None:
    reading = {
        template["name"]
        for template in configuration["controller_templates"]
        if template["job_type"] == "check" or template["playbook"] == "playbooks/preflight.yml"
    }
    sources = names(configuration, "controller_projects") | names(configuration, "controller_inventory_sources")
    for workflow in configuration["controller_workflows"]:
        order = [node.get("unified_job_template") for node in workflow["simplified_workflow_nodes"]]
        agreed = order.index(None)
        assert set(order[:agreed]) <= reading | sources
        assert set(order[agreed + 1 :]) - reading


def test_what_is_said_to_read_only_reads(configuration: dict[str, Any]) -> None:
    for template in configuration["controller_templates"]:
        reads = template["job_type"] == "check" or template["playbook"] == "playbooks/preflight.yml"
        assert ("reads only" in template["labels"]) == reads
        assert ("changes AWS" in template["labels"]) != (reads or template["playbook"] == "playbooks/smoke_dag.yml")


def test_a_removal_needs_two_people(configuration: dict[str, Any]) -> None:
    may = [role for role in configuration["controller_roles"] if role["role"] == "execute"]
    launched = {name for role in may for name in role.get("job_templates", [])}
    assert names(configuration, "controller_templates") - launched == {"SM2A: teardown"}
    assert {team for role in may for team in role["teams"]} == {"SM2A operators"}
    approving = [role["teams"] for role in configuration["controller_roles"] if role["role"] == "approval"]
    assert approving == [["SM2A approvers"]]
