# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What this machine brings: a container engine, credentials that last, certificate authorities for the images."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

with suppress(ImportError):  # Without it the certificates cannot be read, which is a warning.
    from cryptography import x509

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.engine import EngineError, find_engine
from ansible_collections.sm2a.airflow.plugins.module_utils.ecr import count_images
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.findings import Finding
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.gathering import Answer, Context, Read

# docs/speed.md: a first deployment on AWS, with a database that takes its time.
DEPLOYMENT = timedelta(hours=1)
EXPIRATION = "AWS_CREDENTIAL_EXPIRATION"
# As in "Amazon RDS eu-west-1 Root CA RSA2048 G1".
AUTHORITY = re.compile(r"Amazon RDS ([a-z]{2,4}(?:-[a-z]+)+-\d+) Root CA")


def container_engine(wanted: str, images_are_there: Callable[[], bool]) -> list[Finding]:
    """Images are built only where the registry lacks them: with images of an earlier run it is a guess."""
    try:
        find_engine(wanted)
    except EngineError as error:
        message = (
            f"{error} Two ways without: give images by digest (images_airflow_image and images_autoscaler_image), or "
            "build them with playbooks/build_images.yml on a machine that has a container engine."
        )
        return [Finding("container_engine", message, certain=not images_are_there())]
    return []


def credentials(environment: Mapping[str, str], now: datetime) -> list[Finding]:
    """Credentials from variables cannot be renewed, unlike those of a profile, a login or a machine's role."""
    expiration = environment.get(EXPIRATION)
    if not expiration or not environment.get("AWS_SESSION_TOKEN"):
        return []
    try:
        ends = datetime.fromisoformat(expiration.replace("Z", "+00:00"))
    except ValueError:
        message = f"{EXPIRATION} is {expiration!r}, which is no time: nobody knows when the credentials expire."
        return [Finding("credentials_lifetime", message, certain=False)]
    left = (ends if ends.tzinfo else ends.replace(tzinfo=UTC)) - now
    if left <= timedelta(0):
        return [Finding("credentials_lifetime", f"The credentials expired at {expiration}: renew them.")]
    if left >= DEPLOYMENT:
        return []
    message = (
        f"The credentials expire in {left // timedelta(minutes=1)} minutes, and a first deployment takes up to "
        f"{DEPLOYMENT // timedelta(minutes=1)}: renew them before. The next run continues one that ends halfway."
    )
    return [Finding("credentials_lifetime", message, certain=False)]


def authorities(bundle: Path) -> set[str]:
    """Regions of which a file of certificates has a root of RDS that is still in force."""
    try:
        certificates = x509.load_pem_x509_certificates(bundle.read_bytes())
    except NameError as error:
        raise AnsibleAWSError(message="The Python package cryptography is missing: install it") from error
    except (OSError, ValueError) as error:
        raise AnsibleAWSError(message=f"{bundle} cannot be read as certificates: {error}") from error
    now = datetime.now(UTC)
    in_force = [one for one in certificates if one.not_valid_after_utc > now]
    return {found[1] for one in in_force if (found := AUTHORITY.search(one.subject.rfc4514_string()))}


def database_authorities(options: Mapping[str, Any], region: str) -> list[Finding]:
    """Whether the bundle of the images knows the Region; of images that somebody else built it is a guess."""
    known = authorities(Path(options["bundle"]))
    if region in known:
        return []
    message = (
        f"{options['bundle']} has no certificate authority of RDS in {region}, so Airflow would not trust its "
        "database: download AWS's bundle of the Region "
        f"(https://truststore.pki.rds.amazonaws.com/{region}/{region}-bundle.pem) and name it in "
        "images_database_ca_bundle, or set database_tls_verification to false."
    )
    return [Finding("database_certificate_authorities", message, certain=options["certain"])]


def reads(context: Context) -> list[Read]:
    """The questions about this machine."""
    options = context.options
    found = [
        Read(("credentials_lifetime",), lambda: Answer(credentials(os.environ, datetime.now(UTC)))),
    ]
    if engine := options["container_engine"]:
        found.append(
            Read(("container_engine",), lambda: Answer(container_engine(engine, partial(_has_images, context))))
        )
    if authority := options["certificate_authorities"]:
        check = ("database_certificate_authorities",)
        found.append(Read(check, lambda: Answer(database_authorities(authority, context.region))))
    return found


def _has_images(context: Context) -> bool:
    """Whether the repository holds images of an earlier run."""
    repository = context.options["repository"]
    return bool(repository and count_images(context.clients["ecr"], repository)[0])
