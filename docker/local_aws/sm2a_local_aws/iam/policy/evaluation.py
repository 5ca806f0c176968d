# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether policies allow a request: IAM's evaluation within one account.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html. Nothing here knows MiniStack.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from sm2a_local_aws.iam.policy import principals
from sm2a_local_aws.iam.policy.documents import Document, Statement
from sm2a_local_aws.iam.policy.principals import Names, Principal

# Services whose resource policy must have a word for anybody, even for the owner's own roles.
RESOURCE_POLICY_DECIDES = ("kms:", "sts:AssumeRole")


@dataclass(frozen=True)
class Request:
    """One right that is asked for. Keys of the context are in small letters."""

    action: str
    resource: str
    context: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, action: str, resource: str, context: Mapping[str, str | Sequence[str]]) -> Request:
        """With a context as people write it: keys in any case, several values in a list."""
        return cls(
            action,
            resource,
            {key.lower(): value if isinstance(value, str) else tuple(value) for key, value in context.items()},
        )


@dataclass(frozen=True)
class Policies:
    """What is asked. A limit that is None does not exist; an empty one allows nothing."""

    identity: Sequence[Document] = ()
    boundary: Document | None = None
    session: Sequence[Document] | None = None
    resource: Document | None = None
    endpoint: Document | None = None


class Verdict(Enum):
    """IAM knows two kinds of no."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"


@dataclass(frozen=True)
class Decision:
    """`reason` ends the sentence of a refusal; `sid` is the statement that decided, where one did."""

    verdict: Verdict
    reason: str = ""
    sid: str = ""

    @property
    def allowed(self) -> bool:
        return self.verdict is Verdict.ALLOWED


def evaluate(principal: Principal, request: Request, policies: Policies) -> Decision:
    """Deny overrides allow; anything not allowed is denied."""
    asked = Request(request.action, request.resource, {**principal.context, **request.context})
    return _explicit_deny(principal, asked, policies) or _granted(principal, asked, policies)


def _explicit_deny(principal: Principal, request: Request, policies: Policies) -> Decision | None:
    for kind, documents in (
        ("an identity-based policy", policies.identity),
        ("a permissions boundary", [policies.boundary or ()]),
        ("a session policy", policies.session or ()),
    ):
        for statement in _covering(documents, request):
            if not statement.allows:
                return Decision(Verdict.EXPLICIT_DENY, f"with an explicit deny in {kind}", statement.sid)
    for kind, document in (
        ("a resource-based policy", policies.resource),
        ("a VPC endpoint policy", policies.endpoint),
    ):
        for statement in _covering([document or ()], request):
            if not statement.allows and principals.named(statement, principal) is not Names.NOBODY:
                return Decision(Verdict.EXPLICIT_DENY, f"with an explicit deny in {kind}", statement.sid)
    return None


def _granted(principal: Principal, request: Request, policies: Policies) -> Decision:
    if policies.endpoint is not None and _names(principal, request, policies.endpoint) is Names.NOBODY:
        return _refused("VPC endpoint policy", request)
    named = _names(principal, request, policies.resource or ())
    # What names the session or the user itself is granted to it alone, whatever limits its role.
    if named is Names.ITSELF:
        return Decision(Verdict.ALLOWED, "a resource-based policy names the caller")
    identity = next((one for one in _covering(policies.identity, request) if one.allows), None)
    decides = policies.resource is not None and request.action.startswith(RESOURCE_POLICY_DECIDES)
    if decides and named is Names.NOBODY:
        return _refused("resource-based policy", request)
    if identity is None and named not in (Names.ROLE, Names.EVERYBODY):
        return _refused("identity-based policy", request)
    for kind, limit in (
        ("permissions boundary", None if policies.boundary is None else [policies.boundary]),
        ("session policy", policies.session),
    ):
        if limit is not None and not any(one.allows for one in _covering(limit, request)):
            return _refused(kind, request)
    return Decision(Verdict.ALLOWED, sid=identity.sid if identity else "")


def _covering(documents: Iterable[Document], request: Request) -> Iterable[Statement]:
    return (
        statement
        for document in documents
        for statement in document
        if statement.covers(request.action, request.resource, request.context)
    )


def _names(principal: Principal, request: Request, document: Document) -> Names:
    """The closest name by which a statement that allows this request calls the caller."""
    found = [principals.named(one, principal) for one in _covering([document], request) if one.allows]
    return max(found, key=lambda one: one.value, default=Names.NOBODY)


def _refused(kind: str, request: Request) -> Decision:
    return Decision(Verdict.IMPLICIT_DENY, f"because no {kind} allows the {request.action} action")
