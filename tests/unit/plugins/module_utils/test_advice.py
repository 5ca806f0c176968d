# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Which errors come with advice, and that modules end with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils import advice
from ansible_collections.sm2a.airflow.tests.faults.proxy import FaultProxy, fault_proxy
from ansible_collections.sm2a.airflow.tests.faults.rules import Rule
from ansible_collections.sm2a.airflow.tests.unit.plugins import support
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ReadTimeoutError

CODES = {
    "ExpiredTokenException": advice.EXPIRED,
    "RequestExpired": advice.EXPIRED,
    "UnrecognizedClientException": advice.UNKNOWN_CREDENTIALS,
    "AuthFailure": advice.UNKNOWN_CREDENTIALS,
    "OptInRequired": advice.REGION,
    "SignatureDoesNotMatch": advice.CLOCK,
    "UnauthorizedOperation": advice.DENIED,
    "VpcLimitExceeded": advice.QUOTA,
    "NatGatewayLimitExceeded": advice.QUOTA,
    "InstanceQuotaExceeded": advice.QUOTA,
    "InstanceQuotaExceededFault": advice.QUOTA,
    "LimitExceededException": advice.QUOTA,
    "TooManyLoadBalancers": advice.QUOTA,
    "RequestLimitExceeded": advice.THROTTLED,
    "TooManyRequestsException": advice.THROTTLED,
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
