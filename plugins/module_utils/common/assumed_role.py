# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Clients that sign as a role, such as one of another account. Its credentials stay in the memory of the module."""

from __future__ import annotations

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call, client

# What CloudTrail of the role's account calls the sessions.
SESSION_NAME = "sm2a"


def client_of_role(module: AnsibleAWSModule, service: str, role_arn: str, external_id: str | None) -> Any:
    """A client of ``service`` that acts as the role; AnsibleAWSError when it cannot be assumed.

    A session lasts an hour, all that AWS allows to one role that assumes another: longer than any module of this
    collection makes calls as a role. Each run of a module has a session of its own.
    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """
    request = {"RoleArn": role_arn, "RoleSessionName": SESSION_NAME}
    if external_id:
        request["ExternalId"] = external_id
    try:
        keys = assume(client(module, "sts"), request)
    except AnsibleAWSError as error:
        raise AnsibleAWSError(message=f"Failed to assume role {role_arn}", exception=error.exception) from error
    return client(
        module,
        service,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


@call("assume a role")
def assume(sts: Any, request: dict[str, str]) -> dict[str, str]:
    """The credentials of a new session."""
    return dict(sts.assume_role(**request)["Credentials"])
