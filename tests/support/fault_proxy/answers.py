# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""AWS's error answers, in the words of each service and the form of its protocol."""

from __future__ import annotations

import json
from dataclasses import dataclass

from ansible_collections.sm2a.airflow.tests.support.fault_proxy.calls import Call
from ansible_collections.sm2a.airflow.tests.support.fault_proxy.rules import Rule

Words = tuple[int, str, str]
# kind -> service -> (status, code, message); "" stands for every other service.
ERRORS: dict[str, dict[str, Words]] = {
    "throttle": {
        "ec2": (503, "RequestLimitExceeded", "Request limit exceeded."),
        "s3": (503, "SlowDown", "Please reduce your request rate."),
        "": (400, "ThrottlingException", "Rate exceeded"),
    },
    "server_error": {
        "ec2": (500, "InternalError", "An internal error has occurred"),
        "s3": (500, "InternalError", "We encountered an internal error. Please try again."),
        "": (500, "InternalFailure", "The request processing has failed because of an unknown error."),
    },
    "expired": {
        "ec2": (400, "RequestExpired", "Request has expired."),
        "s3": (400, "ExpiredToken", "The provided token has expired."),
        "sts": (403, "ExpiredToken", "The security token included in the request is expired"),
        "": (400, "ExpiredTokenException", "The security token included in the request is expired"),
    },
    "quota": {
        "ec2": (400, "VpcLimitExceeded", "The maximum number of VPCs has been reached."),
        "elbv2": (400, "TooManyLoadBalancers", "You've reached the limit on the number of load balancers"),
        "iam": (409, "LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000"),
        "rds": (400, "InstanceQuotaExceeded", "You've exceeded the maximum number of DB instances"),
        "s3": (400, "TooManyBuckets", "You have attempted to create more buckets than allowed"),
        "": (400, "LimitExceededException", "The quota of this account is used up"),
    },
}


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes


def error(call: Call, rule: Rule) -> Answer:
    """What the service answers with when ``rule`` strikes; AWS's own query services throttle with "Throttling"."""
    by_service = ERRORS.get(rule.kind, {"": (400, "Error", "Told to fail")})
    status, code, message = by_service.get(call.service, by_service[""])
    if code == "ThrottlingException" and call.protocol == "query":
        code = "Throttling"
    return render(call, rule.status or status, rule.code or code, rule.message or message)


def render(call: Call, status: int, code: str, message: str) -> Answer:
    """An error in the form of the call's protocol."""
    if call.protocol == "json":
        body = json.dumps({"__type": code, "message": message}).encode()
        return Answer(status, {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": code}, body)
    if call.protocol == "cbor":
        headers = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        return Answer(status, headers, cbor_map({"__type": code, "message": message}))
    fields = f"<Code>{code}</Code><Message>{message}</Message>"
    if call.service == "ec2":
        text = f"<Response><Errors><Error>{fields}</Error></Errors><RequestID>fault</RequestID></Response>"
    elif call.service == "s3":
        text = f"<Error>{fields}<RequestId>fault</RequestId></Error>"
    else:
        error_of_sender = f"<Error><Type>Sender</Type>{fields}</Error>"
        text = f"<ErrorResponse>{error_of_sender}<RequestId>fault</RequestId></ErrorResponse>"
    return Answer(status, {"Content-Type": "text/xml"}, text.encode())


def cbor_map(values: dict[str, str]) -> bytes:
    """A CBOR map of texts; at most 23 entries, each text below 64 KiB."""
    return bytes([0xA0 + len(values)]) + b"".join(cbor_text(part) for pair in values.items() for part in pair)


def cbor_text(text: str) -> bytes:
    """A CBOR text string with a length of two bytes."""
    data = text.encode()
    return b"\x79" + len(data).to_bytes(2, "big") + data
