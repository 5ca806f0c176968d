# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The answer to a request that is not done, in the protocol of the service and in AWS's words."""

from __future__ import annotations

import uuid
from typing import Any

from ministack.core import iam_actions

from sm2a_local_aws.iam.request import calls
from sm2a_local_aws.patching.points import relies_on

relies_on("ministack.core.iam_actions", {"access_denied_response": "3cc2e315f91f"})

Answer = tuple[int, dict[str, str], bytes]


class Refused(Exception):  # noqa: N818  It is an answer.
    """A request that is not done."""

    def __init__(self, service: str, code: str, message: str, action: str = "", status: int | None = None) -> None:
        super().__init__(message)
        self.service, self.code, self.action, self.status = service, code, action, status


def ministack_name(service: str) -> str:
    """A service that boto3 names so."""
    return {name: signed for signed, name in calls.SIGNED_AS.items()}.get(service, service)


async def answer(send: Any, refused: Refused, headers: dict[str, str]) -> None:
    """Send it; ``headers`` are those of the request."""
    request_id = str(uuid.uuid4())
    status, answered, body = _answer(refused, request_id, headers)
    answered = {**answered, "x-amzn-requestid": request_id, "Content-Length": str(len(body))}
    listed = [(name.lower().encode(), value.encode()) for name, value in answered.items()]
    await send({"type": "http.response.start", "status": status, "headers": listed})
    await send({"type": "http.response.body", "body": body})


def _answer(refused: Refused, request_id: str, headers: dict[str, str]) -> Answer:
    """In the protocol of the service and in AWS's words."""
    text = str(refused)
    denied = refused.code == "AccessDenied"
    if refused.service == "ec2" and denied:
        text = f"You are not authorized to perform this operation. {text}"
    status, answered, body = iam_actions.access_denied_response(
        ministack_name(refused.service),
        refused.action,
        "",
        request_id,
        # The words of a refusal are ours already, which this function only takes with a code for CloudWatch Logs.
        error_code="" if denied and refused.service != "logs" else refused.code,
        message=text,
        headers=headers,
    )
    return refused.status or status, answered, body
