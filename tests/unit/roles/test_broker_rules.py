# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The broker refuses timeouts that lose tasks and names that SQS does not take, before it makes anything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tests.support.role_files import defaults

CASE = """
- block:
    - ansible.builtin.include_role:
        name: sm2a.airflow.broker
        tasks_from: rules
      vars:
OPTIONS
    - ansible.builtin.set_fact:
        refusals: "{{ refusals + [''] }}"
  rescue:
    - ansible.builtin.set_fact:
        refusals: "{{ refusals + [(ansible_failed_result.results | default([ansible_failed_result]) | last).msg] }}"
"""
PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  vars:
    sm2a_name: rules
    refusals: []
  tasks:
    - ansible.builtin.include_tasks: case.yml
      loop: "{{ cases }}"
      loop_control: {loop_var: case}
    - ansible.builtin.copy:
        content: "{{ refusals | to_json }}"
        dest: "{{ playbook_dir }}/refusals.json"
        mode: "0600"
"""
# options -> what the refusal says; empty: accepted
CASES: list[tuple[dict[str, Any], str]] = [
    ({}, ""),
    ({"broker_visibility_timeout": 7200}, "broker_task_queued_timeout (7200) must be greater than"),
    ({"broker_task_queued_timeout": 600}, "broker_task_queued_timeout (600) must be greater than"),
    ({"broker_max_receive_count": 2}, "broker_max_receive_count (2) times broker_visibility_timeout (3600) must be"),
    ({"broker_max_receive_count": 3}, ""),
    ({"broker_visibility_timeout": 600, "broker_max_receive_count": 12}, "broker_max_receive_count (12) times"),
    ({"broker_message_retention_period": 7200}, "broker_message_retention_period (7200) must be greater than"),
    ({"broker_queues": ["default", "dead-letter"]}, "broker_queues: dead-letter must be"),
    ({"broker_queues": ["with space"]}, "broker_queues: with space must be"),
    ({"broker_queues": ["q" * 51]}, "must be 1 to 50 letters"),
]


def test_rules(tmp_path: Path) -> None:
    """All cases in one run of ansible-playbook."""
    every = {key: value for key, value in defaults("broker").items() if key != "broker_state"}
    options = "\n".join(f'        {name}: "{{{{ case.options.{name} }}}}"' for name in every)
    (tmp_path / "case.yml").write_text(CASE.replace("OPTIONS", options), encoding="utf-8")
    (tmp_path / "rules.yml").write_text(PLAYBOOK, encoding="utf-8")
    cases = [{"options": {**every, **changed}} for changed, _message in CASES]
    (tmp_path / "cases.json").write_text(json.dumps({"cases": cases}), encoding="utf-8")
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-e", f"@{tmp_path / 'cases.json'}"]
    done = subprocess.run(
        [*command, str(tmp_path / "rules.yml")],
        cwd=PROJECT,
        env={**os.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    refusals = json.loads((tmp_path / "refusals.json").read_text(encoding="utf-8"))
    for (changed, message), refusal in zip(CASES, refusals, strict=True):
        assert bool(message) == bool(refusal), f"{changed}: {refusal or 'accepted'}"
        assert message in refusal
