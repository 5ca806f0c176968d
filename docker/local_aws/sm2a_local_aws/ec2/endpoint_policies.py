# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Policies of VPC endpoints: a malformed one is refused."""

from __future__ import annotations

import json

from sm2a_local_aws.iam.policy import documents as policies
from sm2a_local_aws.iam.policy.documents import PolicyError, Statement

# Without a policy of its own an endpoint has this one.
FULL_ACCESS = json.dumps(
    {"Statement": [{"Action": "*", "Effect": "Allow", "Principal": "*", "Resource": "*"}], "Version": "2008-10-17"}
)
MAX_LENGTH = 20480
VERSIONS = ("2008-10-17", "2012-10-17")
# Services whose endpoints have no policies: there are a few such, which are no API of AWS that signs its requests.
FULL_ACCESS_ONLY = (".transfer.server",)


def problem(text: str, gateway: bool) -> str:
    """Why AWS refuses this policy of an endpoint; "" for a right one."""
    if len(text) > MAX_LENGTH:
        return f"it is longer than {MAX_LENGTH} characters"
    try:
        statements = policies.parse(text)
    except PolicyError as error:
        return str(error)
    if json.loads(text).get("Version", VERSIONS[0]) not in VERSIONS:
        return f"Version must be one of {', '.join(VERSIONS)}"
    return next(filter(None, (_statement_problem(one, gateway) for one in statements)), "")


def _statement_problem(statement: Statement, gateway: bool) -> str:
    if statement.principals is None and statement.not_principals is None:
        return "a statement has Principal or NotPrincipal"
    if statement.resources is None and statement.not_resources is None:
        return "a statement has Resource or NotResource"
    if gateway and statement.principals not in ((("*", "*"),), (("AWS", "*"),)):
        return "the principal of a gateway endpoint must be *"
    return ""


def refusal(text: str, service: str, kind: str) -> tuple[str, str] | None:
    """Code and message of AWS' error, or None when the policy may be set."""
    if service.endswith(FULL_ACCESS_ONLY):
        return "InvalidParameter", f"Service {service} only supports the full-access endpoint policy."
    wrong = problem(text, kind == "Gateway")
    return ("InvalidPolicyDocument", f"The Policy Document is not valid. {wrong}") if wrong else None
