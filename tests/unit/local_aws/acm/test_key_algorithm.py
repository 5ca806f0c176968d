# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ACM says which key a certificate has."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support.certificate import self_signed


@pytest.mark.parametrize("bits", [1024, 2048])
def test_imported_certificate(control_plane: Any, bits: int) -> None:
    certificate, key = self_signed(bits)
    acm = control_plane.client("acm")
    arn = acm.import_certificate(Certificate=certificate, PrivateKey=key)["CertificateArn"]
    assert acm.describe_certificate(CertificateArn=arn)["Certificate"]["KeyAlgorithm"] == f"RSA_{bits}"


def test_requested_certificate(control_plane: Any) -> None:
    acm = control_plane.client("acm")
    arn = acm.request_certificate(DomainName="keys.example.com")["CertificateArn"]
    assert acm.describe_certificate(CertificateArn=arn)["Certificate"]["KeyAlgorithm"] == "EC_prime256v1"
