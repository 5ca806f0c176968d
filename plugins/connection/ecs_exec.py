# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
name: ecs_exec
short_description: Run tasks in a container of an Amazon ECS task, by ECS Exec
version_added: 0.1.0
description:
  - Runs commands and modules in a container of a running Fargate task, and copies files to it and from it.
  - Nothing is installed for it, and no port is opened. Sessions go through AWS Systems Manager, as those of
    C(aws ecs execute-command), but without the program C(session-manager-plugin).
  - Commands have exit codes, and output and errors apart, which ECS Exec itself does not offer.
  - It is for looking into containers that run. What it changes is gone with the task.
author:
  - SM2A contributors (@sm2a)
requirements:
  - boto3
  - cryptography
  - websockets >= 15
  - In the container C(sh), C(base64), C(sed) and C(cat); modules other than M(ansible.builtin.raw) need Python.
notes:
  - ECS Exec must be on for the task. SM2A turns it on with C(cluster_execute_command=true).
  - Commands run as root of the container, whatever user the container has. There is no C(become).
  - Each task of a play has a session of its own, with which it is encrypted if the cluster has a key for sessions.
  - The caller needs the rights C(ecs:ExecuteCommand) on cluster and task and, for encrypted sessions,
    C(ecs:DescribeTasks) and C(kms:GenerateDataKey). AWS may ask for C(ssmmessages:OpenDataChannel) on the session as
    well.
  - AWS ends a session in which nothing happens for 20 minutes.
  - A cluster that records its sessions records what commands write, as base64.
options:
  cluster:
    description: Name or ARN of the cluster.
    type: str
    required: true
    vars:
      - name: ansible_ecs_exec_cluster
  task:
    description: ID or ARN of the task.
    type: str
    required: true
    vars:
      - name: ansible_ecs_exec_task
  container:
    description: Name of the container.
    type: str
    required: true
    vars:
      - name: ansible_ecs_exec_container
  timeout:
    description: How long a session may take to begin, in seconds.
    type: int
    default: 30
    vars:
      - name: ansible_ecs_exec_timeout
  region:
    description: The AWS Region to use.
    type: str
    aliases: [aws_region]
    env:
      - name: AWS_REGION
      - name: AWS_DEFAULT_REGION
    vars:
      - name: ansible_ecs_exec_region
  profile:
    description:
      - A named AWS profile, which may assume a role. Without one, the credentials are those of the environment.
    type: str
    aliases: [aws_profile]
    env:
      - name: AWS_PROFILE
      - name: AWS_DEFAULT_PROFILE
    vars:
      - name: ansible_ecs_exec_profile
  endpoint_url:
    description: Address of another AWS, such as a local one.
    type: str
    aliases: [aws_endpoint_url]
    env:
      - name: AWS_URL
    vars:
      - name: ansible_ecs_exec_endpoint_url
extends_documentation_fragment:
  - amazon.aws.common.plugins
  - amazon.aws.boto3
"""

EXAMPLES = r"""
# The inventory plugin sm2a.airflow.ecs_task sets all of these variables.
- name: Look into a running task
  hosts: localhost
  gather_facts: false
  vars:
    ansible_connection: sm2a.airflow.ecs_exec
    ansible_ecs_exec_cluster: staging
    ansible_ecs_exec_task: 4b2a0d4e1c3f4a5b8c7d6e5f4a3b2c1d
    ansible_ecs_exec_container: scheduler
    ansible_python_interpreter: /usr/bin/python3
    ansible_remote_tmp: /root/.ansible/tmp
  tasks:
    - name: List the processes
      ansible.builtin.raw: cat /proc/[0-9]*/comm
      changed_when: false

    - name: Fetch a log of the scheduler
      ansible.builtin.fetch:
        src: /opt/airflow/logs/dag_processor_manager.log
        dest: artifacts/
"""

from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from typing import Any, NoReturn

from ansible.errors import AnsibleConnectionFailure, AnsibleError, AnsibleFileNotFound
from ansible.utils.display import Display
from ansible_collections.amazon.aws.plugins.plugin_utils.connection import AWSConnectionBase
from ansible_collections.sm2a.airflow.plugins.plugin_utils.ecs_exec.calls import Target
from ansible_collections.sm2a.airflow.plugins.plugin_utils.ecs_exec.session import Session, SessionError, start
from ansible_collections.sm2a.airflow.plugins.plugin_utils.ecs_exec.shell import PIECE_BYTES

display = Display()


class Connection(AWSConnectionBase):  # type: ignore[misc]
    """One container; its session begins with the first command, and ends with the connection."""

    transport = "sm2a.airflow.ecs_exec"
    has_pipelining = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._session: Session | None = None

    def _connect(self) -> Connection:
        """Nothing: `_started` does, so that what cannot be connected is not tried before it is needed."""
        self._connected = True
        return self

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        """Run a command; its exit code, output and errors."""
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        if self.become:
            raise AnsibleError("ECS Exec runs commands as root of the container: leave become out.")
        display.vvv(f"EXEC {cmd}", host=self._host())
        output, errors = bytearray(), bytearray()
        pieces = [in_data] if in_data else []
        code = self._run(cmd, pieces, output.extend, errors.extend)
        return code, bytes(output), bytes(errors)

    def put_file(self, in_path: str, out_path: str) -> None:
        """Copy a file to the container."""
        super().put_file(in_path, out_path)
        source = Path(in_path)
        if not source.is_file():
            raise AnsibleFileNotFound(f"There is no file {in_path} to copy to the container.")
        display.vvv(f"PUT {in_path} TO {out_path}", host=self._host())
        self._copy(f"cat > {quote(out_path)}", _pieces(source), lambda _data: None, f"copy {in_path} to {out_path}")

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """Copy a file from the container."""
        super().fetch_file(in_path, out_path)
        display.vvv(f"FETCH {in_path} TO {out_path}", host=self._host())
        with Path(out_path).open("wb") as target:
            self._copy(f"cat < {quote(in_path)}", iter(()), target.write, f"copy {in_path} to {out_path}")

    def reset(self) -> None:
        """The next command has a new session."""
        self.close()

    def close(self) -> None:
        """End the session."""
        if self._session is not None:
            self._session.close()
            self._session = None
        self._connected = False

    def _run(self, command: str, pieces: Any, output: Any, errors: Any) -> int:
        try:
            return self._started().run(command, pieces, output, errors)
        except SessionError as error:
            self.close()
            self._do_fail(str(error))

    def _copy(self, command: str, pieces: Iterator[bytes], output: Any, what: str) -> None:
        errors = bytearray()
        if self._run(command, pieces, output, errors.extend) != 0:
            raise AnsibleError(f"Failed to {what}: {errors.decode(errors='replace').strip()}")

    def _started(self) -> Session:
        if self._session is None:
            target = Target(self.get_option("cluster"), self.get_option("task"), self.get_option("container"))
            display.vvv(f"ECS EXEC TO {target}", host=self._host())
            self._session = start(self.client("ecs"), self.client, target, self.get_option("timeout"))
        return self._session

    def _host(self) -> str:
        return str(self._play_context.remote_addr)

    def _do_fail(self, message: str) -> NoReturn:
        raise AnsibleConnectionFailure(message)


def _pieces(source: Path) -> Iterator[bytes]:
    with source.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece
