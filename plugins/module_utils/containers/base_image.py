# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Gets a Debian base image into the engine: by digest from its registry, or made here where no registry answers.

A tag of a registry can be moved to another image by whoever has the registry, a digest cannot. What is made here comes
from packages that Debian has signed.
"""

from __future__ import annotations

import re
import urllib.error
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible.module_utils.urls import open_url
from ansible_collections.sm2a.airflow.plugins.module_utils.containers import debian_rootfs
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.apt_sources import Mirrors, machine_mirrors
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.engine import Engine, EngineError, run_logged

# Names without a registry, and docker.io, are served from here.
DOCKER_HUB = "registry-1.docker.io"
REGISTRY_TIMEOUT_SECONDS = 5
DIGEST = re.compile(r"[^@]+@sha256:[0-9a-f]{64}")
# debian:trixie-slim of 2026-10, Debian 13.7. The Dockerfiles have the same.
DEFAULT_NAME = "docker.io/library/debian@sha256:a29215f6a35e51e22adffa17f89e9d2ef06214e64a2bad10d765c46aea49f11f"


@dataclass(frozen=True)
class BaseImage:
    """Which image, from where (``auto``, ``registry``, ``debootstrap``), and what debootstrap needs.

    ``name`` is that of the image in its registry, with its digest.
    """

    name: str
    source: str = "auto"
    suite: str = "trixie"
    mirror: str | None = None

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> BaseImage:
        """From the options of ``BASE_IMAGE_OPTIONS``; EngineError for a mere tag of a registry."""
        base = cls(options["name"], options["source"], options["suite"], options["mirror"])
        if base.source != "debootstrap" and not DIGEST.fullmatch(base.name):
            raise EngineError(
                f"The base image {base.name} must be given by digest (repository@sha256:...), "
                "because a tag can be moved to another image"
            )
        return base

    @property
    def local_name(self) -> str:
        """Name of the image in the engine, wherever it came from; no registry is called so."""
        return f"localhost/sm2a/debian:{self.suite}"

    def find(self, engine: Engine) -> tuple[str, str] | None:
        """Name and id of the image in the engine, or None."""
        if self.source != "debootstrap" and (found := engine.image(self.name)):
            return self.name, found[0]
        label, value = debian_rootfs.MADE_HERE
        found = engine.image(self.local_name, label) if self.source != "registry" else None
        # One that was pulled for another digest has this name, too.
        return (self.local_name, found[0]) if found and found[1] == value else None

    def obtain(self, engine: Engine, log: Path) -> str:
        """Pull or make the image and return which it was, ``registry`` or ``debootstrap``."""
        if self.source == "registry" or (self.source == "auto" and registry_answers(registry_of(self.name))):
            try:
                run_logged(f"Pulling {self.name}", [engine.kind, "pull", self.name], log, engine.environment)
                engine.must(f"Tagging {self.local_name}", "tag", self.name, self.local_name)
                return "registry"
            except EngineError:
                if self.source == "registry":
                    raise
        mirrors = Mirrors(self.mirror.rstrip("/"), "", False) if self.mirror else machine_mirrors()
        debian_rootfs.make_image(engine, self.local_name, self.suite, mirrors, log)
        return "debootstrap"


BASE_IMAGE_OPTIONS: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "default": DEFAULT_NAME},
    "source": {"type": "str", "choices": ["auto", "registry", "debootstrap"], "default": "auto"},
    "suite": {"type": "str", "default": "trixie"},
    "mirror": {"type": "str"},
}


def registry_of(name: str) -> str:
    """Host (and port) that serves the image ``name``."""
    first, slash, _rest = name.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost") or first == "docker.io":
        return DOCKER_HUB
    return first


def registry_answers(host: str, timeout: float = REGISTRY_TIMEOUT_SECONDS) -> bool:
    """Whether a registry answers at ``host``; a refusal for want of a login is an answer."""
    try:
        open_url(f"https://{host}/v2/", timeout=timeout).close()
    except urllib.error.HTTPError as error:
        return error.code in (401, 403)
    except (urllib.error.URLError, OSError):
        return False
    return True
