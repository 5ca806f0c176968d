# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""TLS contexts of HTTPS listeners, from the listener's ACM certificate; several on one port are told apart by SNI."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ministack.services import acm

from sm2a_local_aws import settings

Certificate = dict[str, Any]

ALPN = ["h2", "http/1.1"]

# certificate ARN -> (its PEM text, the context made of it)
_contexts: dict[str, tuple[str, ssl.SSLContext]] = {}


def certificate(arn: str) -> Certificate | None:
    """The ACM record, whatever account and Region it is in."""
    return next(
        (record for _key, record in list(acm._certificates.all_items()) if record["CertificateArn"] == arn), None
    )


def listening_context(certificate_arns: Callable[[], list[str]]) -> ssl.SSLContext:
    """A context that picks among the port's certificates at each handshake, so that a renewed one counts at once."""
    context = _server_context()

    def choose(connection: ssl.SSLObject, server_name: str | None, _context: ssl.SSLContext) -> int | None:
        records = [record for record in map(certificate, certificate_arns()) if record]
        if not records:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        named = [record for record in records if server_name and covers(record, server_name)]
        connection.context = _context_of((named or records)[0])
        return None

    context.sni_callback = choose
    return context


def covers(record: Certificate, host: str) -> bool:
    """Whether one of the certificate's names is the host's, wildcards for one label included."""
    wildcard = "*." + host.partition(".")[2]
    names = {str(name).lower() for name in record["SubjectAlternativeNames"]}
    return bool(names & {host.lower(), wildcard.lower()})


def _context_of(record: Certificate) -> ssl.SSLContext:
    text = "\n".join(
        part.strip() for part in (record["_private_key"], record["_pem_body"], record["_pem_chain"]) if part
    )
    known = _contexts.get(record["CertificateArn"])
    if known is not None and known[0] == text:
        return known[1]
    context = _server_context()
    # The ssl module reads certificates from files only.
    with tempfile.NamedTemporaryFile("w", dir=settings.current().state_directory, suffix=".pem") as file:
        Path(file.name).chmod(0o600)
        file.write(text + "\n")
        file.flush()
        context.load_cert_chain(file.name)
    _contexts[record["CertificateArn"]] = (text, context)
    return context


def _server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(ALPN)
    return context
