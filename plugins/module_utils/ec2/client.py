# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A client of EC2 that retries while EC2 has not yet propagated an ID it returned earlier.

EC2 is eventually consistent: a call right after a create, or after a list, may answer that the id does not exist. The
client remembers the IDs of every response, and retries a call for two minutes that is refused because of an ID that it
remembers. An ID that EC2 never returned, such as a wrong one from the user, is an error at once.
"""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import client
from ansible_collections.sm2a.airflow.plugins.module_utils.common.retries import ask_first

IDENTIFIER = re.compile(r"\b(?:acl|eipalloc|fl|igw|nat|rtb|sg|subnet|vpc|vpce)-[0-9a-f]{8,17}\b")
# Not for associations, whose IDs change, and not for routes, rules and entries, which have none: the caller must read
# these again.
UNKNOWN = re.compile(r"Invalid(?!Association)(\w*ID|Group)\.NotFound", re.IGNORECASE)
# For these calls a missing resource is success, so they are not retried.
REMOVALS = ("Delete", "Detach", "Disassociate", "Release")
# Seconds before each retry: two minutes in all.
PAUSES = (1.0, 2.0, 4.0, 8.0, *[15.0] * 7)


def ec2_client(module: AnsibleAWSModule) -> Any:
    """The module's client of EC2."""
    made = client(module, "ec2")
    wait_for_known_ids(made)
    return made


def wait_for_known_ids(ec2: Any) -> None:
    """Make a boto3 client retry while EC2 has not yet propagated an ID that it returned earlier."""
    known: set[str] = set()

    def remember(http_response: Any, parsed: dict[str, Any], **_others: Any) -> None:
        if http_response.status_code < 300:
            known.update(IDENTIFIER.findall(str(parsed)))

    def pause(
        operation: Any, response: tuple[Any, dict[str, Any]] | None, request_dict: dict[str, Any], **_others: Any
    ) -> float | None:
        error = response[1].get("Error", {}) if response else {}
        if operation.name.startswith(REMOVALS) or not UNKNOWN.fullmatch(error.get("Code", "")):
            return None
        unknown = IDENTIFIER.findall(error.get("Message", "")) or IDENTIFIER.findall(str(request_dict["body"]))
        if not unknown or not known.issuperset(unknown):
            return None
        left: list[float] = request_dict["context"].setdefault("pauses_for_known_ids", list(PAUSES))
        return left.pop(0) if left else None

    ec2.meta.events.register("after-call.ec2", remember)
    ask_first(ec2, pause)
