# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""No secret value shows in what ansible-playbook prints with -vvv and --diff, in its log or in its fact cache.

The modules run in processes of their own here, as for a user, not in process as in the other tests of this folder.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tests.support.stack.canaries import leaks, secret_values

PLAYBOOK = """
- hosts: sm2a
  gather_facts: false
  module_defaults:
    group/sm2a.airflow.aws:
      region: "{{ sm2a_region }}"
      endpoint_url: "{{ sm2a_endpoint_url }}"
  environment: "{{ sm2a_aws_environment }}"
  tasks:
    - sm2a.airflow.validate_variables:
      when: validated | default(true)
    - ansible.builtin.include_role:
        name: sm2a.airflow.secrets
    - ansible.builtin.set_fact:
        kept_outputs: "{{ secrets_outputs }}"
        cacheable: true
"""
GIVEN = "Tr0ub4dor-given-{}"
KINDS = ("uri", "dict", "variable", "env", "file", "secret", "team", "limits")
GROUP = {
    "name": "team",
    "queue": "team",
    "cpu": 1024,
    "memory": 2048,
    "concurrency": 4,
    "min": 0,
    "max": 4,
    "own_task_role": True,
}


@dataclass(frozen=True)
class Given:
    """What a user gives: values that must not show, and the variables that lead to them."""

    directory: Path
    aws: runs.ControlPlane

    def values(self, serial: str) -> list[str]:
        """The canaries of one run."""
        return [f"{GIVEN.format(kind)}-{serial}" for kind in KINDS]

    def variables(self, serial: str) -> dict[str, Any]:
        """One connection or variable of every kind, each with a canary."""
        uri, member, variable, _environment, file, secret, team, limits = self.values(serial)
        (self.directory / "value.txt").write_text(f"{file}\n", encoding="utf-8")
        manager = self.aws.client("secretsmanager")
        try:
            manager.put_secret_value(SecretId="of-others", SecretString=json.dumps({"uri": secret}))
        except manager.exceptions.ResourceNotFoundException:
            manager.create_secret(Name="of-others", SecretString=json.dumps({"uri": secret}))
        return {
            "sm2a_endpoint_url": self.aws.endpoint,
            "sm2a_forked_modules": False,
            "secrets_connections": {
                "uri": f"postgresql://reader:{uri}@warehouse.example.com/facts",
                "dict": {"conn_type": "http", "host": "example.com", "password": member},
                "env": {"value_from": {"environment": "CANARY"}},
                "file": {"value_from": {"file": str(self.directory / "value.txt")}},
            },
            "secrets_variables": {"text": variable, "other": {"value_from": {"secret": "of-others", "key": "uri"}}},
            "airflow_worker_groups": [GROUP],
            "secrets_group_connections": {"team": {"uri": f"postgresql://reader:{team}@team.example.com/facts"}},
            "secrets_group_variables": {"team": {"text": limits}},
        }

    def play(self, serial: str, *options: str, variables: dict[str, Any]) -> tuple[int, str]:
        """Run the role; exit code, and everything that it left: output, log and cached facts."""
        (self.directory / "role.yml").write_text(PLAYBOOK, encoding="utf-8")
        (self.directory / "variables.json").write_text(json.dumps(variables), encoding="utf-8")
        log, cache = self.directory / f"{serial}.log", self.directory / "facts"
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_"))}
        environment = {
            **clean,
            "ANSIBLE_CACHE_PLUGIN": "jsonfile",
            "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(cache),
            "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
            # From ansible-core 2.21 on the arguments of modules show only when asked for.
            "ANSIBLE_INJECT_INVOCATION": "1",
            "ANSIBLE_LOG_PATH": str(log),
            "ANSIBLE_NOCOLOR": "1",
            "CANARY": self.values(serial)[3],
        }
        command = [str(Path(sys.executable).parent / "ansible-playbook"), "-vvv", "--diff", *options]
        command += ["-i", str(runs.HERE / "inventory.yml"), "-e", f"@{self.directory / 'variables.json'}"]
        done = subprocess.run(
            [*command, str(self.directory / "role.yml")],
            cwd=PROJECT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        left = [log, *cache.glob("*")]
        return done.returncode, done.stdout + "".join(path.read_text(encoding="utf-8") for path in left)

    def shown(self, text: str, serial: str) -> list[str]:
        """Which canaries, given or generated, ``text`` shows, or credentials; never the values themselves."""
        own = {value: value.rsplit("-", 2)[1] for value in self.values(serial)}
        own[runs.SECRET_KEY] = "credentials of sm2a_aws_environment"
        return leaks(text, {**secret_values(self.aws.client("secretsmanager")), **own})


@pytest.fixture(scope="module")
def given(control_plane: runs.ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Given:
    return Given(tmp_path_factory.mktemp("canaries"), control_plane)


def test_a_deployment_and_a_change_show_no_value(given: Given) -> None:
    for serial, options in (("first", ["--check"]), ("first", []), ("second", [])):
        code, text = given.play(serial, *options, variables=given.variables(serial))
        assert code == 0, text[-3000:]
        assert given.shown(text, serial) == []
        assert "value: VALUE_SPECIFIED_IN_NO_LOG_PARAMETER" in text, "the arguments of the modules are not shown"
    stored = secret_values(given.aws.client("secretsmanager"))
    assert set(given.values("second")) <= set(stored), "not every canary arrived in Secrets Manager"
    assert len(stored) >= 10


def test_errors_show_no_value(given: Given) -> None:
    variables = given.variables("third")
    missing = {"value_from": {"environment": "SM2A_NOWHERE"}}
    failing: list[tuple[str, dict[str, Any]]] = [
        ("SM2A_NOWHERE", {"secrets_connections": {**variables["secrets_connections"], "env": missing}}),
        ("must have only letters, digits and", {"secrets_variables": {"a/b": given.values("third")[2]}}),
        ("secrets_variables", {"secrets_variables": given.values("third")[2], "validated": False}),
        ("secrets_variables", {"secrets_variables": given.values("third")[2]}),
        (
            "the name of group 'a/b' must have",
            {"secrets_group_variables": {"a/b": {"c": given.values("third")[7]}}, "validated": False},
        ),
        ("must be a dictionary", {"secrets_group_variables": {"team": given.values("third")[7]}, "validated": False}),
        ("with own_task_role", {"secrets_group_variables": {"other": {"a": given.values("third")[7]}}}),
    ]
    for message, wrong in failing:
        code, text = given.play("third", variables={**variables, **wrong})
        assert code != 0
        assert message in " ".join(text.split())
        assert given.shown(text, "third") == []
