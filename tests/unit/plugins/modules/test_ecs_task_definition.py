# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ecs_task_definition against the emulator."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support.modules import Ladder, ModuleFailedError, RunModule
from botocore.exceptions import ReadTimeoutError
from botocore.httpsession import URLLib3Session

Aws = Callable[[str], Any]
MODULE = "ecs_task_definition"
ROLE = "arn:aws:iam::000000000000:role/{}"


def definition(family: str) -> dict[str, Any]:
    """A task definition that uses every option."""
    return {
        "family": family,
        "cpu": 512,
        "memory": 1024,
        "execution_role_arn": ROLE.format("execution"),
        "task_role_arn": ROLE.format("task"),
        "runtime_platform": {"cpu_architecture": "X86_64", "operating_system_family": "LINUX"},
        "ephemeral_storage": {"size_in_gib": 30},
        "volumes": [{"name": "tmp"}, {"name": "home"}],
        "container_definitions": [
            {
                "name": "web",
                "image": "example/web@sha256:1",
                "command": ["serve", "--port", "8080"],
                "user": "50000",
                "readonly_root_filesystem": True,
                "stop_timeout": 120,
                "port_mappings": [{"container_port": 8080, "name": "http", "app_protocol": "http"}],
                "environment": {"B": "2", "A": "1", "EMPTY": ""},
                "mount_points": [{"source_volume": "tmp", "container_path": "/tmp"}],
                "linux_parameters": {"init_process_enabled": True},
                "health_check": {"command": ["CMD", "true"], "start_period": 120},
                "log_configuration": {"log_driver": "awslogs", "options": {"awslogs-group": "/x"}},
            }
        ],
    }


def revisions(aws: Aws, family: str, status: str = "ACTIVE") -> list[str]:
    """ARNs of the family's revisions."""
    arns: list[str] = aws("ecs").list_task_definitions(familyPrefix=family, status=status)["taskDefinitionArns"]
    return arns


def latest(aws: Aws, family: str) -> dict[str, Any]:
    """The latest revision in the API's own words."""
    found: dict[str, Any] = aws("ecs").describe_task_definition(taskDefinition=family)["taskDefinition"]
    return found


def test_ladder_of_two_families(ladder: Callable[..., Ladder], aws: Aws, unique_name: str) -> None:
    names = [f"{unique_name}-a", f"{unique_name}-b"]
    results = ladder(
        MODULE,
        {"task_definitions": [definition(name) for name in names], "tags": {"team": "data"}},
        {"task_definitions": [{"family": name} for name in names], "state": "absent"},
        lambda: [revisions(aws, name) for name in names],
    )
    assert list(results.applied["arns"]) == names
    assert results.predicted["arns"] == results.applied["arns"]
    assert [entry["revision"] for entry in results.applied["task_definitions"]] == [1, 1]
    assert revisions(aws, names[0], "INACTIVE") == [], "removal must delete, not only deregister"


def test_what_is_registered_is_what_was_declared(run_module: RunModule, aws: Aws, unique_name: str) -> None:
    run_module(MODULE, {"task_definitions": [definition(unique_name)]})
    made = latest(aws, unique_name)
    assert (made["cpu"], made["memory"], made["networkMode"]) == ("512", "1024", "awsvpc")
    assert made["ephemeralStorage"] == {"sizeInGiB": 30}
    container = made["containerDefinitions"][0]
    assert {item["name"]: item["value"] for item in container["environment"]} == {"A": "1", "B": "2", "EMPTY": ""}
    assert container["linuxParameters"] == {"initProcessEnabled": True}
    assert container["logConfiguration"]["options"] == {"awslogs-group": "/x"}


def edited(family: str, edit: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """The full definition after ``edit``."""
    changed = copy.deepcopy(definition(family))
    edit(changed)
    return changed


def container_of(item: dict[str, Any]) -> dict[str, Any]:
    """The only container."""
    found: dict[str, Any] = item["container_definitions"][0]
    return found


EDITS: dict[str, Callable[[dict[str, Any]], object]] = {
    "cpu": lambda item: item.update(cpu=256),
    "memory": lambda item: item.update(memory=2048),
    "execution role": lambda item: item.update(execution_role_arn=ROLE.format("other")),
    "task role": lambda item: item.update(task_role_arn=ROLE.format("other")),
    "task role removed": lambda item: item.pop("task_role_arn"),
    "architecture": lambda item: item["runtime_platform"].update(cpu_architecture="ARM64"),
    "disk": lambda item: item["ephemeral_storage"].update(size_in_gib=40),
    "disk removed": lambda item: item.pop("ephemeral_storage"),
    "volume": lambda item: item["volumes"].append({"name": "logs"}),
    "pid mode": lambda item: item.update(pid_mode="task"),
    "image": lambda item: container_of(item).update(image="example/web@sha256:2"),
    "command order": lambda item: container_of(item).update(command=["serve", "8080", "--port"]),
    "one environment value": lambda item: container_of(item)["environment"].update(A="2"),
    "environment value emptied": lambda item: container_of(item)["environment"].update(A=""),
    "empty environment value removed": lambda item: container_of(item)["environment"].pop("EMPTY"),
    "user": lambda item: container_of(item).update(user="0"),
    "read-only root": lambda item: container_of(item).update(readonly_root_filesystem=False),
    "health check": lambda item: container_of(item)["health_check"].update(interval=10),
    "not essential": lambda item: container_of(item).update(essential=False),
    "log option": lambda item: container_of(item)["log_configuration"]["options"].update({"awslogs-group": "/y"}),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_any_difference_makes_a_revision(
    run_module: RunModule, aws: Aws, unique_name: str, edit: Callable[[dict[str, Any]], object]
) -> None:
    run_module(MODULE, {"task_definitions": [definition(unique_name)]})
    args = {"task_definitions": [edited(unique_name, edit)]}
    predicted = run_module(MODULE, args, check=True)
    assert predicted["changed"]
    assert latest(aws, unique_name)["revision"] == 1
    applied = run_module(MODULE, args)
    assert applied["changed"]
    assert applied["arns"] == predicted["arns"]
    assert latest(aws, unique_name)["revision"] == 2
    assert not run_module(MODULE, args)["changed"]


SAME: dict[str, Callable[[dict[str, Any]], object]] = {
    "environment as a list in another order": lambda item: container_of(item).update(
        environment=[{"name": name, "value": value} for name, value in (("EMPTY", ""), ("A", 1), ("B", "2"))]
    ),
    "volumes in another order": lambda item: item["volumes"].reverse(),
    "defaults spelled out": lambda item: container_of(item)["health_check"].update(interval=30, timeout=5, retries=3),
    "default port members": lambda item: container_of(item)["port_mappings"][0].update(host_port=8080, protocol="tcp"),
    "false instead of absent": lambda item: container_of(item).update(privileged=False, interactive=False),
    "numbers as text": lambda item: container_of(item).update(stop_timeout="120"),
}


@pytest.mark.parametrize("edit", SAME.values(), ids=SAME.keys())
def test_the_same_content_makes_no_revision(
    run_module: RunModule, unique_name: str, edit: Callable[[dict[str, Any]], object]
) -> None:
    run_module(MODULE, {"task_definitions": [definition(unique_name)]})
    result = run_module(MODULE, {"task_definitions": [edited(unique_name, edit)]})
    assert not result["changed"], result["diff"]


def test_earlier_content_is_registered_anew(run_module: RunModule, unique_name: str) -> None:
    first, second = definition(unique_name), definition(unique_name) | {"cpu": 256}
    numbers = [
        run_module(MODULE, {"task_definitions": [item]})["task_definitions"][0]["revision"]
        for item in (first, second, first)
    ]
    assert numbers == [1, 2, 3]


def test_tags_change_in_place_and_run_records_stay(run_module: RunModule, aws: Aws, unique_name: str) -> None:
    base = {"task_definitions": [definition(unique_name)]}
    arn = run_module(MODULE, {**base, "tags": {"team": "data", "old": "1"}})["arns"][unique_name]
    ecs = aws("ecs")
    ecs.tag_resource(resourceArn=arn, tags=[{"key": "sm2a:completed-run:0123", "value": "done"}])
    assert not run_module(MODULE, base)["changed"]
    assert not run_module(MODULE, {**base, "tags": {"team": "data", "old": "1"}})["changed"]
    result = run_module(MODULE, {**base, "tags": {"team": "other"}})
    assert result["changed"]
    assert result["arns"][unique_name] == arn
    tags = {tag["key"]: tag["value"] for tag in ecs.list_tags_for_resource(resourceArn=arn)["tags"]}
    assert tags == {"team": "other", "sm2a:completed-run:0123": "done"}


@pytest.mark.parametrize(
    ("container", "message"),
    [
        ({"name": "web", "imag": "x"}, r"container_definitions\[0\]: unknown key 'imag'"),
        ({"name": "web", "image": "x", "stop_timeout": "soon"}, r"stop_timeout: expected a value of type integer"),
        ({"name": "web", "image": "x", "log_configuration": {"log_driver": "paper"}}, r"log_driver: expected one of"),
    ],
)
def test_a_wrong_container_is_refused_before_any_family_changes(
    run_module: RunModule, aws: Aws, unique_name: str, container: dict[str, Any], message: str
) -> None:
    wrong = {"family": f"{unique_name}-wrong", "container_definitions": [container]}
    with pytest.raises(ModuleFailedError, match=message):
        run_module(MODULE, {"task_definitions": [definition(unique_name), wrong]})
    assert revisions(aws, unique_name) == []


def test_removal_spares_a_family_with_the_same_beginning(run_module: RunModule, aws: Aws, unique_name: str) -> None:
    longer = f"{unique_name}-longer"
    run_module(MODULE, {"task_definitions": [definition(unique_name), definition(longer)]})
    run_module(MODULE, {"task_definitions": [{"family": unique_name}], "state": "absent"})
    assert [arn.rsplit("/", 1)[1] for arn in revisions(aws, longer)] == [f"{longer}:1"]


def test_unlisted_families_with_the_tags_are_purged(run_module: RunModule, aws: Aws, unique_name: str) -> None:
    ours, theirs, kept = (f"{unique_name}-worker-{name}" for name in ("old", "theirs", "new"))
    tags = {"environment": unique_name}
    run_module(MODULE, {"task_definitions": [definition(ours), definition(kept)], "tags": tags})
    run_module(MODULE, {"task_definitions": [definition(theirs)], "tags": {"environment": "theirs"}})
    purge = {"purge_family_prefix": f"{unique_name}-worker-", "purge_where_tagged": tags}
    args = {"task_definitions": [definition(kept)], "tags": tags, **purge}
    assert run_module(MODULE, args, check=True)["changed"]
    assert revisions(aws, ours)
    assert run_module(MODULE, args)["changed"]
    assert [len(revisions(aws, family)) for family in (ours, theirs, kept)] == [0, 1, 1]
    assert not run_module(MODULE, args)["changed"]
    removal = {"task_definitions": [], "state": "absent", **purge}
    assert not run_module(MODULE, {**removal, "purge_except": [kept]})["changed"]
    assert run_module(MODULE, removal)["changed"]


def test_a_revision_whose_reply_was_lost_is_adopted(
    run_module: RunModule, aws: Aws, unique_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    send, calls = URLLib3Session.send, []

    def lose_the_first_reply(session: URLLib3Session, request: Any) -> Any:
        answer = send(session, request)
        if b"RegisterTaskDefinition" in request.headers.get("X-Amz-Target", b""):
            calls.append(request)
            if len(calls) == 1:
                raise ReadTimeoutError(endpoint_url=request.url)
        return answer

    monkeypatch.setattr(URLLib3Session, "send", lose_the_first_reply)
    result = run_module(MODULE, {"task_definitions": [definition(unique_name)]})
    assert result["arns"] == {unique_name: revisions(aws, unique_name)[0]}
    assert (len(calls), len(revisions(aws, unique_name))) == (1, 1)
