# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""AWS Certificate Manager: the API calls of acm_certificate. Private keys pass through, and are never returned."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

with contextlib.suppress(ImportError):  # AnsibleAWSModule reports the missing library.
    from botocore.waiter import WaiterModel, create_waiter_with_client

from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.acm.x509 import Material
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import TagChange, call
from ansible_collections.sm2a.airflow.plugins.module_utils.common.create_once import create_once

MISSING = ("ResourceNotFoundException",)
# Without this filter ACM lists RSA keys only.
KEY_TYPES = ["RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"]
# A listener that was just deleted still counts as a user for a minute or two.
IN_USE_RETRIES = 15
HOPELESS = ("FAILED", "VALIDATION_TIMED_OUT", "REVOKED", "EXPIRED", "INACTIVE")


@dataclass(frozen=True)
class Held:
    """A certificate that ACM holds: its ARN, its tags, and ``detail`` as DescribeCertificate answers it."""

    arn: str
    tags: dict[str, str]
    detail: dict[str, Any]

    @property
    def imported(self) -> bool:
        return bool(self.detail.get("Type") == "IMPORTED")

    @property
    def in_use(self) -> bool:
        return bool(self.detail.get("InUseBy"))


@call("list certificates")
def list_arns(acm: Any) -> list[str]:
    """ARNs of all certificates of the account in the Region."""
    pages = acm.get_paginator("list_certificates").paginate(Includes={"keyTypes": KEY_TYPES})
    return [one["CertificateArn"] for one in pages.build_full_result()["CertificateSummaryList"]]


@call("list the tags of a certificate", missing=MISSING, default={})
def tags_of(acm: Any, arn: str) -> dict[str, str]:
    """Tags as a dict, {} when there is no such certificate."""
    return dict(boto3_tag_list_to_ansible_dict(acm.list_tags_for_certificate(CertificateArn=arn)["Tags"]))


@call("describe the certificate", missing=MISSING)
def describe(acm: Any, arn: str) -> dict[str, Any] | None:
    """What ACM says of the certificate; None when there is no such one."""
    return dict(acm.describe_certificate(CertificateArn=arn)["Certificate"])


def named(acm: Any, name: str) -> list[Held]:
    """The certificates with this Name tag: those in use first, then by ARN."""
    tagged = [(arn, tags) for arn in list_arns(acm) if (tags := tags_of(acm, arn)).get("Name") == name]
    found = [Held(arn, tags, detail) for arn, tags in tagged if (detail := describe(acm, arn))]
    return sorted(found, key=lambda held: (not held.in_use, held.arn))


@call("read the certificate")
def get_certificate(acm: Any, arn: str) -> tuple[str, str]:
    """The PEM texts of the certificate and its chain ("" when it has none)."""
    answer = acm.get_certificate(CertificateArn=arn)
    return str(answer["Certificate"]), str(answer.get("CertificateChain") or "")


@call("import the certificate")
def import_certificate(acm: Any, material: Material, arn: str | None, tags: dict[str, str]) -> str:
    """Import as a new certificate with ``tags`` (a Name among them), or in place of ``arn``; returns the ARN."""
    request: dict[str, Any] = {
        "Certificate": material.certificate.encode(),
        "PrivateKey": material.private_key.encode(),
    }
    if material.chain:
        request["CertificateChain"] = material.chain.encode()
    if arn:
        return str(acm.import_certificate(CertificateArn=arn, **request)["CertificateArn"])
    request["Tags"] = ansible_dict_to_boto3_tag_list(tags)

    def made() -> str | None:
        return next((held.arn for held in named(acm, tags["Name"]) if held.imported), None)

    return create_once(acm, lambda: str(acm.import_certificate(**request)["CertificateArn"]), made)


@call("request the certificate")
def request_certificate(acm: Any, domain_names: list[str], tags: dict[str, str]) -> str:
    """Request a public certificate with DNS validation; returns its ARN. A repeated attempt makes no second one."""
    request: dict[str, Any] = {"DomainName": domain_names[0], "ValidationMethod": "DNS"}
    if len(domain_names) > 1:
        request["SubjectAlternativeNames"] = domain_names
    answer = acm.request_certificate(
        IdempotencyToken=uuid.uuid4().hex, Tags=ansible_dict_to_boto3_tag_list(tags), **request
    )
    return str(answer["CertificateArn"])


@call("change the tags of the certificate")
def write_tags(acm: Any, arn: str, change: TagChange) -> None:
    """Remove and set tags."""
    if change.remove:
        acm.remove_tags_from_certificate(CertificateArn=arn, Tags=[{"Key": key} for key in change.remove])
    if change.set:
        acm.add_tags_to_certificate(CertificateArn=arn, Tags=ansible_dict_to_boto3_tag_list(change.set))


@call("delete the certificate", missing=MISSING, default=True)
def delete_certificate(acm: Any, arn: str) -> bool:
    """Delete, waiting for users that are on their way out; False when it stays in use."""
    retry = AWSRetry.jittered_backoff(
        retries=IN_USE_RETRIES, delay=2, max_delay=15, catch_extra_error_codes=["ResourceInUseException"]
    )
    try:
        retry(acm.delete_certificate)(CertificateArn=arn)
    except acm.exceptions.ResourceInUseException:
        return False
    return True


def waiter(acm: Any, goal: str, timeout: int) -> Callable[..., None]:
    """The ``wait`` of a waiter for ``named`` (its CNAMEs are known) or ``issued``; ``timeout`` in seconds."""
    delay = 1 if goal == "named" else 5
    named_records = {
        "matcher": "pathAll",
        "argument": "Certificate.DomainValidationOptions[].contains(keys(@), 'ResourceRecord')",
        "expected": True,
        "state": "success",
    }
    issued = {"matcher": "path", "argument": "Certificate.Status", "expected": "ISSUED", "state": "success"}
    failed = [{**issued, "expected": status, "state": "failure"} for status in HOPELESS]
    definition = {
        "operation": "DescribeCertificate",
        "delay": delay,
        "maxAttempts": max(1, timeout // delay),
        "acceptors": [named_records if goal == "named" else issued, *failed],
    }
    model = WaiterModel({"version": 2, "waiters": {goal: definition}})
    wait: Callable[..., None] = create_waiter_with_client(goal, model, acm).wait
    return wait
