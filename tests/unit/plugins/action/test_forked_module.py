# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A forked module sees, does and returns what it would in a Python of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support.stack.poll import wait_until
from ansible_collections.sm2a.airflow.tests.unit.plugins.two_ways import Ways, play_both_ways

MODULE = "sm2a.testing.misbehave"
# No module returns it.
CANARY = "Tr0ub4dor-'environment' $HOME"
KEYS = {"AWS_ACCESS_KEY_ID": "first", "AWS_SECRET_ACCESS_KEY": "x", "PROBE": 1, "TZ": "Europe/Paris"}
CONFIG = """
[profile other]
region = ap-south-1
aws_access_key_id = of-the-profile
aws_secret_access_key = x
"""


def deed(name: str, do: str, **keywords: Any) -> dict[str, Any]:
    """A task of the module."""
    return {"name": name, MODULE: {"do": do}, **keywords}


def tasks(directory: Path) -> list[dict[str, Any]]:
    """What a module may do to itself and to those after it."""
    return [
        deed("look", "look"),
        *[deed(do, do) for do in ("fail", "nothing", "leave", "leave at once", "crash", "make noise", "warn")],
        deed("return much", "return much"),
        {"name": "tell secret", MODULE: {"do": "tell secret", "secret": "{{ secret }}"}},
        {"name": "tell secret to nobody", MODULE: {"do": "tell secret", "secret": "{{ secret }}"}, "no_log": True},
        {"name": "wrong option", MODULE: {"do": "look", "secret": "{{ secret }}", "unknown": 1}},
        {"name": "no option", MODULE: None},
        deed("timeout", "sleep", timeout=1)
        | {MODULE: {"do": "sleep", "file": f"{directory}/{{{{ inventory_hostname }}}}"}},
        deed("check mode", "look", check_mode=True),
        deed("module_defaults", "look", module_defaults={MODULE: {"secret": "look"}}),
        deed("environment", "look", environment=KEYS),
        deed("another environment", "look", environment={**KEYS, "AWS_ACCESS_KEY_ID": "second"}),
        deed("profile", "look", environment={"AWS_PROFILE": "other", "AWS_CONFIG_FILE": f"{directory}/aws_config"}),
        # Only its length is told.
        deed("secret of the environment", "measure", environment={"PROBE": CANARY}),
        deed("change", "change"),
        deed("look after it", "look"),
        {"name": "loop", MODULE: {"do": "{{ item }}"}, "loop": ["look", "change", "look", "fail", "crash", "look"]},
        {
            "name": "loop of environments",
            MODULE: {"do": "look"},
            "environment": {"PROBE": "{{ item }}"},
            "loop": [1, 2],
        },
        deed("retries", "change", register="tried", until="tried.attempts == 3", retries=3, delay=0),
        deed("asynchronous", "look", **{"async": 30, "poll": 1}),
        deed("other interpreter", "look", vars={"ansible_python_interpreter": f"{directory}/python"}),
        deed("start of Python", "look", environment={"PYTHONHASHSEED": "0"}),
        deed("another user", "look", become=True, become_method="ansible.builtin.su"),
        deed("delegated", "look", delegate_to="own"),
        deed("delegated elsewhere", "look", delegate_to="elsewhere"),
    ]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ways")


@pytest.fixture(scope="module")
def ways(directory: Path) -> Ways:
    """All of it at once."""
    (directory / "aws_config").write_text(CONFIG, encoding="utf-8")
    (directory / "tmp").mkdir()
    environment = {"ANSIBLE_LOG_PATH": str(directory / "log"), "ANSIBLE_REMOTE_TMP": str(directory / "tmp")}
    (directory / "secret.json").write_text(json.dumps({"secret": "hunter2"}), encoding="utf-8")
    options = ("-vvv", "-e", f"@{directory}/secret.json")
    return play_both_ways(directory, tasks(directory), {}, *options, environment=environment)


def without_place(value: Any) -> Any:
    """Without what tells where the module ran."""
    if isinstance(value, dict):
        return {key: without_place(part) for key, part in value.items() if key not in ("forked", "exception")}
    if isinstance(value, (list, tuple)):
        return [without_place(part) for part in value]
    return value


NAMES = [task["name"] for task in tasks(Path("/tmp"))]


@pytest.mark.parametrize("name", sorted({*NAMES} - {"asynchronous", "timeout"}))
def test_result_is_the_same(ways: Ways, name: str) -> None:
    forked, own = ways.both(name)
    assert without_place(forked) == without_place(own)


OF_ITS_OWN = {
    "another user": "the task becomes another user",
    "asynchronous": "the task is asynchronous",
    "delegated elsewhere": "ansible_python_interpreter is",
    "other interpreter": "ansible_python_interpreter is",
    "start of Python": "the task sets PYTHONHASHSEED",
}


def looks(ways: Ways, host: str) -> dict[str, list[dict[str, Any]]]:
    """What each task saw on a host, an entry for each item of its loop."""
    found = {name: result.get("results", [result]) for name, (_status, result) in ways.results[host].items()}
    return {name: [look for look in results if "forked" in look] for name, results in found.items()}


def test_module_is_forked_where_it_can_be(ways: Ways) -> None:
    forked = {name: {look["forked"] for look in seen} for name, seen in looks(ways, "forked").items() if seen}
    assert len(forked) > len(OF_ITS_OWN)
    assert forked == {name: {name not in OF_ITS_OWN} for name in forked}
    assert {look["forked"] for seen in looks(ways, "own").values() for look in seen} == {False}


@pytest.mark.parametrize("reason", sorted({*OF_ITS_OWN.values(), "sm2a_forked_modules is false"}))
def test_verbose_output_says_why_a_module_is_not_forked(ways: Ways, reason: str) -> None:
    assert f"{MODULE} runs in a Python of its own: {reason}" in ways.output


def test_task_sees_its_own_environment(ways: Ways) -> None:
    seen = looks(ways, "forked")
    keys = {name: [look["key"] for look in seen[name]] for name in seen}
    assert keys["environment"] == ["first"]
    assert keys["another environment"] == ["second"]
    assert keys["profile"] == ["of-the-profile"]
    assert seen["profile"][0]["region"] == "ap-south-1"
    assert seen["environment"][0]["hour"] == 1


def test_the_environment_of_a_task_is_not_printed(ways: Ways, directory: Path) -> None:
    """Neither with -vvv nor in the log: it may hold credentials."""
    measured = [result["length"] for _status, result in ways.both("secret of the environment")]
    assert measured == [len(CANARY)] * 2
    assert "PROBE=" not in ways.output
    assert "Tr0ub4dor" not in ways.output
    assert "Tr0ub4dor" not in (directory / "log").read_text(encoding="utf-8")


def test_nothing_is_left_behind(ways: Ways) -> None:
    seen = looks(ways, "forked")
    first = seen["look"][0]
    assert seen["look after it"] == [first]
    assert len(seen["loop"]) == 3
    for look in seen["loop"]:
        assert {key: look[key] for key in first if key != "_ansible_no_log"} == {
            key: first[key] for key in first if key != "_ansible_no_log"
        }
    assert [look["environment"]["PROBE"] for look in seen["loop of environments"]] == ["1", "2"]


def test_timeout_ends_the_module(ways: Ways, directory: Path) -> None:
    for status, result in ways.both("timeout"):
        assert status == "failed"
        assert result["timedout"]["period"] == 1
    assert not Path(f"/proc/{(directory / 'forked').read_text()}").exists()


def test_no_secret_is_seen(ways: Ways, directory: Path) -> None:
    for name in ("tell secret", "tell secret to nobody", "wrong option"):
        assert "hunter" not in str(ways.both(name))
    assert "hunter" not in ways.output
    log = (directory / "log").read_text()
    assert "hunter" not in log
    # botocore tells the log of ansible-playbook nothing.
    assert "found the secret" not in log


def test_no_temporary_file_stays(ways: Ways, directory: Path) -> None:
    assert ways.both("look")[0][1]["temporary"]
    # async_wrapper removes its own after ansible-playbook has read the result.
    wait_until("no temporary file is left", lambda: not list((directory / "tmp").iterdir()), seconds=60)
