# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What goes is given by its name alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support.modules import ModuleFailedError, RunModule

# The options that each module needs beside the list.
MODULES: dict[str, dict[str, Any]] = {
    "sqs_queue": {},
    "secretsmanager_secret": {"force": True},
    "ecs_service": {"cluster": "default"},
    "ecs_task_definition": {},
    "iam_service_roles": {},
}


@pytest.mark.parametrize(("module", "options"), MODULES.items(), ids=MODULES)
def test_what_is_not_there_stays_absent(
    run_module: RunModule, unique_name: str, module: str, options: dict[str, Any]
) -> None:
    assert run_module(module, {**options, "names": [unique_name], "state": "absent"})["changed"] is False


@pytest.mark.parametrize(("module", "options"), MODULES.items(), ids=MODULES)
def test_names_say_too_little_of_what_is_to_be_present(
    run_module: RunModule, unique_name: str, module: str, options: dict[str, Any]
) -> None:
    with pytest.raises(ModuleFailedError, match=r"state is present but .* missing"):
        run_module(module, {**options, "names": [unique_name], "state": "present"})


@pytest.mark.parametrize(("module", "options"), MODULES.items(), ids=MODULES)
def test_something_must_be_named(run_module: RunModule, module: str, options: dict[str, Any]) -> None:
    with pytest.raises(ModuleFailedError, match="one of the following is required"):
        run_module(module, {**options, "state": "absent"})


def test_a_queue_goes_by_its_name(run_module: RunModule, unique_name: str, aws: Callable[[str], Any]) -> None:
    run_module("sqs_queue", {"queues": [{"name": unique_name}]})
    assert run_module("sqs_queue", {"names": [unique_name], "state": "absent"})["changed"] is True
    assert aws("sqs").list_queues(QueueNamePrefix=unique_name).get("QueueUrls", []) == []


def test_a_family_goes_by_its_name(run_module: RunModule, unique_name: str, aws: Callable[[str], Any]) -> None:
    container = {"name": "main", "image": "example"}
    definition = {"family": unique_name, "cpu": 256, "memory": 512, "container_definitions": [container]}
    run_module("ecs_task_definition", {"task_definitions": [definition]})
    assert run_module("ecs_task_definition", {"names": [unique_name], "state": "absent"})["changed"] is True
    assert aws("ecs").list_task_definitions(familyPrefix=unique_name)["taskDefinitionArns"] == []
