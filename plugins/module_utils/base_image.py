# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Gets a Debian base image into the engine: from its registry, or made here where no registry answers."""

from __future__ import annotations

import urllib.error
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible.module_utils.urls import open_url
from ansible_collections.sm2a.airflow.plugins.module_utils import debian_rootfs
from ansible_collections.sm2a.airflow.plugins.module_utils.apt_sources import Mirrors, machine_mirrors
from ansible_collections.sm2a.airflow.plugins.module_utils.container_engine import Engine, EngineError, run_logged

# Names without a registry, and docker.io, are served from here.
DOCKER_HUB = "registry-1.docker.io"
REGISTRY_TIMEOUT_SECONDS = 5


@dataclass(frozen=True)
class BaseImage:
    """Which image, from where (``auto``, ``registry``, ``debootstrap``), and what debootstrap needs."""

    name: str
    source: str = "auto"
    suite: str = "trixie"
    mirror: str | None = None

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> BaseImage:
        """From the options of ``BASE_IMAGE_OPTIONS``."""
        return cls(options["name"], options["source"], options["suite"], options["mirror"])

    def obtain(self, engine: Engine, log: Path) -> str:
        """Pull or make the image and return which it was, ``registry`` or ``debootstrap``."""
        if self.source == "registry" or (self.source == "auto" and registry_answers(registry_of(self.name))):
            try:
                run_logged(f"Pulling {self.name}", [engine.kind, "pull", self.name], log, engine.environment)
                return "registry"
            except EngineError:
                if self.source == "registry":
                    raise
        mirrors = Mirrors(self.mirror.rstrip("/"), "", False) if self.mirror else machine_mirrors()
        debian_rootfs.make_image(engine, self.name, self.suite, mirrors, log)
        return "debootstrap"


BASE_IMAGE_OPTIONS: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "default": "docker.io/library/debian:trixie-slim"},
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
