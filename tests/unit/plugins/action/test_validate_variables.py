# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Wrong variables are refused, by name, before the first change."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.check import converted, public
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.names import (
    missing_variables,
    own_variables,
    unknown_variables,
    wired_variables,
)
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.specs import owner_of, role_defaults
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.stack_options import STACK_OPTIONS
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tests.support.role_files import defaults

SPECS: dict[str, dict[str, dict[str, Any]]] = {
    "sm2a": STACK_OPTIONS,
    "load": {"load_factor": {"type": "int"}},
    "load_balancer": {
        "sm2a_name": {"type": "str", "required": True},
        "load_balancer_port": {"type": "int"},
        "load_balancer_scheme": {"type": "str", "choices": ["internal", "internet-facing"]},
        "load_balancer_rules": {
            "type": "list",
            "elements": "dict",
            "options": {"host": {"type": "str", "required": True}, "secret": {"type": "str", "no_log": True}},
        },
        "load_balancer_tags": {"type": "dict"},
    },
}


def test_longest_prefix_owns_a_variable() -> None:
    assert owner_of("load_balancer_port", SPECS) == "load_balancer"
    assert owner_of("load_factor", SPECS) == "load"
    assert owner_of("loader_port", SPECS) is None


def test_misspelt_variable_is_named_with_the_likely_one() -> None:
    problems = unknown_variables(["load_balancer_prot", "ansible_host", "__load_balancer_x"], SPECS)
    assert problems == [
        "load_balancer_prot: load_balancer has no such variable; did you mean load_balancer_port?",
    ]


def test_a_misspelt_prefix_is_named_too() -> None:
    problems = unknown_variables(["load_balancr_port", "lode_balancer_scheme", "load_port", "image_port"], SPECS)
    assert problems == [
        "load_balancr_port: load has no such variable; did you mean load_balancer_port?",
        "load_port: load has no such variable",
        "lode_balancer_scheme: there is no such variable; did you mean load_balancer_scheme?",
    ]


@pytest.mark.parametrize(
    "name", ["lb_port", "LB_PORT", "Load_Balancer_port", "load-balancer-port", "LOAD_BALANCER_PORT"]
)
def test_short_prefixes_and_capitals_are_named_too(name: str) -> None:
    assert unknown_variables([name], SPECS) == [
        f"{name}: there is no such variable; did you mean load_balancer_port?",
    ]


@pytest.mark.parametrize("name", ["lb_color", "db_port", "port", "company_port", "LB", "Port"])
def test_variables_of_the_user_are_none_of_ours(name: str) -> None:
    assert unknown_variables([name], SPECS) == []


def test_what_an_option_is_made_of_may_be_short_for_it() -> None:
    assert unknown_variables(["lb_port"], SPECS, {"load_balancer_port"}) == []


def test_what_the_playbook_sets_itself_is_refused() -> None:
    own = {"network_kms_key_arn", "airflow_wait", "network_state", "network_cidr", "cluster_worker_groups"}
    plays = yaml.safe_load((PROJECT / "playbooks/site.yml").read_text(encoding="utf-8"))
    assert wired_variables(own, plays) == [
        "airflow_wait: this playbook sets it itself; take it away",
        "cluster_worker_groups: this playbook sets it itself; set airflow_worker_groups instead",
        "network_kms_key_arn: this playbook sets it itself; take it away",
        "network_state: this playbook sets it itself; take it away",
    ]


def test_defaults_of_roles_are_not_the_users_variables() -> None:
    given = {"airflow_cluster_name": "{{ sm2a_name }}", "airflow_wait": True, "images_git": True, "sm2a_name": "a"}
    assert own_variables(given, role_defaults()) == {"images_git", "sm2a_name"}


def test_published_fact_is_no_unknown_variable() -> None:
    assert unknown_variables(["load_balancer_outputs"], SPECS) == []


@pytest.mark.parametrize("name", STACK_OPTIONS)
def test_every_variable_of_the_stack_does_something(name: str) -> None:
    files = [*(PROJECT / "playbooks").glob("*.yml"), *(PROJECT / "roles").glob("*/vars/**/*.yml")]
    files += [PROJECT / f"plugins/plugin_utils/{file}.py" for file in ("forked_module", "progress")]
    assert any(name in file.read_text(encoding="utf-8") for file in files)


SPEC: dict[str, dict[str, Any]] = {
    "role_on": {"type": "bool", "default": True},
    "role_port": {"type": "int"},
    "role_password": {"type": "str", "no_log": True},
}


def test_every_variable_has_a_value_and_secrets_are_not_public() -> None:
    typed, problems = converted({"role_on": "false", "role_password": "x"}, (), SPEC)
    assert problems == {}
    assert typed == {"role_on": False, "role_port": None, "role_password": "x"}
    assert public(typed, SPEC) == {"role_on": False, "role_port": None}


def test_what_is_not_known_yet_is_left_out() -> None:
    assert converted({}, {"role_port"}, SPEC) == ({"role_on": True, "role_password": None}, {})


def test_the_defaults_of_a_role_are_those_that_are_published(tmp_path: Path) -> None:
    tasks: list[dict[str, Any]] = [
        {"name": "Check", "sm2a.airflow.validate_variables": None},
        {"name": "Write", "ansible.builtin.copy": {"content": "{{ sm2a_inputs | to_json }}", "dest": f"{tmp_path}/x"}},
    ]
    given = {"sm2a_name": "try", "sm2a_region": "eu-west-1", "airflow_metrics_enabled": "false"}
    run = play(tmp_path, given, tasks)
    assert run.returncode == 0, run.stdout + run.stderr
    inputs = json.loads((tmp_path / "x").read_text())
    assert inputs["airflow_metrics_enabled"] is False
    assert inputs["load_balancer_https_port"] == defaults("load_balancer")["load_balancer_https_port"]
    assert inputs["sm2a_lock"] is True


def test_credentials_are_in_no_fact_and_in_no_output(tmp_path: Path) -> None:
    tasks: list[dict[str, Any]] = [
        {"name": "Check", "sm2a.airflow.validate_variables": None},
        {"name": "Show", "ansible.builtin.debug": {"var": "sm2a_inputs"}},
    ]
    given = {
        "sm2a_name": "try",
        "sm2a_region": "eu-west-1",
        "sm2a_aws_environment": {"AWS_SECRET_ACCESS_KEY": "Tr0ub4dor-key"},
        "secrets_variables": {"a": "Tr0ub4dor-variable"},
        "airflow_metrics_enabled": "false",
    }
    run = play(tmp_path, given, tasks, "-vvv")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "airflow_metrics_enabled" in run.stdout
    assert "Tr0ub4dor" not in run.stdout + run.stderr


def test_a_renamed_variable_is_named_with_its_new_name(tmp_path: Path) -> None:
    renamed = {"network_load_balancer_allowed_cidrs": "load_balancer_allowed_cidrs"}
    tasks = [{"name": "Check", "sm2a.airflow.validate_variables": {"renamed": renamed}}]
    given = {"sm2a_name": "try", "sm2a_region": "eu-west-1", "network_load_balancer_allowed_cidrs": ["10.0.0.0/8"]}
    run = play(tmp_path, given, tasks)
    assert run.returncode == 2, run.stdout
    assert "network_load_balancer_allowed_cidrs: is called load_balancer_allowed_cidrs here" in run.stdout + run.stderr


def test_required_variable_of_the_stack_is_named() -> None:
    assert missing_variables({"sm2a_region": "eu-west-1", "sm2a_name": ""}, STACK_OPTIONS) == ["sm2a_name: is required"]


def play(
    tmp_path: Path, variables: dict[str, Any], tasks: list[dict[str, Any]] | None = None, *options: str
) -> subprocess.CompletedProcess[str]:
    """Run a play with these tasks, or one that checks its variables and then would change something."""
    tasks = tasks or [
        {"name": "Check", "sm2a.airflow.validate_variables": None},
        {"name": "Change", "ansible.builtin.file": {"path": str(tmp_path / "changed"), "state": "touch"}},
    ]
    book = tmp_path / "play.yml"
    book.write_text(json.dumps([{"name": "Try", "hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", "-c", "local"]
    extra = {"ansible_python_interpreter": sys.executable, **variables}
    # A file of variables, as -vvv shows the command line.
    given = tmp_path / "given.json"
    given.write_text(json.dumps(extra))
    return subprocess.run(
        [*command, *options, "-e", f"@{given}", str(book)], cwd=PROJECT, capture_output=True, text=True, check=False
    )


def test_play_stops_before_its_first_change(tmp_path: Path) -> None:
    run = play(tmp_path, {"sm2a_name": "try", "sm2a_regoin": "eu-west-1"})
    assert run.returncode == 2, run.stdout
    assert "sm2a_regoin: sm2a has no such variable; did you mean sm2a_region?" in run.stdout + run.stderr
    assert "sm2a_region: is required" in run.stdout + run.stderr
    assert not (tmp_path / "changed").exists()


def test_play_goes_on_with_right_variables(tmp_path: Path) -> None:
    late = "{{ network_outputs.vpc_id }}"
    run = play(tmp_path, {"sm2a_name": "try", "sm2a_region": "eu-west-1", "sm2a_tags": {"late": late}})
    assert run.returncode == 0, run.stdout + run.stderr
    assert (tmp_path / "changed").exists()


def test_what_an_earlier_check_published_is_no_variable_of_the_user(tmp_path: Path) -> None:
    """Facts last as long as a run, and longer in a cache."""
    check: dict[str, Any] = {"name": "Check", "sm2a.airflow.validate_variables": None}
    run = play(tmp_path, {"sm2a_name": "try", "sm2a_region": "eu-west-1"}, [check, check])
    assert run.returncode == 0, run.stdout + run.stderr


def test_what_a_workflow_hands_on_is_no_variable_of_the_user(tmp_path: Path) -> None:
    """The statistics of an earlier job, and what a controller says of this one."""
    summary = {"try": {"url": "https://airflow.example.com", "changes": {"created": 1}}}
    given = {"sm2a_name": "try", "sm2a_region": "eu-west-1", "sm2a_summary": summary, "awx_job_id": 41}
    run = play(tmp_path, given)
    assert run.returncode == 0, run.stdout + run.stderr


def test_play_stops_when_right_types_do_not_fit_together(tmp_path: Path) -> None:
    group = {"name": "a", "queue": "a", "cpu": 1024, "memory": 1000, "concurrency": 4, "min": 0, "max": 2}
    run = play(tmp_path, {"sm2a_name": "try", "sm2a_region": "eu-west-1", "airflow_worker_groups": [group]})
    assert run.returncode == 2, run.stdout
    assert "airflow_worker_groups, group a: with 1024 CPU units Fargate offers" in run.stdout + run.stderr
    assert not (tmp_path / "changed").exists()
