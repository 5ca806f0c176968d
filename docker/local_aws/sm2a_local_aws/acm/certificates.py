# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ACM: imported certificates are read (names, dates), requested ones are real self-signed certificates."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from ministack.core.responses import error_response_json, json_response
from ministack.services import acm

from sm2a_local_aws.acm import validation
from sm2a_local_aws.patching.points import relies_on, replaces

Handler = Callable[[dict[str, Any]], Any]

# Amazon's own certificates are valid for 13 months.
VALIDITY = timedelta(days=395)

relies_on(
    "ministack.services.acm",
    {
        "_decode_pem_field": "a7a64b5a03ee",
    },
)


@replaces("ministack.services.acm:_import_certificate", "3e097b845689")
def import_certificate(original: Handler, data: dict[str, Any]) -> Any:
    """Take names and dates from the certificate, and refuse one that cannot be read."""
    try:
        certificate = x509.load_pem_x509_certificate(acm._decode_pem_field(data.get("Certificate")).encode())
    except ValueError as error:
        return error_response_json("ValidationException", f"The certificate is not valid PEM: {error}", 400)
    response = original(data)
    if response[0] == 200:
        _describe(acm._certificates[json.loads(response[2])["CertificateArn"]], certificate)
    return response


@replaces("ministack.services.acm:_request_certificate", "8fb1d8187af5")
def request_certificate(original: Handler, data: dict[str, Any]) -> Any:
    """Make a self-signed certificate for the requested names, so that a listener can use it.

    It is issued at once, as if somebody had answered the e-mail, unless DNS validation is asked for.
    """
    known = validation.remembered(data)
    if known:
        return json_response({"CertificateArn": known})
    response = original(data)
    if response[0] == 200:
        record = acm._certificates[json.loads(response[2])["CertificateArn"]]
        certificate, key = _self_signed(record["DomainName"], record["SubjectAlternativeNames"])
        record["_pem_body"] = certificate.public_bytes(serialization.Encoding.PEM).decode()
        record["_private_key"] = key
        _describe(record, certificate)
        validation.begin(data, record)
    return response


@replaces("ministack.services.acm:_get_certificate", "6efda29bdf68")
def get_certificate(original: Handler, data: dict[str, Any]) -> Any:
    """Leave the chain out when there is none: an empty one breaks readers that parse it. None before it is issued."""
    if validation.is_pending(data.get("CertificateArn", "")):
        return error_response_json("RequestInProgressException", "The certificate request is not completed yet.", 400)
    response = original(data)
    if response[0] != 200:
        return response
    return json_response({name: value for name, value in json.loads(response[2]).items() if value})


def _describe(record: dict[str, Any], certificate: x509.Certificate) -> None:
    names = _names(certificate)
    record.update(
        DomainName=names[0],
        SubjectAlternativeNames=names,
        NotBefore=certificate.not_valid_before_utc.isoformat(),
        NotAfter=certificate.not_valid_after_utc.isoformat(),
    )


def _names(certificate: x509.Certificate) -> list[str]:
    """The common name first, then the other DNS names."""
    common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    names = [str(common[0].value)] if common else []
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names += extension.value.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        pass
    return list(dict.fromkeys(names)) or ["unnamed.invalid"]


def _self_signed(domain: str, names: list[str]) -> tuple[x509.Certificate, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, domain[:64])])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + VALIDITY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return certificate, pem
