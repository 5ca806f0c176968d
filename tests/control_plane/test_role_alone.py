# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A role without site.yml, with text as a survey, ``-e name=value`` or an INI inventory gives it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT

ROLE = "broker"
# An unanswered question, a dictionary in YAML, words with commas, numbers and a switch.
ANSWERS = {
    "broker_kms_key_arn": "",
    "broker_message_retention_period": "",
    "broker_visibility_timeout": "1800",
    "broker_queues": "default, heavy",
    "sm2a_tags": "owner: data\ncost-center: '17'",
}
Play = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def play(control_plane: runs.ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Play:
    """Run the role in a play of its own; ``validate`` is ``rolespec_validate``."""
    folder = tmp_path_factory.mktemp("alone")

    def run(validate: bool, **extra: Any) -> subprocess.CompletedProcess[str]:
        role = {"name": f"sm2a.airflow.{ROLE}", "rolespec_validate": validate}
        place = {"region": "{{ sm2a_region }}", "endpoint_url": "{{ sm2a_endpoint_url }}"}
        book = {
            "hosts": "sm2a",
            "gather_facts": False,
            "module_defaults": {"group/sm2a.airflow.aws": place},
            "environment": "{{ sm2a_aws_environment }}",
            "tasks": [{"name": "The role", "ansible.builtin.import_role": role}],
        }
        file = folder / "role.yml"
        file.write_text(yaml.safe_dump([book]), encoding="utf-8")
        variables = json.dumps({"sm2a_endpoint_url": control_plane.endpoint, **extra})
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        return subprocess.run(
            [program, "-i", str(runs.HERE / "inventory.yml"), str(file), "-e", variables],
            cwd=PROJECT,
            env={**runs.playbook_environment(folder / "results.jsonl"), "PWD": os.fspath(PROJECT)},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    return run


def test_text_is_converted_as_in_site(control_plane: runs.ControlPlane, play: Play) -> None:
    done = play(False, **ANSWERS)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    sqs = control_plane.client("sqs")
    url = sqs.get_queue_url(QueueName=f"{runs.NAME}-heavy")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["VisibilityTimeout"] == "1800"
    assert attributes["MessageRetentionPeriod"] == "1209600"
    tags = sqs.list_queue_tags(QueueUrl=url)["Tags"]
    assert {name: tags.get(name) for name in ("owner", "cost-center")} == {"owner": "data", "cost-center": "17"}


def test_wrong_options_have_the_sentences_of_site(play: Play) -> None:
    done = play(False, broker_queues="gpu.large", broker_visibility_timeout="soon")
    assert done.returncode != 0
    assert "broker_visibility_timeout: must be a whole number, not 'soon'" in done.stdout
    assert "broker_queues: must be 1 to 50 letters" in done.stdout


@pytest.mark.parametrize("option", ["broker_message_retention_period", "sm2a_tags"])
def test_the_check_of_ansible_itself_refuses_such_text(play: Play, option: str) -> None:
    """The day that this fails, ``rolespec_validate: false`` of the examples is not needed for it any more."""
    done = play(True, **{option: ANSWERS[option]})
    assert done.returncode != 0
    assert "Validation of arguments failed" in done.stdout
