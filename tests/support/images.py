# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Images in the ECR of a local AWS that consist of descriptions only: enough to be looked at, not to be run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import requests

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"


def _as_bytes(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True).encode()


def digest_of(content: bytes) -> str:
    """As registries name it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _put(endpoint: str, repository: str, media_type: str, document: dict[str, Any]) -> str:
    """Put a manifest or an index into the registry by its digest, which is returned."""
    body = _as_bytes(document)
    digest = digest_of(body)
    address = f"{endpoint}/v2/{repository}/manifests/{digest}"
    requests.put(address, data=body, headers={"Content-Type": media_type}, timeout=10).raise_for_status()
    return digest


def push_image(endpoint: str, repository: str, architecture: str) -> str:
    """The digest of an image for Linux and one architecture, whose manifest does not name these."""
    config = _as_bytes({"os": "linux", "architecture": architecture})
    address = f"{endpoint}/v2/{repository}/blobs/uploads/"
    given = {"digest": digest_of(config)}
    requests.post(address, params=given, data=config, timeout=10).raise_for_status()
    described = {"mediaType": CONFIG, "digest": digest_of(config), "size": len(config)}
    return _put(
        endpoint, repository, MANIFEST, {"schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": []}
    )


def push_index(endpoint: str, repository: str, architectures: Sequence[str]) -> str:
    """The digest of an index of such images, with what docker buildx adds to it about their making."""
    entries = [
        {"mediaType": MANIFEST, "digest": push_image(endpoint, repository, one), "size": 1, "platform": platform}
        for one in architectures
        for platform in ({"os": "linux", "architecture": one}, {"os": "unknown", "architecture": "unknown"})
    ]
    return _put(endpoint, repository, INDEX, {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries})
