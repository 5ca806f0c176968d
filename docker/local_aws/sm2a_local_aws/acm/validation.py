# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ACM: a certificate requested with DNS validation is issued when its CNAMEs are in Route 53, unless CAA forbids it."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from ministack.core.responses import error_response_json, get_account_id, json_response, now_iso
from ministack.services import acm, alb, route53

from sm2a_local_aws.patching.points import relies_on, replaces

Handler = Callable[[dict[str, Any]], Any]
Certificate = dict[str, Any]

PENDING, ISSUED, FAILED = "PENDING_VALIDATION", "ISSUED", "FAILED"
# AWS names the CNAMEs some seconds after the request: here not in the first answer.
UNNAMED = "_unnamed"
# Set while ACM does not look for the CNAMEs yet (`waiting_times.certificates`).
UNREAD = "_unread"
TOKEN_SECONDS = 3600
AMAZON = {"amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com"}

relies_on("ministack.services.acm", {"_get_local_certificate": "0a4bf6414a57"})

# (account, idempotency token) -> (time of the request, certificate ARN)
_tokens: dict[tuple[str, str], tuple[float, str]] = {}


def remembered(data: dict[str, Any]) -> str | None:
    """The certificate that a request with the same idempotency token made within the last hour."""
    made, arn = _tokens.get((get_account_id(), data.get("IdempotencyToken") or ""), (0.0, ""))
    return arn if arn in acm._certificates and time.monotonic() - made < TOKEN_SECONDS else None


def begin(data: dict[str, Any], record: Certificate) -> None:
    """What a request starts: its token is remembered, and one with DNS validation waits for its CNAMEs."""
    if data.get("IdempotencyToken"):
        _tokens[get_account_id(), data["IdempotencyToken"]] = (time.monotonic(), record["CertificateArn"])
    if data.get("ValidationMethod") != "DNS":
        return
    record["Status"] = PENDING
    record[UNNAMED] = True
    record["DomainValidationOptions"] = [_validation(name) for name in record["SubjectAlternativeNames"]]


@replaces("ministack.services.acm:_describe_certificate", "6220c014615d")
def describe_certificate(original: Handler, data: dict[str, Any]) -> Any:
    """Look for the CNAMEs first; add the reason of a failure and who uses the certificate."""
    record = acm._get_local_certificate(data.get("CertificateArn", ""))
    if record is None:
        return original(data)
    _validate(record)
    detail = json.loads(original(data)[2])["Certificate"]
    detail["InUseBy"] = sorted({*detail["InUseBy"], *users_of(record["CertificateArn"])})
    if record["Status"] == FAILED:
        detail["FailureReason"] = record["FailureReason"]
    if record["Status"] != ISSUED:
        for key in ("IssuedAt", "NotBefore", "NotAfter"):
            detail.pop(key)
    if record.pop(UNNAMED, False):
        for option in detail["DomainValidationOptions"]:
            option.pop("ResourceRecord")
    return json_response({"Certificate": detail})


@replaces("ministack.services.acm:_delete_certificate", "4358074f0273")
def delete_certificate(original: Handler, data: dict[str, Any]) -> Any:
    """Refuse while a listener uses it."""
    arn = data.get("CertificateArn", "")
    if acm._get_local_certificate(arn) and users_of(arn):
        message = f"Certificate {arn} in account {get_account_id()} is in use."
        return error_response_json("ResourceInUseException", message, 400)
    return original(data)


def users_of(arn: str) -> set[str]:
    """ARNs of the load balancers whose listeners have the certificate as their default one."""
    return {one["LoadBalancerArn"] for one in alb._listeners.values() if arn in one.get("Certificates", [])}


def is_pending(arn: str) -> bool:
    """Whether the certificate is not issued yet, or never will be."""
    record = acm._get_local_certificate(arn)
    return bool(record) and record["Status"] != ISSUED


def _validation(domain: str) -> dict[str, Any]:
    """One entry of DomainValidationOptions: a name and its wildcard share the CNAME, as on AWS."""
    base = domain.removeprefix("*.")
    digest = hashlib.sha256(f"{get_account_id()} {base}".encode()).hexdigest()
    record = {"Name": f"_{digest[:32]}.{base}.", "Type": "CNAME", "Value": f"_{digest[32:]}.acm-validations.aws."}
    return {"DomainName": domain, "ValidationMethod": "DNS", "ValidationStatus": PENDING, "ResourceRecord": record}


def _validate(record: Certificate) -> None:
    if record["Status"] != PENDING or UNREAD in record:
        return
    for option in record["DomainValidationOptions"]:
        wanted = option["ResourceRecord"]
        found = [one.get("ResourceRecords", []) for one in _records(wanted["Name"], "CNAME")]
        if [wanted["Value"]] in found:
            option["ValidationStatus"] = "SUCCESS"
    if any(option["ValidationStatus"] != "SUCCESS" for option in record["DomainValidationOptions"]):
        return
    if all(_amazon_may_issue(name.removeprefix("*.")) for name in record["SubjectAlternativeNames"]):
        record.update(Status=ISSUED, IssuedAt=now_iso())
    else:
        record.update(Status=FAILED, FailureReason="CAA_ERROR")


def _amazon_may_issue(domain: str) -> bool:
    """Whether the CAA records nearest to the domain, if there are any, name one of Amazon's authorities."""
    labels = domain.split(".")
    for start in range(len(labels)):
        values = [value for one in _records(".".join(labels[start:]) + ".", "CAA") for value in one["ResourceRecords"]]
        issuers = {value.split('"')[1].partition(";")[0].strip() for value in values if " issue " in value}
        if issuers:
            return bool(issuers & AMAZON)
    return True


def _records(name: str, kind: str) -> Iterator[dict[str, Any]]:
    """Record sets of that name and type in any public hosted zone of the account."""
    for zone_id, records in list(route53._records.items()):
        if not route53._zones[zone_id]["private"]:
            yield from (one for one in records if one["Name"].lower() == name.lower() and one["Type"] == kind)
