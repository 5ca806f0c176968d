# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Policies of VPC endpoints: a malformed one is refused, and services that have none are told."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ministack.services import ec2

from sm2a_local_aws.iam.policy import documents as policies
from sm2a_local_aws.iam.policy.documents import PolicyError, Statement
from sm2a_local_aws.patching.points import relies_on, replaces

Handler = Callable[[dict[str, Any]], Any]

relies_on(
    "ministack.services.ec2", {"_parse_filters": "eb2fa616abd9", "get_region": "7d056e8a5680", "_xml": "353cd9683b41"}
)

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


@replaces("ministack.services.ec2:_describe_vpc_endpoint_services", "8ac60c12c5f8")
def describe_vpc_endpoint_services(original: Handler, params: dict[str, Any]) -> Any:
    """MiniStack knows a few services only, and says that gateway endpoints have no policies."""
    names = ec2._parse_filters(params).get("service-name", [])
    if not names:
        return original(params)
    prefix = f"com.amazonaws.{ec2.get_region()}."
    found = [name for name in names if name.startswith(prefix)]
    details = "".join(_detail(name) for name in found)
    names_xml = "".join(f"<item>{name}</item>" for name in found)
    body = f"<serviceNameSet>{names_xml}</serviceNameSet><serviceDetailSet>{details}</serviceDetailSet>"
    return ec2._xml(200, "DescribeVpcEndpointServicesResponse", body)


def _detail(name: str) -> str:
    kind = "Gateway" if name.rpartition(".")[2] in ("s3", "dynamodb") else "Interface"
    supported = "false" if name.endswith(FULL_ACCESS_ONLY) else "true"
    return (
        f"<item><serviceName>{name}</serviceName><owner>amazon</owner>"
        f"<serviceType><item><serviceType>{kind}</serviceType></item></serviceType>"
        f"<vpcEndpointPolicySupported>{supported}</vpcEndpointPolicySupported></item>"
    )
