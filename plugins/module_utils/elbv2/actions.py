# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Actions of listeners and rules of an Application Load Balancer: requests of the API, and what is compared of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.sm2a.airflow.plugins.module_utils.elbv2 import oidc
from ansible_collections.sm2a.airflow.plugins.module_utils.elbv2.api import target_groups_of

Action = dict[str, Any]

REDIRECT_FIELDS = ("Protocol", "Port", "Host", "StatusCode")


def forward(target_group_arn: str) -> Action:
    """Forward to a target group."""
    return {"Type": "forward", "TargetGroupArn": target_group_arn}


def redirect(port: int, host: str | None) -> Action:
    """Redirect for ever to HTTPS; to the host of the request unless another one is given."""
    config = {"Protocol": "HTTPS", "Port": str(port), "StatusCode": "HTTP_301"}
    return {"Type": "redirect", "RedirectConfig": {**config, **({"Host": host} if host else {})}}


def fixed_response(status: int) -> Action:
    """Answer with a status and an empty body."""
    return {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": str(status), "ContentType": "text/plain"}}


def view(actions: Iterable[Action]) -> list[dict[str, Any]]:
    """What is compared of actions, whether of a request or of an answer."""
    shown = []
    for action in sorted(actions, key=lambda one: one.get("Order", 1)):
        if action["Type"] == "forward":
            detail: Any = target_groups_of([action])
        elif action["Type"] == oidc.ACTION:
            detail = oidc.view(action["AuthenticateOidcConfig"])
        elif action["Type"] == "fixed-response":
            detail = action["FixedResponseConfig"]["StatusCode"]
        else:
            # ELB answers with the placeholder where nothing was given.
            held = {"Host": "#{host}", **action.get("RedirectConfig", {})}
            detail = {key: held.get(key) for key in REDIRECT_FIELDS}
        shown.append({action["Type"]: detail})
    return shown
