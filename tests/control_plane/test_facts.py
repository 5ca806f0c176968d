# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The roles' ``facts``: made-up ids are for check mode only, and what a real run reads is what there is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.sm2a.airflow.tests.control_plane.conftest import Deployed
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT

ROLES = ["secrets", "network", "database", "broker", "load_balancer", "cluster", "airflow", "autoscaler"]
# What the roles before hand over in site.yml.
GIVEN: dict[str, Any] = {
    "airflow_cluster_name": runs.NAME,
    "airflow_queues": {"default": {"url": "https://sqs.example.com/default"}},
    "airflow_url": "https://airflow.example.com",
    "autoscaler_cluster_name": runs.NAME,
}
Read = Callable[..., dict[str, Any]]
# Made-up ids, ends of ARNs and hosts. The account of the local AWS is the made-up one, too, and so are its queues.
MADE_UP = re.compile(
    r"\b(vpc|subnet|sg|ns)-0{8}|/0{16}\b|-0{12}\b|-0{6}\b|\.0{12}\.|Z0{8}|task-definition/(autoscaler|scheduler):"
)


@pytest.fixture(scope="module")
def read(control_plane: runs.ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Read:
    """Outputs by role, from reads alone; with ``--check`` as its argument in check mode."""
    folder = tmp_path_factory.mktemp("facts")
    entries = [
        {"name": role, "ansible.builtin.include_role": {"name": f"sm2a.airflow.{role}", "tasks_from": "facts"}}
        for role in ROLES
    ]
    outputs = "{{ {" + ", ".join(f"'{role}': {role}_outputs" for role in ROLES) + "} | to_json }}"
    write = {"name": "Write", "check_mode": False, "ansible.builtin.copy": {"content": outputs, "dest": "{{ file }}"}}
    play = {
        "hosts": "sm2a",
        "gather_facts": False,
        "module_defaults": {
            "group/sm2a.airflow.aws": {"region": "{{ sm2a_region }}", "endpoint_url": "{{ sm2a_endpoint_url }}"}
        },
        "environment": "{{ sm2a_aws_environment }}",
        "tasks": [*entries, write],
    }
    playbook = folder / "facts.yml"
    playbook.write_text(yaml.safe_dump([play]), encoding="utf-8")

    def run(*options: str) -> dict[str, Any]:
        file = folder / "outputs.json"
        extra = json.dumps({**GIVEN, "sm2a_endpoint_url": control_plane.endpoint, "file": str(file)})
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        done = subprocess.run(
            [program, "-i", str(runs.HERE / "inventory.yml"), str(playbook), "-e", extra, *options],
            cwd=PROJECT,
            env={**runs.playbook_environment(folder / "results.jsonl"), "PWD": os.fspath(PROJECT)},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
        outputs: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return outputs

    return run


def ids(outputs: dict[str, Any]) -> list[Any]:
    """What only AWS gives: ids, ARNs and addresses of resources."""
    database, secrets, load_balancer = outputs["database"], outputs["secrets"], outputs["load_balancer"]
    return [
        secrets["kms_key_arn"],
        *secrets["secret_arns"].values(),
        outputs["network"]["vpc_id"],
        database["address"],
        database["master_secret_arn"],
        *database["secret_arns"].values(),
        outputs["broker"]["dead_letter_queue"],
        outputs["broker"]["queues"].get("default"),
        load_balancer["arn"],
        outputs["cluster"]["namespace_arn"],
        outputs["airflow"]["task_definition_arns"].get("scheduler"),
        outputs["autoscaler"]["task_definition_arn"],
    ]


def test_before_a_deployment_only_check_mode_has_ids(read: Read) -> None:
    assert set(ids(read())) == {None}
    predicted = read("--check")
    assert all(ids(predicted))
    assert MADE_UP.search(json.dumps(predicted))
    assert "us-east-1" not in json.dumps(predicted)


def test_after_it_every_id_is_one_of_a_resource(read: Read, deployed: Deployed) -> None:
    outputs = read()
    assert all(ids(outputs))
    assert outputs == read("--check")
    assert not MADE_UP.search(json.dumps(outputs))
    [instance] = deployed.aws.client("rds").describe_db_instances()["DBInstances"]
    assert outputs["database"]["address"] == instance["Endpoint"]["Address"]
    queue = deployed.aws.client("sqs").get_queue_url(QueueName=f"{runs.NAME}-default")["QueueUrl"]
    assert outputs["broker"]["queues"]["default"]["url"] == queue
