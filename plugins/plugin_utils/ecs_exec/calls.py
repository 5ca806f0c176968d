# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Calls to AWS for sessions of ECS Exec, and what to do when it refuses one."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

with suppress(ImportError):  # The plugin reports the missing library.
    from botocore.awsrequest import AWSRequest

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call
from ansible_collections.sm2a.airflow.plugins.module_utils.common.error_advice import explained
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs import api
from ansible_collections.sm2a.airflow.plugins.plugin_utils.ecs_exec.channel import ChannelError
from ansible_collections.sm2a.airflow.plugins.plugin_utils.ecs_exec.encryption import KEY_BYTES, DataKey

# Session Manager, as signatures name it.
SIGNED_FOR = "ssmmessages"
NO_AGENT = (
    "The agent of ECS Exec in the container is not connected. In a task that has just started it may come within a "
    "minute. If it stays so, the task role lacks the rights ssmmessages:*Channel, or the task cannot reach the service "
    "ssmmessages: cluster_execute_command: true and a run of site.yml give it both."
)
NOT_ENABLED = (
    "ECS Exec is off for this task, or its agent does not run: set cluster_execute_command: true and run site.yml, "
    "which replaces the tasks. A container with a read-only root file system has no agent."
)


@dataclass(frozen=True)
class Target:
    """A container of a task."""

    cluster: str
    task: str
    container: str

    def __str__(self) -> str:
        return f"container {self.container} of task {self.task.rpartition('/')[2]}"


@call("run a command in a container")
def execute_command(ecs: Any, target: Target, command: str) -> dict[str, Any]:
    """ExecuteCommand. A session that nobody opens, after a lost answer, ends by itself."""
    answer: dict[str, Any] = ecs.execute_command(
        cluster=target.cluster, task=target.task, container=target.container, command=command, interactive=True
    )
    return answer


def signature(ecs: Any, url: str) -> dict[str, str]:
    """Headers with which the caller signs the opening of a WebSocket at ``url``, as AWS's own client does since 2025.

    The token opens the session; AWS may ask besides for the right ssmmessages:OpenDataChannel. ``ecs`` is a boto3
    client, whose credentials these are.
    """
    request = AWSRequest("GET", url)
    ecs._request_signer.get_auth_instance(SIGNED_FOR, ecs.meta.region_name, "v4").add_auth(request)
    return dict(request.headers.items())


def data_key(ecs: Any, kms: Any, target: Target, key_id: str, session_id: str) -> DataKey:
    """A key for this session only: KMS decrypts it for nobody who does not name session and container."""
    task_id = target.task.rpartition("/")[2]
    try:
        runtime_id = _runtime_id(ecs, target)
        name = f"ecs:{target.cluster.rpartition('/')[2]}_{task_id}_{runtime_id}"
        return generate_data_key(kms, key_id, {"aws:ssm:SessionId": session_id, "aws:ssm:TargetId": name})
    except AnsibleAWSError as error:
        raise ChannelError(explained(error)) from error


@call("make the key of a session")
def generate_data_key(kms: Any, key_id: str, context: dict[str, str]) -> DataKey:
    """GenerateDataKey."""
    made = kms.generate_data_key(KeyId=key_id, NumberOfBytes=KEY_BYTES, EncryptionContext=context)
    return DataKey(made["Plaintext"], made["CiphertextBlob"])


def refusal(error: AnsibleAWSError) -> str:
    """Why AWS starts no session, and what to do about it."""
    code = str(getattr(error.exception, "response", {}).get("Error", {}).get("Code", ""))
    if code == "TargetNotConnectedException":
        return f"{error}. {NO_AGENT}"
    if code == "InvalidParameterException" and "execute command was not enabled" in str(error.exception):
        return f"{error}. {NOT_ENABLED}"
    return explained(error)


def _runtime_id(ecs: Any, target: Target) -> str:
    for task in api.describe_tasks(ecs, target.cluster, [target.task]):
        for container in task.get("containers") or ():
            if container["name"] == target.container:
                return str(container.get("runtimeId"))
    raise ChannelError(f"ECS has no {target} any more")
