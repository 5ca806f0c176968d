# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether a role's statements and a resource's policy allow a call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sm2a_local_aws.iam.policy import documents as policies
from sm2a_local_aws.iam.policy.evaluation import Policies, Request, evaluate
from sm2a_local_aws.iam.policy.principals import Principal

SOMEBODY = "arn:aws:iam::123456789012:role/somebody"


def allowed(
    statements: Sequence[Mapping[str, Any]],
    action: str,
    resource: str,
    context: Mapping[str, str] | None = None,
    resource_policy: Mapping[str, Any] | None = None,
) -> bool:
    """The decision of IAM. Who calls is in ``context``, where it matters."""
    asked = context or {}
    given = Policies(
        identity=[policies.parse({"Version": "2012-10-17", "Statement": list(statements)})],
        resource=policies.parse(resource_policy) if resource_policy else None,
    )
    arn = asked.get("aws:PrincipalArn", SOMEBODY)
    caller = Principal(arn, account=arn.split(":")[4])
    return evaluate(caller, Request.of(action, resource, asked), given).allowed
