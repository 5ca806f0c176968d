# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""X.509 work of acm_certificate: make a self-signed certificate in memory, read and compare certificates."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    HAS_CRYPTOGRAPHY = True
except ImportError:
    HAS_CRYPTOGRAPHY = False

ONE_DAY = datetime.timedelta(days=1)
COMMON_NAME_MAX_LENGTH = 64


class CertificateError(ValueError):
    """A certificate, chain or key that cannot be used; the message says which and why, never its content."""


@dataclass(frozen=True)
class Material:
    """PEM texts that ACM imports. ``repr`` hides the private key."""

    certificate: str
    private_key: str
    chain: str = ""

    def __repr__(self) -> str:
        return f"Material(certificate={self.certificate!r})"


@dataclass(frozen=True)
class Facts:
    """What a certificate says of itself."""

    domain_names: list[str]
    not_after: datetime.datetime
    self_signed: bool
    fingerprint: str
    # Fingerprints of the authorities between it and the root.
    chain: tuple[str, ...] = ()

    def days_left(self) -> float:
        """Days until it expires; negative afterwards."""
        return (self.not_after - now()) / ONE_DAY


def now() -> datetime.datetime:
    """This moment, UTC."""
    return datetime.datetime.now(datetime.UTC)


def read_certificate(pem: str, chain: str = "") -> Facts:
    """Parse the first certificate of a PEM text, and those of its chain; CertificateError when they are none."""
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        raise CertificateError("The certificate is not a PEM-encoded X.509 certificate") from error
    try:
        authorities = x509.load_pem_x509_certificates(chain.encode()) if chain else []
    except ValueError as error:
        raise CertificateError("The certificate chain is not a list of PEM-encoded certificates") from error
    return Facts(
        domain_names=_names_of(certificate),
        not_after=certificate.not_valid_after_utc,
        self_signed=certificate.issuer == certificate.subject,
        fingerprint=_fingerprint(certificate),
        chain=tuple(_fingerprint(authority) for authority in authorities),
    )


def _fingerprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex(":")


def _names_of(certificate: x509.Certificate) -> list[str]:
    """Names and addresses of the certificate, in its order; the common name when it has no alternative names."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return [str(one.value) for one in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return [str(name.value) for name in extension.value if isinstance(name, x509.DNSName | x509.IPAddress)]


def self_signed(domain_names: list[str], valid_days: int) -> Material:
    """A new P-256 key and a certificate for ``domain_names`` (DNS names or IP addresses), signed with that key."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, domain_names[0][:COMMON_NAME_MAX_LENGTH])])
    start = now() - datetime.timedelta(minutes=5)  # A client whose clock is a little behind must accept it.
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign"), False
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(now() + valid_days * ONE_DAY)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in domain_names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .add_extension(
            x509.KeyUsage(digital_signature=True, crl_sign=False, encipher_only=False, decipher_only=False, **usage),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Material(certificate.public_bytes(serialization.Encoding.PEM).decode(), secret.decode())


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def check_material(material: Material) -> Facts:
    """CertificateError unless the key belongs to the certificate, the chain parses and the certificate is valid now."""
    facts = read_certificate(material.certificate, material.chain)
    try:
        key = serialization.load_pem_private_key(material.private_key.encode(), password=None)
    except (ValueError, TypeError):
        # The cause may quote the key: leave it out.
        raise CertificateError("The private key is not an unencrypted PEM-encoded key") from None
    certificate = x509.load_pem_x509_certificate(material.certificate.encode())
    if key.public_key() != certificate.public_key():
        raise CertificateError("The private key does not belong to the certificate")
    if facts.days_left() <= 0:
        raise CertificateError(f"The certificate expired on {facts.not_after:%Y-%m-%d}")
    return facts
