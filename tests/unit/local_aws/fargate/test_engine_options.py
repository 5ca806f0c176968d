# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Only what is on the list reaches the container engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sm2a_local_aws import settings
from sm2a_local_aws.fargate import engine_options as ecs_engine_options

KNOWN = {"command", "entrypoint", "working_dir", "user", "init", "mem_limit", "read_only", "volumes", "tmpfs"}
ALWAYS = {"cap_drop": ["ALL"], "privileged": False}
# A definition that no rule looked at, with all that ever named the machine, in the API's spelling and MiniStack's.
HOSTILE: dict[str, Any] = {
    "name": "main",
    "image": "x",
    "privileged": True,
    "Privileged": True,
    "dockerSecurityOptions": ["seccomp:unconfined"],
    "extraHosts": [{"hostname": "x", "ipAddress": "1.2.3.4"}],
    "links": ["other"],
    "dnsServers": ["1.2.3.4"],
    "hostname": "x",
    "portMappings": [{"containerPort": 22, "hostPort": 22}],
    "systemControls": [{"namespace": "kernel.core_pattern", "value": "|/x"}],
    "ulimits": [{"name": "core", "softLimit": 1, "hardLimit": 1}],
    "volumesFrom": [{"sourceContainer": "other"}],
    "mountPoints": [
        {"sourceVolume": "root", "containerPath": "/host"},
        {"sourceVolume": "docker", "containerPath": "/docker"},
    ],
    "linuxParameters": {
        "capabilities": {"add": ["ALL", "SYS_ADMIN"], "Add": ["SYS_ADMIN"]},
        "Capabilities": {"Add": ["SYS_ADMIN"]},
        "devices": [{"hostPath": "/dev/sda"}],
        "sharedMemorySize": 64,
        "tmpfs": [{"containerPath": "/x", "size": 1, "mountOptions": ["suid", "dev", "mode=7777"]}],
    },
}
HOSTILE_TASK: dict[str, Any] = {
    "family": "x",
    "memory": "512",
    "networkMode": "host",
    "pidMode": "host",
    "ipcMode": "host",
    "volumes": [
        {"name": "root", "host": {"sourcePath": "/"}},
        {"name": "docker", "dockerVolumeConfiguration": {"driver": "local", "driverOpts": {"device": "/"}}},
    ],
    "containerDefinitions": [HOSTILE],
}


@pytest.fixture(autouse=True)
def active() -> Iterator[None]:
    before = list(settings._current)
    settings.activate(settings.Settings(name="aws"))
    yield
    settings._current[:] = before


def test_nothing_of_a_hostile_definition_reaches_the_engine() -> None:
    options = ecs_engine_options.of_container(HOSTILE, HOSTILE_TASK, "0123")
    assert set(options) <= KNOWN | {"cap_drop", "cap_add", "privileged"}
    assert {name: options[name] for name in ALWAYS} == ALWAYS
    assert options["cap_add"] == sorted(ecs_engine_options.CAPABILITIES)
    assert "volumes" not in options
    assert options["tmpfs"] == {"/x": "size=1m"}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"drop": ["ALL"]}, set()),
        ({"drop": ["ALL"], "add": ["SYS_PTRACE", "SYS_ADMIN"]}, {"SYS_PTRACE"}),
        ({"drop": ["CHOWN"]}, ecs_engine_options.CAPABILITIES - {"CHOWN"}),
        ({}, ecs_engine_options.CAPABILITIES),
    ],
)
def test_capabilities_are_dropped_and_then_added(asked: dict[str, list[str]], expected: set[str]) -> None:
    definition = {"linuxParameters": {"capabilities": asked}}
    assert set(ecs_engine_options.capabilities(definition)) == expected


def test_own_volumes_are_mounted_as_asked() -> None:
    definition = {
        "mountPoints": [
            {"sourceVolume": "tmp", "containerPath": "/tmp"},
            {"sourceVolume": "logs", "containerPath": "/logs", "readOnly": True},
        ]
    }
    task = {"volumes": [{"name": "tmp"}, {"name": "logs", "host": {}}], "containerDefinitions": [definition]}
    options = ecs_engine_options.of_container(definition, task, "0123")
    assert options["volumes"] == ["aws-0123-tmp:/tmp:rw", "aws-0123-logs:/logs:ro"]


def test_processor_time_is_that_of_the_task_where_it_is_limited() -> None:
    task = {"cpu": "256", "containerDefinitions": [{}]}
    assert "nano_cpus" not in ecs_engine_options.of_container({}, task, "0123")
    settings.activate(settings.Settings(name="aws", cpu_limits=True))
    assert ecs_engine_options.of_container({}, task, "0123")["nano_cpus"] == pytest.approx(0.25e9, rel=0.001)


def test_podman_gets_no_writable_places_of_its_own() -> None:
    definition = {"readonlyRootFilesystem": True, "mountPoints": [{"sourceVolume": "tmp", "containerPath": "/tmp/"}]}
    options = {"read_only": True, "tmpfs": {"/run": "size=1m"}}
    adapted = ecs_engine_options.for_podman(options, definition)
    assert adapted["tmpfs"] == {"/run": "size=1m", "/var/tmp": "ro,tmpcopyup"}
    assert ecs_engine_options.for_podman({"mem_limit": "1m"}, definition) == {"mem_limit": "1m"}
