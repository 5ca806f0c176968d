# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Who signed a request: a role's session or an IAM user, with the policies that say what it may do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import iam, sts

from sm2a_local_aws.iam import credentials
from sm2a_local_aws.iam.policy import documents as policies
from sm2a_local_aws.iam.policy.documents import Document
from sm2a_local_aws.iam.policy.principals import Principal
from sm2a_local_aws.iam.request.signatures import SignatureError
from sm2a_local_aws.patching.points import relies_on

relies_on(
    "ministack.core.iam_evaluator",
    {
        "resolve_credential": "32276bd395ef",
        "_principal_keys": "82f8fd4f1d91",
        "_resolve_managed_policy_document": "59ca6f381d92",
    },
)

# How AWS's access keys begin: of sessions, and of users.
ISSUED = ("ASIA", "AKIA")


@dataclass(frozen=True)
class Caller:
    """Somebody whom policies bind."""

    principal: Principal
    secret: str
    identity: tuple[Document, ...]
    boundary: Document | None
    session: tuple[Document, ...] | None
    # The task whose credentials these are, if they are a task's.
    task_arn: str = ""


def is_issued(access_key: str) -> bool:
    """Whether the key looks like one that AWS gave out, so that it must be known."""
    return access_key.startswith(ISSUED) or access_key in sts._sessions


def find(access_key: str, token: str, account: str) -> Caller:
    """The caller with this access key; SignatureError if there is none."""
    if credentials.have_ended(access_key):
        raise SignatureError("ExpiredTokenException", "The security token included in the request is expired")
    found = iam_evaluator.resolve_credential(access_key, account, token)
    if isinstance(found, iam_evaluator.CredentialResolutionError):
        raise SignatureError(found.code, found.message)
    session = sts._sessions.get(access_key)
    if found.principal_type == "AssumedRole":
        entity = iam._roles.get(found.principal_arn.split("/")[-2]) or {}
        documents = [*(entity.get("InlinePolicies") or {}).values(), *_managed(entity.get("AttachedPolicies"), account)]
    elif found.principal_type == "User":
        entity = iam._users.get(found.principal_name) or {}
        documents = list(_of_user(found.principal_name, entity, account))
    else:
        raise SignatureError("UnrecognizedClientException", "The security token included in the request is invalid.")
    boundary = entity.get("PermissionsBoundary")
    keys = {
        "aws:principalarn": entity.get("Arn") or found.principal_arn,
        "aws:principalaccount": found.account_id,
        "aws:principaltype": found.principal_type,
        **iam_evaluator._principal_keys(found),
    }
    return Caller(
        principal=Principal(
            arn=found.principal_arn,
            account=found.account_id,
            role_arn=entity.get("Arn", "") if found.principal_type == "AssumedRole" else "",
            context={key: str(value) for key, value in keys.items() if value is not None},
        ),
        secret=found.secret_access_key,
        identity=tuple(policies.parse(document) for document in documents),
        boundary=(_parsed(_managed([boundary], account)) or ((),))[0] if boundary else None,
        session=_session_policies(session, account),
        task_arn=(session or {}).get("TaskArn", ""),
    )


def of_task(task_arn: str, role_arn: str) -> Caller:
    """The caller that a task is with its own credentials."""
    made = credentials.of_task(task_arn, role_arn)
    return find(made["AccessKeyId"], made["SessionToken"], task_arn.split(":")[4])


def _of_user(name: str, user: Mapping[str, Any], account: str) -> Iterable[Any]:
    yield from (iam._user_inline_policies.get(name) or {}).values()
    yield from _managed(user.get("AttachedPolicies"), account)
    for group_name, group in iam._groups.items():
        if name in group.get("Users", []):
            yield from (iam._group_inline_policies.get(group_name) or {}).values()
            yield from _managed(group.get("AttachedPolicies"), account)


def _managed(arns: Iterable[str] | None, account: str) -> list[Any]:
    """The documents of managed policies; one that does not exist allows nothing."""
    found = [iam_evaluator._resolve_managed_policy_document(arn, account) for arn in arns or ()]
    return [document for document in found if document]


def _parsed(documents: Iterable[Any]) -> tuple[Document, ...]:
    return tuple(policies.parse(document) for document in documents)


def _session_policies(session: Mapping[str, Any] | None, account: str) -> tuple[Document, ...] | None:
    passed = (session or {}).get("SessionPolicies")
    if not passed:
        return None
    own = [passed["Policy"]] if passed.get("Policy") else []
    return _parsed([*own, *_managed(passed.get("PolicyArns"), account)])
