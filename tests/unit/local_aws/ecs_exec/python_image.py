# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""An image with Python, which modules need in a container: Debian's, on the base image of the tests."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

from ansible_collections.sm2a.airflow.tests.unit.local_aws.conftest import IMAGE
from docker.errors import ImageNotFound

NAME = "localhost/sm2a/test-python:trixie"
# For mirrors behind https, as the Dockerfiles of SM2A have it.
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
DOCKERFILE = f"""
FROM {IMAGE}
COPY ca.pem /build/ca.pem
RUN set -eu; \\
    export DEBIAN_FRONTEND=noninteractive; \\
    set --; if [ -s /build/ca.pem ]; then set -- -o Acquire::https::CAInfo=/build/ca.pem; fi; \\
    apt-get "$@" update -q; \\
    apt-get "$@" install -qy --no-install-recommends python3; \\
    rm -rf /var/lib/apt/lists/* /build
"""


def have(client: Any) -> str:
    """The name of the image, which is made where it is missing; ``client`` is one of the Docker API."""
    try:
        client.images.get(NAME)
    except ImageNotFound:
        client.images.build(fileobj=_context(), custom_context=True, tag=NAME, rm=True, forcerm=True)
    return NAME


def _context() -> io.BytesIO:
    found = AUTHORITIES.read_bytes() if AUTHORITIES.is_file() else b""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in (("Dockerfile", DOCKERFILE.encode()), ("ca.pem", found)):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    packed.seek(0)
    return packed
