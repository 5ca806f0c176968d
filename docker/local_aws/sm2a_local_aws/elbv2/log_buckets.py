# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ELBv2: logs are turned on only when the bucket exists and its policy lets Elastic Load Balancing write there."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id
from ministack.services import alb, s3

from sm2a_local_aws.patching.points import relies_on, replaces

Handler = Callable[[dict[str, Any]], Any]
Parameters = dict[str, Any]

# logdelivery: Regions since August 2022; older ones know ELB's own account there.
PRINCIPAL = "elasticloadbalancing.amazonaws.com"
KINDS = ("access_logs", "connection_logs", "health_check_logs")

relies_on("ministack.services.alb", {"_error": "7bbb9cb965a1", "_p": "4073e17ee146"})


@replaces("ministack.services.alb:_modify_lb_attrs", "d9d3b57d3cf6")
def modify_load_balancer_attributes(original: Handler, parameters: Parameters) -> Any:
    """Try what AWS tries: it writes a test file to each bucket that logs are to go to."""
    held = {item["Key"]: item["Value"] for item in alb._lb_attrs.get(alb._p(parameters, "LoadBalancerArn"), [])}
    wanted = {**held, **_attributes(parameters)}
    for kind in KINDS:
        if wanted.get(f"{kind}.s3.enabled") == "true":
            problem = _problem(wanted.get(f"{kind}.s3.bucket", ""), wanted.get(f"{kind}.s3.prefix", ""))
            if problem:
                return alb._error("InvalidConfigurationRequest", problem)
    return original(parameters)


def _attributes(parameters: Parameters) -> dict[str, str]:
    found, index = {}, 1
    while alb._p(parameters, f"Attributes.member.{index}.Key"):
        key = alb._p(parameters, f"Attributes.member.{index}.Key")
        found[key] = alb._p(parameters, f"Attributes.member.{index}.Value")
        index += 1
    return found


def _problem(bucket: str, prefix: str) -> str | None:
    if not bucket:
        return "The S3 bucket must be given when logs are enabled"
    if bucket not in s3._buckets:
        return f"S3 bucket not found: {bucket}"
    key = "/".join(part for part in (prefix, "AWSLogs", get_account_id(), "ELBAccessLogTestFile") if part)
    if not _allows(s3._bucket_policies.get(bucket), f"arn:aws:s3:::{bucket}/{key}"):
        return f"Access Denied for bucket: {bucket}. Please check S3bucket permission"
    return None


def _allows(policy: Any, resource: str) -> bool:
    """Whether a statement of the bucket policy lets Elastic Load Balancing put that object."""
    document = json.loads(policy) if policy else {}
    statements = document.get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal", {})
        services = _listed(principal.get("Service", [])) if isinstance(principal, dict) else []
        if (
            statement.get("Effect") == "Allow"
            and any(service.endswith(PRINCIPAL) for service in services)
            and any(fnmatch.fnmatchcase("s3:PutObject", action) for action in _listed(statement.get("Action", [])))
            and any(fnmatch.fnmatchcase(resource, pattern) for pattern in _listed(statement.get("Resource", [])))
        ):
            return True
    return False


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
