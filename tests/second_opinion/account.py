# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""An account on moto's server."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from ansible_collections.sm2a.airflow.tests.support.control_plane import ControlPlane
from ansible_collections.sm2a.airflow.tests.support.emulators import emulator
from ansible_collections.sm2a.airflow.tests.support.ports import free_port
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT

SERVER = Path(__file__).with_name("server.py")
# What AWS would say of the calls, in the directory of an account: see judged_calls.py.
JUDGED = "judged.jsonl"
# moto's own settings. Its services run no tasks: they begin with as many running as the first one says, whatever their
# desired count, which is 2 at most in these environments.
SETTINGS = {
    "MOTO_ECS_SERVICE_RUNNING": "2",
    "MOTO_ACM_VALIDATION_WAIT": "0",
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
    "PYTHONPATH": f"{PROJECT / 'collections'}:{PROJECT / 'docker/local_aws'}",
}
# https://docs.getmoto.org/en/latest/docs/configuration/state_transition/index.html: tasks of RunTask end at once.
ENDED = {"model_name": "ecs::task", "transition": {"progression": "immediate"}}


@contextmanager
def account(directory: Path) -> Iterator[ControlPlane]:
    """Serve moto until the end of the block; ``directory`` takes all logs, and JUDGED."""
    port = free_port()
    command = [sys.executable, str(SERVER), str(port), str(directory / JUDGED)]
    with emulator(command, port, directory / "moto.txt", SETTINGS) as endpoint:
        requests.post(f"{endpoint}/moto-api/state-manager/set-transition", json=ENDED, timeout=10).raise_for_status()
        yield ControlPlane(endpoint, directory)


def end_tasks(aws: ControlPlane, cluster: str) -> None:
    """What AWS does when a task has ended: it no longer counts as wanted, and its network interface goes.

    https://github.com/getmoto/moto/blob/5.2.5/moto/ecs/models.py#L360-L366
    """
    ecs, ec2 = aws.client("ecs"), aws.client("ec2")
    for task in ecs.list_tasks(cluster=cluster)["taskArns"]:
        ecs.stop_task(cluster=cluster, task=task)
    of_tasks = [{"Name": "description", "Values": ["moto ECS"]}]
    for interface in ec2.describe_network_interfaces(Filters=of_tasks)["NetworkInterfaces"]:
        ec2.delete_network_interface(NetworkInterfaceId=interface["NetworkInterfaceId"])
