# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Every argument of every call of awx.awx against the documentation of its module."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.sm2a.airflow.tests.awx.stand_in.fields import FACTS
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT

ARGUMENTS: dict[str, dict[str, dict[str, Any]]] = json.loads((FACTS / "arguments.json").read_text(encoding="utf-8"))[
    "modules"
]
KINDS: dict[str, Any] = {"str": str, "bool": bool, "int": int, "dict": dict, "list": list, "float": (int, float)}
# The module of each variable whose entries are its arguments.
DATA = {
    "aap_organizations": "organization",
    "aap_teams": "team",
    "controller_labels": "label",
    "controller_credential_types": "credential_type",
    "controller_credentials": "credential",
    "controller_execution_environments": "execution_environment",
    "controller_projects": "project",
    "controller_inventories": "inventory",
    "controller_inventory_sources": "inventory_source",
    "controller_notifications": "notification_template",
    "controller_templates": "job_template",
    "controller_workflows": "workflow_job_template",
    "controller_schedules": "schedule",
    "controller_roles": "role",
}


def wrong(module: str, arguments: Mapping[str, Any]) -> Iterator[str]:
    """One sentence for each argument that the module does not have so."""
    options = ARGUMENTS[module]
    for name, value in arguments.items():
        option = options.get(name)
        if option is None:
            yield f"{module} has no {name}"
        elif isinstance(value, str) and "{{" in value:
            continue
        elif not isinstance(value, KINDS[option.get("type", "str")]):
            yield f"{name} of {module} is {value!r}, not {option.get('type', 'str')}"
        elif "choices" in option and value not in option["choices"]:
            yield f"{name} of {module} is {value!r}, not one of {option['choices']}"
    for name, option in options.items():
        if option.get("required") and name not in arguments:
            yield f"{module} needs {name}"


@pytest.mark.parametrize("variable", sorted(DATA))
def test_entries_are_arguments(configuration: dict[str, Any], variable: str) -> None:
    entries = configuration[variable]
    assert entries
    kept = [{name: value for name, value in entry.items() if name != "simplified_workflow_nodes"} for entry in entries]
    assert [problem for entry in kept for problem in wrong(DATA[variable], entry)] == []


def test_nodes_are_arguments(configuration: dict[str, Any]) -> None:
    for workflow in configuration["controller_workflows"]:
        place = {"workflow_job_template": workflow["name"], "organization": workflow["organization"]}
        for node in workflow["simplified_workflow_nodes"]:
            assert list(wrong("workflow_job_template_node", {**node, **place})) == []
            assert ("approval_node" in node) != ("unified_job_template" in node)


def calls() -> Iterator[tuple[str, Any]]:
    """The module and the arguments of every task of the apply."""
    for path in sorted((PROJECT / "extensions/awx/apply").glob("*.yml")):
        for task in yaml.safe_load(path.read_text(encoding="utf-8")):
            for name, arguments in task.items():
                if name.startswith("awx.awx."):
                    yield name.removeprefix("awx.awx."), arguments


def test_tasks_call_with_arguments_that_the_modules_have() -> None:
    found = list(calls())
    assert {module for module, _arguments in found} == ARGUMENTS.keys()
    written = [(module, arguments) for module, arguments in found if isinstance(arguments, dict)]
    assert len(written) > 10
    assert [problem for module, arguments in written for problem in wrong(module, arguments)] == []


def documented(module: str, folder: Path) -> dict[str, dict[str, Any]]:
    """The same facts from the module itself."""
    source = (folder / f"{module}.py").read_text(encoding="utf-8")
    text = re.search(r"DOCUMENTATION = '''(.*?)'''", source, re.DOTALL)
    assert text
    kept = ("type", "elements", "choices", "required", "aliases")
    options = yaml.safe_load(text[1])["options"]
    return {name: {key: value for key, value in option.items() if key in kept} for name, option in options.items()}


@pytest.mark.parametrize("module", sorted(ARGUMENTS))
def test_facts_are_those_of_the_modules(module: str) -> None:
    spec = importlib.util.find_spec("ansible_collections.awx.awx")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("this environment has no awx.awx; that of Python 3.11 has it")
    folder = Path(next(iter(spec.submodule_search_locations))) / "plugins/modules"
    assert documented(module, folder) == ARGUMENTS[module]
