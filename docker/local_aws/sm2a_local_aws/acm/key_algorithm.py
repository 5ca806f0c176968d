# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ACM: DescribeCertificate names the algorithm and the size of the certificate's own key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from sm2a_local_aws.patching.points import replaces

# As ACM calls the curves.
CURVES = {"secp256r1": "EC_prime256v1", "secp384r1": "EC_secp384r1", "secp521r1": "EC_secp521r1"}


@replaces("ministack.services.acm:_cert_shape", "1ce4bcc96cec")
def cert_shape(original: Callable[[dict[str, Any]], dict[str, Any]], record: dict[str, Any]) -> dict[str, Any]:
    """As MiniStack says it, with the algorithm of the certificate itself where it can be read."""
    shape = original(record)
    try:
        key = x509.load_pem_x509_certificate(record["_pem_body"].encode()).public_key()
    except (KeyError, ValueError):
        return shape
    if isinstance(key, rsa.RSAPublicKey):
        return {**shape, "KeyAlgorithm": f"RSA_{key.key_size}"}
    if isinstance(key, ec.EllipticCurvePublicKey):
        return {**shape, "KeyAlgorithm": CURVES.get(key.curve.name, key.curve.name)}
    return shape
