# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What every role promises: a typed interface equal to its defaults, prefixed names, a contents page, facts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.specs import entry_points, is_secret, role_spec
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tests.support.role_files import defaults, main_options, read_yaml, role_names

ONE_SCREEN = 60  # lines
INCLUDES = {"ansible.builtin.include_tasks", "ansible.builtin.import_tasks"}
COMMON = {"sm2a_name": "str", "sm2a_tags": "dict"}
ROLES = role_names()
README_FILES = sorted((PROJECT / "roles").glob("*/README.md"))
# These look at AWS, or at Airflow, and make nothing that could be removed.
LOOKING = {"preflight", "smoke_dag"}
# These publish nothing about AWS.
WITHOUT_FACTS = {"local_aws"} | LOOKING


def task_files(role: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Name and tasks of each task and handler file, blocks flattened."""
    for folder in ("tasks", "handlers"):
        for path in sorted((PROJECT / "roles" / role / folder).glob("*.yml")):
            yield f"{folder}/{path.name}", list(_flatten(read_yaml(path) or []))


def _flatten(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for task in tasks:
        yield task
        for part in ("block", "rescue", "always"):
            yield from _flatten(task.get(part, []))


def test_there_are_roles() -> None:
    expected = {
        *("network", "secrets", "storage", "database", "broker", "load_balancer", "images", "cluster"),
        *("airflow", "autoscaler", "local_aws", "preflight"),
    }
    assert expected <= set(ROLES)


@pytest.mark.parametrize("role", ROLES)
def test_defaults_equal_the_spec(role: str) -> None:
    specified = {name: option["default"] for name, option in main_options(role).items() if "default" in option}
    given = {name: value for name, value in defaults(role).items() if not _is_template(value)}
    assert set(defaults(role)) <= set(main_options(role)), "a default that the spec does not know"
    assert given == {name: value for name, value in specified.items() if name in given}
    unset = set(specified) - set(defaults(role)) - set(COMMON)
    assert unset == set(), "specified defaults that defaults/main.yml does not set"


def _is_template(value: Any) -> bool:
    return isinstance(value, str) and "{{" in value


@pytest.mark.parametrize("role", ROLES)
def test_required_options_have_no_default(role: str) -> None:
    required = {name for name, option in main_options(role).items() if option.get("required")}
    assert required & set(defaults(role)) == set()


@pytest.mark.parametrize("role", ROLES)
def test_every_option_is_typed_and_described(role: str) -> None:
    for name, option in main_options(role).items():
        assert option.get("type"), f"{name} has no type"
        assert option.get("description"), f"{name} has no description"
        if option["type"] == "list":
            assert option.get("elements"), f"{name} does not say what it is a list of"


@pytest.mark.parametrize("role", ROLES)
def test_option_names_start_with_the_role(role: str) -> None:
    foreign = {name for name in main_options(role) if not name.startswith(f"{role}_")} - set(COMMON)
    assert foreign == set()


@pytest.mark.parametrize("role", [role for role in ROLES if role != "local_aws"])
def test_common_options_are_there(role: str) -> None:
    options = main_options(role)
    assert {name: options.get(name, {}).get("type") for name in COMMON} == COMMON
    assert options["sm2a_name"].get("required") is True


@pytest.mark.parametrize("role", [role for role in ROLES if role not in LOOKING])
def test_state_is_present_or_absent(role: str) -> None:
    state = main_options(role)[f"{role}_state"]
    assert state["choices"] == ["present", "absent"]
    assert state["default"] == "present"


@pytest.mark.parametrize("role", ROLES)
def test_internal_names_start_with_the_role(role: str) -> None:
    own = re.compile(rf"__{role}_\w+")
    for path in (PROJECT / "roles" / role / "vars").rglob("*.yml"):
        wrong = [name for name in read_yaml(path) or {} if not own.fullmatch(name)]
        assert wrong == [], f"{path.name}: {wrong}"
    for file, tasks in task_files(role):
        for task in tasks:
            registered = task.get("register")
            assert registered is None or own.fullmatch(registered), f"{file} registers {registered}"
            facts = set(task.get("ansible.builtin.set_fact", {})) - {"cacheable"}
            wrong = [name for name in facts if not own.fullmatch(name) and name != f"{role}_outputs"]
            assert wrong == [], f"{file} sets {wrong}"


@pytest.mark.parametrize("role", ROLES)
def test_main_is_a_contents_page(role: str) -> None:
    path = PROJECT / "roles" / role / "tasks/main.yml"
    assert len(path.read_text(encoding="utf-8").splitlines()) <= ONE_SCREEN
    for task in read_yaml(path)[1:]:
        assert INCLUDES & set(task), f"{task.get('name')} is no include"


@pytest.mark.parametrize("role", ROLES)
def test_every_entry_point_begins_with_its_inputs(role: str) -> None:
    tasks = PROJECT / "roles" / role / "tasks"
    for entry_point in entry_points(role):
        expected = {"entry_point": entry_point} if entry_point != "main" else None
        assert read_yaml(tasks / f"{entry_point}.yml")[0].get("sm2a.airflow.role_inputs", "missing") == expected
    checking = [path.stem for path in tasks.glob("*.yml") if "sm2a.airflow.role_inputs" in path.read_text()]
    assert sorted(checking) == sorted(entry_points(role))


@pytest.mark.parametrize("role", ROLES)
def test_the_role_reads_its_options_only_from_its_inputs(role: str) -> None:
    """Text from a survey, a command line or an INI inventory has not the type that the option declares."""
    secret = {name for name, option in role_spec(role).items() if is_secret(option)}
    raw = re.compile(rf"(?<![\w.'\"])({'|'.join(map(re.escape, set(role_spec(role)) - secret))})\b(?!\s*=[^=])")
    files = [path for part in ("tasks", "vars", "templates") for path in (PROJECT / "roles" / role / part).rglob("*")]
    for path in files:
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        expressions = [*re.findall(r"\{\{.*?\}\}|\{%.*?%\}", text, flags=re.S)]
        conditions = re.findall(r"^ *(?:- )?(?:when|that|failed_when|changed_when|until|loop): (.*)", text, flags=re.M)
        for expression in [*expressions, *conditions]:
            without_text = re.sub(r"'[^']*'", "", expression)
            assert not raw.search(without_text), f"{path.name}: {expression}"
            assert not re.search(rf"{role}_inputs\.\w+ \| (int|bool)\b", expression), f"{path.name}: {expression}"


@pytest.mark.parametrize("role", ROLES)
def test_no_input_has_the_name_of_a_method(role: str) -> None:
    """Of a dictionary Jinja finds its methods first."""
    assert not {name.removeprefix(f"{role}_") for name in role_spec(role)} & set(dir({}))


@pytest.mark.parametrize("role", ROLES)
def test_present_absent_and_readme_exist(role: str) -> None:
    for name in ("README.md",) if role in LOOKING else ("tasks/present.yml", "tasks/absent.yml", "README.md"):
        assert (PROJECT / "roles" / role / name).is_file(), name


def descriptions(node: Any) -> Iterator[str]:
    """Every sentence of a spec."""
    for key, value in node.items() if isinstance(node, dict) else ():
        if key in ("description", "short_description"):
            yield from [value] if isinstance(value, str) else value
        else:
            yield from descriptions(value)


@pytest.mark.parametrize("role", ROLES)
def test_a_description_is_no_template(role: str) -> None:
    """Ansible renders the whole spec of a role when it checks the arguments."""
    told = list(descriptions(read_yaml(PROJECT / f"roles/{role}/meta/argument_specs.yml")))
    assert told
    assert [sentence for sentence in told if "{{" in sentence] == []


@pytest.mark.parametrize("path", README_FILES, ids=lambda path: path.parent.name)
def test_examples_leave_the_check_of_options_to_the_role(path: Path) -> None:
    """Ansible's own check, which the keyword ``roles`` of a play always makes, refuses text of surveys."""
    examples = [
        part
        for text in re.findall(r"```yaml\n(.*?)```", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        if isinstance(parts := yaml.safe_load(text), list)
        for part in parts
    ]
    tasks = [task for part in examples for task in _flatten(part.get("tasks", [part]))]
    imported = [task["ansible.builtin.import_role"] for task in tasks if "ansible.builtin.import_role" in task]
    assert [part for part in examples if "roles" in part] == []
    assert [one for one in imported if one.get("rolespec_validate") is not False] == []


@pytest.mark.parametrize("role", [role for role in ROLES if role not in WITHOUT_FACTS])
def test_facts_publish_exactly_the_outputs(role: str) -> None:
    published = [
        name
        for file, tasks in task_files(role)
        for task in tasks
        for name in task.get("ansible.builtin.set_fact", {})
        if not name.startswith("__") and name != "cacheable"
    ]
    assert set(published) == {f"{role}_outputs"}
    assert (PROJECT / "roles" / role / "tasks/facts.yml").is_file()


@pytest.mark.parametrize("role", [role for role in ROLES if role not in WITHOUT_FACTS])
def test_facts_only_read(role: str) -> None:
    """By modules that can do nothing else, not by those that manage something and are told not to."""
    for file, tasks in task_files(role):
        told = [task["name"] for task in tasks if task.get("check_mode") is True]
        assert told == [], f"{file} has tasks that are always in check mode"
        if file in ("tasks/facts.yml", "tasks/outputs.yml"):
            modules = {
                module for task in tasks for module in task if module.startswith(("amazon.aws.", "sm2a.airflow."))
            }
            assert {module for module in modules if not module.endswith("_info")} <= {"sm2a.airflow.role_inputs"}


@pytest.mark.parametrize("role", ROLES)
def test_ids_are_made_up_by_modules(role: str) -> None:
    for path in (PROJECT / "roles" / role).rglob("*.yml"):
        assert not re.search("0{12}", path.read_text(encoding="utf-8")), f"{path} has a made-up id"


@pytest.mark.parametrize("role", ROLES)
def test_region_endpoint_and_credentials_come_from_the_play(role: str) -> None:
    never = {"region", "endpoint_url", "aws_access_key", "access_key", "secret_key", "session_token", "profile"}
    for file, tasks in task_files(role):
        for task in tasks:
            for module, arguments in task.items():
                if module.startswith(("amazon.aws.", "sm2a.airflow.")) and isinstance(arguments, dict):
                    assert never & set(arguments) == set(), f"{file}: {task.get('name')}"


@pytest.mark.parametrize("role", ROLES)
def test_no_sleep_and_no_aws_by_command_line(role: str) -> None:
    commands = {"ansible.builtin.shell", "ansible.builtin.command", "ansible.builtin.raw", "ansible.builtin.script"}
    for file, tasks in task_files(role):
        for task in tasks:
            pause = "ansible.builtin.pause" in task or set(task.get("ansible.builtin.wait_for", {})) == {"timeout"}
            assert not pause, f"{file}: {task.get('name')} sleeps"
            for module in commands & set(task):
                assert not re.search(r"\baws\b (?!.*sm2a)", str(task[module])), f"{file}: {task.get('name')}"
