# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Lose the reply to an API call: AWS does it, and the caller's connection breaks before the answer comes."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session


def lose_replies(monkeypatch: pytest.MonkeyPatch, mark: str, times: int = 1) -> list[str]:
    """Lose the replies to the first ``times`` requests whose ``method target url`` contains ``mark``.

    ``mark`` is an X-Amz-Target such as ``TrentService.CreateKey``, part of a URL, or ``Action=CreateTopic`` of an API
    that takes forms. Returns the list of what was lost, which grows as requests are made.
    """
    real, lost = URLLib3Session.send, list[str]()

    def send(session: URLLib3Session, request: Any) -> Any:
        answer = real(session, request)
        target = request.headers.get("X-Amz-Target", b"")
        what = f"{request.method} {target.decode() if isinstance(target, bytes) else target} {request.url}"
        body = request.body.decode(errors="replace") if isinstance(request.body, bytes) else str(request.body or "")
        what += "".join(f" {part}" for part in body.split("&") if part.startswith("Action="))
        if mark in what and len(lost) < times:
            lost.append(what)
            raise ConnectionClosedError(endpoint_url=request.url)
        return answer

    monkeypatch.setattr(URLLib3Session, "send", send)
    return lost
