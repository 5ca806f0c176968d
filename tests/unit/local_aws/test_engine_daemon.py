# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What a local AWS leaves behind on the engine: nothing, also after it was killed."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

import pytest

import docker

pytestmark = pytest.mark.engine


@pytest.fixture
def own(unstarted: Any, engine_socket: str) -> Any:
    """The test's own local AWS with the engine, beside the session's one."""
    unstarted.flags = ["--engine-socket", engine_socket, "--subnet", f"10.{210 + os.getpid() % 40}.7.0/24"]
    return unstarted


def _mine(engine: Any, name: str) -> list[str]:
    label = {"label": f"sm2a.local-aws={name}"}
    found = engine.containers.list(all=True, filters=label) + engine.networks.list(filters=label)
    return [item.name for item in found + engine.volumes.list(filters=label)]


def test_second_local_aws_coexists_and_goes_alone(own: Any, local_aws: Any, engine_socket: str) -> None:
    engine = docker.DockerClient(base_url=engine_socket)
    started = own.command("start")
    assert started.returncode == 0, started.stderr
    definition = own.task_definition("beside", entryPoint=["sleep"], command=["infinity"])
    own.client("ecs").create_cluster(clusterName="tests")
    own.create_service("beside", definition, 1)
    own.wait_for_steady("beside", 1)
    status = json.loads(own.command("status").stdout)
    assert (status["network"], status["containers"]) == (own.name, 2)
    others = _mine(engine, local_aws.name)

    os.kill(status["pid"], signal.SIGKILL)
    own.wait("the end of the process", lambda: own.command("status").returncode == 3)
    assert len(_mine(engine, own.name)) == 3
    own.clients.clear()
    assert own.command("start").stdout.splitlines()[0] == "started"
    assert len(_mine(engine, own.name)) == 2

    assert own.command("stop").stdout == "stopped\n"
    assert _mine(engine, own.name) == []
    assert set(others) <= set(_mine(engine, local_aws.name))
    assert own.command("stop").stdout == "unchanged\n"
