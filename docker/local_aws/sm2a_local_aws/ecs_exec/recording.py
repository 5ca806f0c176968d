# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The record of a session in a log group, where the cluster names one: what the terminal showed, in its own stream.

The agent writes it with the task role. Without the rights it writes none, and the session goes on. A group that is to
be encrypted and is not ends it: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import cloudwatch_logs

from sm2a_local_aws.ecs import lookup
from sm2a_local_aws.ecs_exec.sessions import Session
from sm2a_local_aws.fargate import awslogs
from sm2a_local_aws.iam import credentials, enforcement
from sm2a_local_aws.iam.request.calls import Call
from sm2a_local_aws.patching.points import relies_on

logger = logging.getLogger("sm2a.ecs_exec")

relies_on(
    "ministack.services.cloudwatch_logs", {"_create_log_stream": "99fc231b9677", "_put_log_events": "acd4fda33a38"}
)

LONGEST_RECORD = 10 * 1024**2
EVENTS_PER_CALL = 1000
NOT_ENCRYPTED = (
    "We couldn't start the session because encryption is not set up on the selected CloudWatch Logs log group. Either "
    "encrypt the log group or choose an option to enable logging without encryption."
)


def problem(session: Session) -> str:
    """Why the session cannot be recorded as the cluster wants it, "" when it can."""
    if not session.logs.get("cloudWatchEncryptionEnabled"):
        return ""
    with _scope(session):
        group = cloudwatch_logs._log_groups.get(_group_name(session)) or {}
    return "" if group.get("kmsKeyId") else NOT_ENCRYPTED


class Recording:
    """What the terminal of one session showed."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._kept = bytearray()

    def add(self, data: bytes) -> None:
        self._kept += data[: LONGEST_RECORD - len(self._kept)]

    def write(self) -> None:
        """Write it, if there is a group for it and the task role may."""
        name, stream = _group_name(self._session), {"logStreamName": self._session.session_id}
        if not name or not self._kept:
            return
        with _scope(self._session):
            if name not in cloudwatch_logs._log_groups or not self._may_write(name):
                logger.warning("session %s is not recorded in %s", self._session.session_id, name)
                return
            cloudwatch_logs._create_log_stream({"logGroupName": name, **stream})
            now = int(time.time() * 1000)
            events = [{"timestamp": now, "message": line} for line in awslogs.lines(iter([bytes(self._kept)]))]
            for start in range(0, len(events), EVENTS_PER_CALL):
                part = events[start : start + EVENTS_PER_CALL]
                cloudwatch_logs._put_log_events({"logGroupName": name, **stream, "logEvents": part})

    def _may_write(self, name: str) -> bool:
        task, stream = self._session.task, {"logGroupName": name, "logStreamName": self._session.session_id}
        role_arn = credentials.role_of(task, lookup.task_definition_of(task))
        calls = [Call("logs", "DescribeLogGroups", {}), Call("logs", "CreateLogStream", stream)]
        calls.append(Call("logs", "PutLogEvents", stream))
        return not any(enforcement.refusal_of_task(role_arn, task["taskArn"], call) for call in calls)


def _group_name(session: Session) -> str:
    return str(session.logs.get("cloudWatchLogGroupName") or "")


def _scope(session: Session) -> Any:
    _arn, _aws, _ecs, region, account, _resource = session.task["taskArn"].split(":", 5)
    return request_scope(account, region)
