# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What is in the images: their bills of materials, or for an image that was not built here its requirements."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packageurl import PackageURL

SUFFIX = ".cdx.json"
# Of an image, those whose packages stay in it.
REQUIREMENTS = ("requirements.txt", "source-requirements.txt")
REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)", re.MULTILINE)


@dataclass(frozen=True)
class Package:
    """One package: ``kind`` is ``pypi`` or ``deb``; the others are told of Debian packages.

    ``source`` and ``source_version`` are those of the source package, ``release`` is Debian's (``13``).
    """

    kind: str
    name: str
    version: str
    architecture: str = ""
    source: str = ""
    source_version: str = ""
    release: str = ""


def from_bill(text: str) -> Iterator[Package]:
    """The packages of a CycloneDX document of docker/sbom."""
    for component in json.loads(text).get("components", []):
        if "purl" not in component:
            continue
        purl = PackageURL.from_string(component["purl"])
        qualifiers = purl.qualifiers if isinstance(purl.qualifiers, dict) else {}
        if purl.type == "pypi" and "download_url" not in qualifiers:
            yield Package("pypi", purl.name, str(purl.version))
        elif purl.type == "deb":
            source, _at, source_version = qualifiers.get("upstream", "").partition("@")
            release = qualifiers.get("distro", "").rpartition("-")[2]
            architecture = qualifiers.get("arch", "")
            yield Package("deb", purl.name, str(purl.version), architecture, source, source_version, release)


def from_requirements(text: str) -> Iterator[Package]:
    """The packages of a requirements.txt that names their versions."""
    for name, version in REQUIREMENT.findall(text):
        yield Package("pypi", re.sub(r"[-_.]+", "-", name).lower(), version)


def packages(bills: Path, docker: Path) -> tuple[dict[Package, list[str]], list[str]]:
    """Each package with the images that have it, and the images of which only the requirements are known."""
    found: dict[Package, list[str]] = {}
    without_bill = []
    for image in ("airflow", "autoscaler"):
        files = sorted(bills.glob(f"{image}*{SUFFIX}"))
        listed = [package for path in files for package in from_bill(path.read_text(encoding="utf-8"))]
        if not files:
            without_bill.append(image)
            files = [docker / image / name for name in REQUIREMENTS if (docker / image / name).is_file()]
            listed = [package for path in files for package in from_requirements(path.read_text(encoding="utf-8"))]
        for package in dict.fromkeys(listed):
            found.setdefault(package, []).append(image)
    return found, without_bill
