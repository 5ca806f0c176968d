# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the machine of the run brings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.engine import Engine, EngineError
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight import machine
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
BUNDLE = PROJECT / "docker/airflow/rds-ca-bundle.pem"


@pytest.mark.parametrize(
    ("expiration", "certain", "said"),
    [
        ("2026-01-01T11:59:00Z", True, "expired at 2026-01-01T11:59:00Z"),
        ("2026-01-01T12:10:00+00:00", False, "expire in 10 minutes"),
        ("2026-01-01T12:59:59", False, "expire in 59 minutes"),
        ("tomorrow", False, "is no time"),
    ],
)
def test_credentials_that_do_not_last_are_told(expiration: str, certain: bool, said: str) -> None:
    environment = {"AWS_SESSION_TOKEN": "t", "AWS_CREDENTIAL_EXPIRATION": expiration}
    [finding] = machine.credentials(environment, NOW)
    assert (finding.check, finding.certain) == ("credentials_lifetime", certain)
    assert said in finding.message


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"AWS_SESSION_TOKEN": "t"},
        {"AWS_CREDENTIAL_EXPIRATION": "2026-01-01T11:00:00Z"},
        {"AWS_SESSION_TOKEN": "t", "AWS_CREDENTIAL_EXPIRATION": "2026-01-01T14:00:00+01:00"},
    ],
)
def test_credentials_that_last_or_are_renewed_are_fine(environment: dict[str, str]) -> None:
    assert machine.credentials(environment, NOW) == []


@pytest.mark.parametrize(("built", "certain"), [(False, True), (True, False)])
def test_an_engine_is_needed_where_nothing_is_built_yet(
    monkeypatch: pytest.MonkeyPatch, built: bool, certain: bool
) -> None:
    def none(_wanted: str) -> Engine:
        raise EngineError("No container engine found: start Docker, then run again.")

    monkeypatch.setattr(machine, "find_engine", none)
    [finding] = machine.container_engine("auto", lambda: built)
    assert (finding.check, finding.certain) == ("container_engine", certain)
    assert "images_airflow_image" in finding.message


def test_an_engine_that_answers_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "find_engine", Engine)
    assert machine.container_engine("docker", lambda: pytest.fail("nobody asked")) == []


def test_the_bundle_of_the_images_has_these_regions() -> None:
    """AWS opened the missing ones after the package that the bundle is from; China has authorities of its own."""
    regions = machine.authorities(BUNDLE)
    assert len(regions) == 27
    assert {"eu-west-1", "us-east-1", "ap-southeast-4"} < regions
    assert regions.isdisjoint({"il-central-1", "ca-west-1", "mx-central-1", "us-gov-west-1", "cn-north-1"})
    assert (PROJECT / "docker/autoscaler/rds-ca-bundle.pem").read_bytes() == BUNDLE.read_bytes()


def certificate(region: str, days: int) -> bytes:
    """A root of RDS in a Region that is in force for so many days from now on."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"Amazon RDS {region} Root CA RSA2048 G1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=100))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def test_a_users_own_bundle_is_read(tmp_path: Path) -> None:
    own = tmp_path / "bundle.pem"
    own.write_bytes(certificate("us-gov-west-1", 100) + certificate("il-central-1", -1))
    assert machine.authorities(own) == {"us-gov-west-1"}
    options = {"bundle": str(own), "certain": True}
    assert machine.database_authorities(options, "us-gov-west-1") == []
    for certain in (True, False):
        [finding] = machine.database_authorities({**options, "certain": certain}, "il-central-1")
        assert (finding.check, finding.certain) == ("database_certificate_authorities", certain)
        assert "https://truststore.pki.rds.amazonaws.com/il-central-1/il-central-1-bundle.pem" in finding.message


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_a_bundle_that_cannot_be_read_is_said(tmp_path: Path, content: bytes | None) -> None:
    own = tmp_path / "bundle.pem"
    if content is not None:
        own.write_bytes(content)
    with pytest.raises(AnsibleAWSError, match="cannot be read as certificates"):
        machine.authorities(own)
