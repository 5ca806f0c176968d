# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""All rights that a call needs: its own, on each resource, and those that AWS uses on the caller's behalf."""

from __future__ import annotations

from sm2a_local_aws.iam.policy.evaluation import Request
from sm2a_local_aws.iam.request.calls import Call
from sm2a_local_aws.iam.rights import context, on_behalf, reference, resources
from sm2a_local_aws.iam.rights.existing import Existing, Place

# AWS grants these to everybody.
# https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
FREE = ("sts:GetCallerIdentity", "sts:GetSessionToken")
# S3 has an action of its own for a named version.
OF_A_VERSION = {
    "s3:DeleteObject": "s3:DeleteObjectVersion",
    "s3:GetObject": "s3:GetObjectVersion",
}
VERSION = ("VersionId", "versionId")


def of(call: Call, place: Place, existing: Existing) -> list[Request]:
    """Every one of them must be allowed."""
    own = [
        Request(action, arn, context.of(call, action, arn, place, existing))
        for action in actions(call)
        for arn in resources.of(call, action, place, existing)
    ]
    through = f"{reference.PREFIXES.get(call.service, call.service)}.amazonaws.com"
    behalf = [
        Request(
            right.action,
            right.resource,
            context.of(Call("", "", {}), right.action, right.resource, place, existing)
            | {"aws:viaawsservice": "true", "aws:calledvia": (through,)}
            | right.keys,
        )
        for right in on_behalf.of(call, place, existing)
    ]
    return [*own, *behalf]


def actions(call: Call) -> list[str]:
    """The permissions of the call itself; none for what everybody may do."""
    action = reference.action(call.service, call.operation)
    if action in FREE:
        return []
    versions = [_has_version(one) for one in (call.parameters.get("Delete") or {}).get("Objects", [])]
    versions = versions or [_has_version(call.parameters)]
    named = {OF_A_VERSION.get(action, action) if versioned else action: None for versioned in versions}
    return list(named)


def _has_version(parameters: object) -> bool:
    return isinstance(parameters, dict) and any(parameters.get(name) for name in VERSION)
