# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which errors come with advice, and that modules end with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.common import error_advice as advice
from ansible_collections.sm2a.airflow.tests.support import modules as support
from ansible_collections.sm2a.airflow.tests.support.fault_proxy.proxy import FaultProxy, fault_proxy
from ansible_collections.sm2a.airflow.tests.support.fault_proxy.rules import Rule
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ReadTimeoutError, WaiterError

CODES = {
    "ExpiredTokenException": advice.EXPIRED,
    "RequestExpired": advice.EXPIRED,
    "UnrecognizedClientException": advice.UNKNOWN_CREDENTIALS,
    "AuthFailure": advice.UNKNOWN_CREDENTIALS,
    "OptInRequired": advice.REGION,
    "SignatureDoesNotMatch": advice.CLOCK,
    "UnauthorizedOperation": advice.DENIED % "a right",
    "AccessDeniedException": advice.DENIED % "a right",
    "AuthorizationError": advice.DENIED % "a right",
    "KMS.AccessDeniedException": advice.DENIED % "a right",
    "403": advice.DENIED % "a right",
    "VpcLimitExceeded": advice.QUOTA,
    "NatGatewayLimitExceeded": advice.QUOTA,
    "InstanceQuotaExceeded": advice.QUOTA,
    "InstanceQuotaExceededFault": advice.QUOTA,
    "LimitExceededException": advice.QUOTA,
    "TooManyLoadBalancers": advice.QUOTA,
    "RequestLimitExceeded": advice.TOO_MANY_CALLS,
    "RequestThrottledException": advice.TOO_MANY_CALLS,
    "ThrottledException": advice.TOO_MANY_CALLS,
    "TooManyRequestsException": advice.TOO_MANY_CALLS,
    "ValidationException": "",
    "InternalFailure": "",
}


@pytest.fixture
def proxy_to_nowhere() -> Iterator[FaultProxy]:
    """It answers by itself as long as a rule strikes every call."""
    with fault_proxy("http://127.0.0.1:1") as proxy:
        yield proxy


@pytest.mark.parametrize("code", CODES)
def test_each_code_has_its_advice(code: str) -> None:
    error = ClientError({"Error": {"Code": code, "Message": "no"}}, "CreateVpc")
    assert advice.advice(error) == CODES[code]


ROLE = "arn:aws:sts::123456789012:assumed-role/deploy/me"
VPC = "arn:aws:ec2:eu-west-1:123456789012:vpc/*"
# What AWS says, and which right the advice must name.
REFUSALS = {
    f"You are not authorized to perform this operation. User: {ROLE} is not authorized to perform: ec2:CreateVpc on "
    f"resource: {VPC} because no identity-based policy allows the ec2:CreateVpc action. Encoded authorization failure "
    "message: 4GIOHlTkIaWHQD0Q0m6XSnuUMCm-abc_def": f"ec2:CreateVpc on {VPC}",
    f"User: {ROLE} is not authorized to perform: kms:TagResource because no identity-based policy allows the "
    "kms:TagResource action": "kms:TagResource",
    f"User: {ROLE} is not authorized to perform: iam:PassRole on resource: arn:aws:iam::123456789012:role/x with an "
    "explicit deny in a permissions boundary": "iam:PassRole on arn:aws:iam::123456789012:role/x",
}


@pytest.mark.parametrize("message", REFUSALS)
@pytest.mark.parametrize("code", ["AccessDenied", "UnauthorizedOperation", "InvalidParameterCombination"])
def test_a_refusal_names_the_right(message: str, code: str) -> None:
    """Whatever the code is: a service that acts in the caller's name has others."""
    answer = {"Error": {"Code": code, "Message": message}}
    wanted = advice.DENIED % REFUSALS[message]
    assert advice.advice(ClientError(answer, "CreateVpc")) == wanted
    assert advice.advice(WaiterError("vpc_available", "denied", answer)) == wanted


def test_a_role_that_cannot_be_assumed_may_lack_trust() -> None:
    role = "arn:aws:iam::210987654321:role/dns"
    message = f"User: {ROLE} is not authorized to perform: sts:AssumeRole on resource: {role}"
    said = advice.advice(ClientError({"Error": {"Code": "AccessDenied", "Message": message}}, "AssumeRole"))
    assert said.startswith(f"The credentials lack sts:AssumeRole on {role}: add it to their policy")
    assert "The role's own trust policy must name these credentials, too, with the external ID" in said


@pytest.mark.parametrize(
    ("module", "code", "right"),
    [
        # AWS does not say which: the call tells it.
        ("ecs_cluster", "AccessDeniedException", "ecs:DescribeClusters"),
        ("s3_bucket", "AccessDenied", "s3:ListBucket"),
        ("cloudwatch_dashboard", "AccessDenied", "cloudwatch:GetDashboard"),
    ],
)
def test_a_refusal_without_words_names_the_call(
    proxy_to_nowhere: FaultProxy, aws_environment: None, module: str, code: str, right: str
) -> None:
    proxy_to_nowhere.book.set([Rule("error", code=code, status=403)])
    arguments = {"region": "eu-west-1", "endpoint_url": proxy_to_nowhere.endpoint, "name": "a-name", "state": "absent"}
    with pytest.raises(support.ModuleFailedError) as failed:
        support.run(module, arguments)
    assert f"The credentials lack {right}" in failed.value.result["msg"]


def test_the_encoded_message_is_not_in_the_way(proxy_to_nowhere: FaultProxy, aws_environment: None) -> None:
    message = next(iter(REFUSALS))
    proxy_to_nowhere.book.set([Rule("error", code="UnauthorizedOperation", status=403, message=message)])
    place = {"region": "eu-west-1", "endpoint_url": proxy_to_nowhere.endpoint}
    with pytest.raises(support.ModuleFailedError) as failed:
        support.run("ec2_vpc_network", {**place, "name": "a", "state": "absent"})
    said = failed.value.result["msg"]
    assert said.endswith(advice.DENIED % f"ec2:CreateVpc on {VPC}")
    assert "Encoded" not in said
    assert "Encoded" in failed.value.result["error"]["message"]


def test_errors_that_are_no_answers() -> None:
    assert advice.advice(NoCredentialsError()) == advice.NO_CREDENTIALS
    assert advice.advice(EndpointConnectionError(endpoint_url="https://x")) == advice.NO_ANSWER
    assert advice.advice(ReadTimeoutError(endpoint_url="https://x")) == ""
    assert advice.advice(None) == ""


def test_a_module_ends_with_the_error_and_the_advice(monkeypatch: pytest.MonkeyPatch, aws_environment: None) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(support.ModuleFailedError) as failed:
        support.run("caller_identity_info", {"region": "eu-west-1"})
    message = failed.value.result["msg"]
    assert message.startswith("Failed to read the caller's identity: Unable to locate credentials")
    assert message.endswith(advice.NO_CREDENTIALS)


def test_a_used_up_quota_is_not_retried(proxy_to_nowhere: FaultProxy, aws_environment: None) -> None:
    proxy_to_nowhere.book.set([Rule("quota")])
    arguments = {"region": "eu-west-1", "endpoint_url": proxy_to_nowhere.endpoint, "name": "a"}
    with pytest.raises(support.ModuleFailedError, match=r"LimitExceededException.*Service Quotas"):
        support.run("ecs_cluster", arguments)
    assert len(proxy_to_nowhere.book.entries) == 1


def test_throttling_is_retried_to_the_end(
    proxy_to_nowhere: FaultProxy, aws_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)
    proxy_to_nowhere.book.set([Rule("throttle")])
    with pytest.raises(support.ModuleFailedError, match="Throttling"):
        support.run("caller_identity_info", {"region": "eu-west-1", "endpoint_url": proxy_to_nowhere.endpoint})
    assert len(proxy_to_nowhere.book.entries) == 11


def test_an_address_without_aws_is_given_up_soon(aws_environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time.sleep", pauses.append)
    with pytest.raises(support.ModuleFailedError, match="sm2a_region"):
        support.run("caller_identity_info", {"region": "eu-west-1", "endpoint_url": "http://127.0.0.1:1"})
    assert len(pauses) == 3
