# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Certificates that are imported into ACM: self-signed ones, and those of files or of a secret."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible_collections.sm2a.airflow.plugins.module_utils.acm.x509 import (
    ONE_DAY,
    CertificateError,
    Facts,
    Material,
    check_material,
    now,
    read_certificate,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.secretsmanager.api import secret_value

# A client by the name of its service, made when it is needed.
Clients = Callable[[str], Any]
# Kinds of PEM text, and the options that name their files.
FILES = {"certificate": "certificate_file", "private_key": "private_key_file", "chain": "chain_file"}


def load_files(params: dict[str, Any]) -> dict[str, str]:
    """PEM texts by kind; CertificateError when a file cannot be read."""
    texts = {}
    for kind, option in FILES.items():
        try:
            texts[kind] = Path(params[option]).read_text() if params[option] else ""
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not a text file"
            raise CertificateError(f"Cannot read {option} {params[option]}: {reason}") from None
    return texts


def load_secret(secrets: Any, name: str) -> dict[str, str]:
    """PEM texts by kind; CertificateError when the secret is not there or has another form."""
    try:
        held = json.loads(secret_value(secrets, name) or "null")
    except ValueError:
        held = None
    if not isinstance(held, dict) or not {"certificate", "private_key"} <= set(held):
        raise CertificateError(f"Secret {name} must be a JSON object with the keys certificate and private_key")
    return {kind: str(held.get(kind) or "") for kind in FILES}


def replacement(
    clients: Clients, params: dict[str, Any], current: tuple[str, str] | None
) -> tuple[Facts, Material | None] | None:
    """What has to be imported: the facts it will have, and the material (None: to be made); None when all is well.

    ``current`` is the certificate and chain that ACM holds.
    """
    held = read_certificate(*current) if current else None
    if params["source"] == "import":
        secret = params["certificate_secret"]
        material = Material(**(load_secret(clients("secretsmanager"), secret) if secret else load_files(params)))
        facts = check_material(material)
        same = held and (held.fingerprint, held.chain) == (facts.fingerprint, facts.chain)
        return None if same else (facts, material)
    names = params["domain_names"]
    if held and held.self_signed and held.domain_names == names and held.days_left() >= params["renew_before_days"]:
        return None
    return Facts(names, now() + params["valid_days"] * ONE_DAY, True, ""), None


def view(arn: str, facts: Facts, tags: dict[str, str]) -> dict[str, Any]:
    """A certificate for the result and the diff; fingerprints show an exchange that keeps names and dates."""
    return {
        "certificate_arn": arn,
        "domain_names": facts.domain_names,
        "valid_until": f"{facts.not_after:%Y-%m-%d}",
        "self_signed": facts.self_signed,
        "fingerprint": facts.fingerprint or "new",
        "chain": list(facts.chain),
        "tags": tags,
    }
