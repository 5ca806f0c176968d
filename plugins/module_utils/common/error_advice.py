# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What to do about errors that are the account's or the caller's, not the playbook's: one sentence a cause."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from ansible_collections.sm2a.airflow.plugins.module_utils.common.retries import THROTTLED

with suppress(ImportError):  # AnsibleAWSModule reports the missing library.
    from botocore import exceptions

AGAIN = "Then run the playbook again: it continues where it stopped."
EXPIRED = f"The credentials have expired: renew them (with IAM Identity Center: aws sso login). {AGAIN}"
NO_CREDENTIALS = (
    "No credentials were found: set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, run on a machine "
    "with an IAM role, or set sm2a_aws_environment."
)
UNKNOWN_CREDENTIALS = (
    "AWS does not accept these credentials in this region: check the access key, and that the region (sm2a_region) "
    "is enabled for the account; opt-in regions must first be enabled under Account > AWS Regions."
)
REGION = "The region (sm2a_region) is not enabled for this account: enable it under Account > AWS Regions."
NO_ANSWER = (
    "The endpoint does not answer: check that sm2a_region is the name of a region (such as eu-west-1), "
    "sm2a_endpoint_url if it is set, and this machine's network, DNS and proxy."
)
CLOCK = (
    "This machine's clock is wrong, or the secret access key does not match the access key: correct whichever is wrong."
)
DENIED = "The credentials lack %s: add it to their policy, and look for a permissions boundary or an SCP."
# AWS does not say which of the two sides refuses.
NOT_TRUSTED = (
    "%s. The role's own trust policy must name these credentials, too, with the external ID if it asks for one; AWS "
    "answers the same when there is no such role."
)
QUOTA = (
    f"A quota of the account is used up: request an increase under Service Quotas, or delete unused resources. {AGAIN}"
)
SERVICE_ROLE = (
    "A service of AWS cannot use its service-linked role. In a new account it makes that role itself if the "
    "credentials have iam:CreateServiceLinkedRole: add it to their policy, or have an administrator run aws iam "
    f"create-service-linked-role --aws-service-name rds.amazonaws.com (for ECS: ecs.amazonaws.com). {AGAIN}"
)
TOO_MANY_CALLS = f"AWS throttled the call and every retry: wait a few minutes. {AGAIN}"

CODES: dict[str, str] = {
    **dict.fromkeys(("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"), EXPIRED),
    **dict.fromkeys(
        (
            "AuthFailure",
            "IncompleteSignature",
            "InvalidAccessKeyId",
            "InvalidClientTokenId",
            "InvalidToken",
            "MissingAuthenticationToken",
            "UnrecognizedClientException",
        ),
        UNKNOWN_CREDENTIALS,
    ),
    **dict.fromkeys(("OptInRequired", "RegionDisabledException"), REGION),
    **dict.fromkeys(("InvalidSignatureException", "RequestTimeTooSkewed", "SignatureDoesNotMatch"), CLOCK),
    **dict.fromkeys(THROTTLED, TOO_MANY_CALLS),
}
# VpcLimitExceeded, AddressLimitExceeded, InstanceQuotaExceeded, LimitExceededException, TooManyBuckets and so on.
# AWS names the action in its message or, where it does not, refuses with one of these codes; S3 has no words for HEAD.
NOT_AUTHORIZED = re.compile(r"not authorized to perform: (?P<action>[\w-]+:\w+)(?: on resource: (?P<resource>\S+))?")
DENIAL_CODE = re.compile(
    r"403|Forbidden|(KMS\.?)?AccessDenied\w*|KmsAccessDenied|AuthorizationError\w*|(Not|Un)[Aa]uthorized\w*"
)
# ECS and RDS have no code of their own for it; RDS only refers to a page when it makes a DB subnet group.
SERVICE_ROLE_SAID = re.compile(r"service linked role|ServiceLinkedRoles\.html")
# Calls whose right has another name, and whose answer says nothing.
RENAMED = {"HeadBucket": "ListBucket", "HeadObject": "GetObject"}
QUOTA_CODE = re.compile(r".*(LimitExceeded|QuotaExceeded)(Exception|Fault)?|TooMany\w+|ServiceQuota\w+|MaxSpot\w+")


def advice(error: Any) -> str:
    """What to do about a botocore error; "" where the error itself says all there is to say."""
    if isinstance(error, exceptions.WaiterError):
        return _on_answer(error.last_response, "")
    if isinstance(error, exceptions.ClientError):
        return _on_answer(error.response, error.operation_name)
    if isinstance(error, (exceptions.NoCredentialsError, exceptions.PartialCredentialsError)):
        return NO_CREDENTIALS
    if isinstance(error, (exceptions.SSOError, exceptions.TokenRetrievalError, exceptions.CredentialRetrievalError)):
        return EXPIRED
    if isinstance(error, (exceptions.EndpointConnectionError, exceptions.ConnectTimeoutError)):
        return NO_ANSWER
    return ""


def explained(error: Any) -> str:
    """What an AnsibleAWSError says, and what to do about it, where there is no module to fail."""
    what_to_do = advice(getattr(error, "exception", None))
    return f"{str(error).rstrip('.')}. {what_to_do}" if what_to_do else str(error)


def _on_answer(answer: Any, operation: str) -> str:
    """``operation`` may be unknown."""
    error = answer.get("Error", {}) if isinstance(answer, dict) else {}
    code, named = str(error.get("Code", "")), NOT_AUTHORIZED.search(str(error.get("Message", "")))
    if named:
        denied = DENIED % (named["action"] + (f" on {named['resource']}" if named["resource"] else ""))
        return NOT_TRUSTED % denied.rstrip(".") if named["action"] == "sts:AssumeRole" else denied
    if DENIAL_CODE.fullmatch(code):
        service = error.get("Service")
        return DENIED % (f"{service}:{RENAMED.get(operation, operation)}" if service and operation else "a right")
    if SERVICE_ROLE_SAID.search(str(error.get("Message", ""))):
        return SERVICE_ROLE
    return CODES.get(code) or (QUOTA if QUOTA_CODE.fullmatch(code) else "")
