# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""EC2's eventual consistency: for some calls after a change, EC2 does not know of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from botocore.awsrequest import AWSResponse
from botocore.httpsession import URLLib3Session

IDENTIFIER = re.compile(r"\b(?:acl|eipalloc|igw|nat|rtb|sg|subnet|vpc|vpce)-[0-9a-f]{8,17}\b")
CODES = {
    "acl": "InvalidNetworkAclID.NotFound",
    "eipalloc": "InvalidAllocationID.NotFound",
    "igw": "InvalidInternetGatewayID.NotFound",
    "nat": "InvalidNatGatewayID.NotFound",
    "rtb": "InvalidRouteTableID.NotFound",
    "sg": "InvalidGroup.NotFound",
    "subnet": "InvalidSubnetID.NotFound",
    "vpc": "InvalidVpcID.NotFound",
    "vpce": "InvalidVpcEndpointId.NotFound",
}
# A call that changes what a list tells -> that list.
LISTS = {
    "AssociateRouteTable": "DescribeRouteTables",
    "CreateSubnet": "DescribeNetworkAcls",
    "ReplaceNetworkAclAssociation": "DescribeNetworkAcls",
    "ReplaceRouteTableAssociation": "DescribeRouteTables",
}


class Body:
    """The body of an answer as urllib3 gives it."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def stream(self) -> Iterator[bytes]:
        yield self.content


class Lag:
    """EC2 of this process, ``calls`` calls late; install it with ``monkeypatch``. Nothing sleeps.

    Each new id is unknown to the first calls of each action that name it: ``refused`` has their actions, ``slept`` all
    pauses.
    With ``late_lists``, lists of associations are those from before a change, for as many calls: ``stale`` has them.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, calls: int = 2, *, late_lists: bool = False) -> None:
        self.calls, self.late_lists = calls, late_lists
        self.refused: list[str] = []
        self.stale: list[str] = []
        self.slept: list[float] = []
        self.actions: list[str] = []
        self._seen: set[str] = set()
        self._new: set[str] = set()
        self._named: Counter[tuple[str, str]] = Counter()
        self._done: set[str] = set()
        self._late: dict[str, int] = {}
        self._former: dict[str, bytes] = {}
        self._real = URLLib3Session.send

        def send(session: URLLib3Session, request: Any) -> Any:
            return self.send(session, request)

        monkeypatch.setattr(URLLib3Session, "send", send)
        monkeypatch.setattr("time.sleep", self.slept.append)

    def send(self, session: URLLib3Session, request: Any) -> Any:
        """Answer as AWS would, some calls late."""
        body = request.body.decode() if isinstance(request.body, bytes) else str(request.body or "")
        action = parse_qs(body).get("Action", [""])[0]
        self.actions.append(action)
        # A filter that fits nothing is no error; what is deleted was made long ago.
        named_ids = () if "Filter." in body or action.startswith("Delete") else IDENTIFIER.findall(body)
        for named in self._new.intersection(named_ids):
            self._named[action, named] += 1
            if self._named[action, named] <= self.calls:
                self.refused.append(action)
                return refusal(request.url, CODES[named.split("-")[0]], f"The ID '{named}' does not exist")
        if self._late.get(action):
            self._late[action] -= 1
            self.stale.append(action)
            return AWSResponse(request.url, 200, {}, Body(self._former[action]))
        answer = self._real(session, request)
        if answer.status_code == 200:
            self.note(action, body, answer.content)
        return answer

    def note(self, action: str, body: str, content: bytes) -> None:
        """Remember the ids of an answer; those that a create tells first are new."""
        ids = set(IDENTIFIER.findall(content.decode()))
        if action.startswith(("Create", "Allocate")):
            self._new |= ids - self._seen
        self._seen |= ids
        # The same call again changes nothing.
        if self.late_lists and LISTS.get(action) in self._former and body not in self._done:
            self._late[LISTS[action]] = self.calls
        self._done.add(body)
        if action in LISTS.values():
            self._former[action] = content


def refusal(url: str, code: str, message: str) -> AWSResponse:
    """An error of EC2."""
    fields = f"<Code>{code}</Code><Message>{message}</Message>"
    text = f"<Response><Errors><Error>{fields}</Error></Errors><RequestID>late</RequestID></Response>"
    return AWSResponse(url, 400, {"Content-Type": "text/xml"}, Body(text.encode()))
