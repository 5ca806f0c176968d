# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Self-signed certificates serve real TLS, and material that does not fit is refused."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.acm import x509 as certificates

NAMES = ["airflow.example.com", "127.0.0.1"]


def test_a_client_that_trusts_it_connects(tmp_path: Path) -> None:
    material = certificates.self_signed(NAMES, 30)
    pem = tmp_path / "both.pem"
    pem.write_text(material.certificate + material.private_key)
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(pem)
    client_context = ssl.create_default_context(cadata=material.certificate)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        serve = threading.Thread(target=lambda: server_context.wrap_socket(theirs, server_side=True).close())
        serve.start()
        with client_context.wrap_socket(ours, server_hostname=NAMES[0]) as connection:
            assert connection.version() == "TLSv1.3"
        serve.join(timeout=10)


def test_facts_of_a_new_certificate() -> None:
    facts = certificates.read_certificate(certificates.self_signed(NAMES, 30).certificate)
    assert facts.domain_names == NAMES
    assert facts.self_signed
    assert 29.9 < facts.days_left() <= 30


def test_a_long_name_is_cut_only_in_the_common_name() -> None:
    long_name = "airflow." + "a" * 60 + ".example.com"
    assert certificates.read_certificate(certificates.self_signed([long_name], 1).certificate).domain_names == [
        long_name
    ]


def test_representation_hides_the_key() -> None:
    assert "PRIVATE KEY" not in repr(certificates.self_signed(NAMES, 1))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"certificate": "nothing"}, "not a PEM-encoded X.509"),
        ({"private_key": "nothing"}, "not an unencrypted"),
        ({"private_key": certificates.self_signed(NAMES, 1).private_key}, "does not belong"),
        ({"chain": "nothing"}, "chain is not"),
        ({}, None),
    ],
)
def test_material_is_checked(wrong: dict[str, str], message: str | None) -> None:
    made = certificates.self_signed(NAMES, 1)
    fields = {"certificate": made.certificate, "private_key": made.private_key, **wrong}
    if message is None:
        assert certificates.check_material(certificates.Material(**fields)).domain_names == NAMES
        return
    with pytest.raises(certificates.CertificateError, match=message):
        certificates.check_material(certificates.Material(**fields))


def test_an_expired_certificate_is_refused() -> None:
    made = certificates.self_signed(NAMES, 0)
    with pytest.raises(certificates.CertificateError, match="expired on"):
        certificates.check_material(made)
