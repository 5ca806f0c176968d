# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Whether a role's policy and a resource's policy allow a call, by the IAM of the local AWS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sm2a_local_aws.iam import policies
from sm2a_local_aws.iam.evaluation import Policies, Request, evaluate
from sm2a_local_aws.iam.principals import Principal

# What is tested says who calls by the context key aws:PrincipalArn; no policy names this one.
CALLER = Principal("arn:aws:sts::123456789012:assumed-role/tested/session", "123456789012")


def allowed(
    statements: Sequence[Mapping[str, Any]],
    action: str,
    resource: str,
    context: Mapping[str, str] | None = None,
    resource_policy: Mapping[str, Any] | None = None,
) -> bool:
    """Deny beats allow, and what nothing allows is denied. Keys of ``context`` are as in the policies."""
    identity = policies.parse({"Version": "2012-10-17", "Statement": list(statements)})
    of_resource = policies.parse(resource_policy) if resource_policy else None
    asked = Request.of(action, resource, context or {})
    return evaluate(CALLER, asked, Policies([identity], resource=of_resource)).allowed
