# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes what is in an image: a CycloneDX bill of materials of its Debian and Python packages and Ansible collections.

It runs in the image, at the end of its build: what the user added is in the list, too. The same content gives the same
file: it has no date, and its serial number is made from the rest.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import uuid
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from license_expression import ExpressionError, get_spdx_licensing
from packageurl import PackageURL

SCHEMA = SchemaVersion.V1_6
# Serial numbers are made in this namespace, which is no other's.
NAMESPACE = uuid.UUID("5f0f3a58-3b7e-4b07-9f0c-2f2f3d0f9e1a")
FIELDS = ("Package", "Version", "Architecture", "source:Package", "source:Version", "db:Status-Status")
# A licence in machine-readable copyright files of Debian: its short name is the first line of the field.
DEBIAN_LICENCE = re.compile(r"^License:[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)
SPDX = get_spdx_licensing()

Licences = list[DisjunctiveLicense] | list[LicenseExpression]


def installed_debian_packages(root: Path) -> list[dict[str, str]]:
    """The fields of each package that dpkg has installed below ``root``."""
    line = "\\t".join(f"${{{field}}}" for field in FIELDS) + "\\n"
    command = ["dpkg-query", f"--admindir={root / 'var/lib/dpkg'}", "--show", f"--showformat={line}"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = [dict(zip(FIELDS, entry.split("\t"), strict=True)) for entry in listed.splitlines()]
    return [package for package in found if package["db:Status-Status"] == "installed"]


def debian_component(package: dict[str, str], distro: str, root: Path) -> Component:
    """A Debian package; ``upstream`` in its URL is the source package, by which Debian tells of vulnerabilities."""
    source = f"{package['source:Package']}@{package['source:Version']}"
    qualifiers = {"arch": package["Architecture"], "distro": distro, "upstream": source}
    purl = PackageURL("deb", "debian", package["Package"], package["Version"], qualifiers)
    copyright_file = root / "usr/share/doc" / package["Package"] / "copyright"
    return component(purl, debian_licences(copyright_file))


def debian_licences(copyright_file: Path) -> Licences:
    """The licences of a copyright file that machines can read; [] for any other."""
    if not copyright_file.is_file():
        return []
    text = copyright_file.read_text(encoding="utf-8", errors="replace")
    names = sorted(set(DEBIAN_LICENCE.findall(text))) if text.startswith("Format:") else []
    return [DisjunctiveLicense(name=name) for name in names]


def python_component(distribution: Distribution) -> Component:
    """A Python package. Where it came from an address of its own, that address and its hash are told."""
    name = re.sub(r"[-_.]+", "-", distribution.metadata["Name"]).lower()
    origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    qualifiers = {"download_url": origin["url"]} if origin else {}
    purl = PackageURL("pypi", None, name, distribution.version, qualifiers)
    archive = origin.get("archive_info", {}).get("hashes", {})
    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=archive["sha256"])] if "sha256" in archive else []
    return component(purl, python_licences(distribution), hashes)


def python_licences(distribution: Distribution) -> Licences:
    """The SPDX expression of a package's metadata, or what it says otherwise."""
    told = distribution.metadata.get_all("License-Expression") or distribution.metadata.get_all("License") or []
    for text in told:
        try:
            return [LicenseExpression(value=str(SPDX.parse(text.strip(), validate=True, strict=True)))]
        except (ExpressionError, ValueError, AttributeError):
            # Some packages put the whole text into the field.
            if text.strip() and "\n" not in text.strip():
                return [DisjunctiveLicense(name=text.strip())]
    classifiers = distribution.metadata.get_all("Classifier") or []
    names = {line.rpartition(" :: ")[2] for line in classifiers if line.startswith("License :: ")}
    return [DisjunctiveLicense(name=name) for name in sorted(names)]


def component(purl: PackageURL, licences: Licences, hashes: Iterable[HashType] = ()) -> Component:
    """A package, known by its URL."""
    return Component(
        name=purl.name,
        version=purl.version,
        type=ComponentType.LIBRARY,
        purl=purl,
        bom_ref=purl.to_string(),
        licenses=licences,
        hashes=hashes,
    )


def collection_components(folder: Path) -> Iterator[Component]:
    """Ansible collections below ``folder``; package URLs have no type of their own for them."""
    for manifest in sorted(folder.glob("ansible_collections/*/*/MANIFEST.json")):
        told = json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]
        purl = PackageURL("generic", "ansible-collection", f"{told['namespace']}.{told['name']}", told["version"])
        yield component(purl, [DisjunctiveLicense(name=name) for name in sorted(told["license"] or [])])


def file_component(path: Path, root: Path) -> Component:
    """A file that belongs to no package, with its hash."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    name = f"/{path.relative_to(root)}"
    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=digest)]
    return Component(name=name, type=ComponentType.FILE, bom_ref=f"file:{name}", hashes=hashes)


def distro_of(root: Path) -> str:
    """``debian-13``, for package URLs."""
    lines = (root / "etc/os-release").read_text(encoding="utf-8").splitlines()
    release = dict(line.split("=", 1) for line in lines if "=" in line)
    return f"{release['ID']}-{release.get('VERSION_ID', 'sid')}".replace('"', "")


def components(
    root: Path, site_packages: Iterable[Path], files: Iterable[Path], collections: Iterable[Path] = ()
) -> Iterator[Component]:
    """Everything that is in the image."""
    distro = distro_of(root)
    for package in installed_debian_packages(root):
        yield debian_component(package, distro, root)
    for distribution in distributions(path=[str(path) for path in site_packages]):
        yield python_component(distribution)
    for folder in collections:
        yield from collection_components(folder)
    for file in files:
        yield file_component(file, root)


def text_of(bom: Bom) -> str:
    """The bill as JSON, valid by the schema; ValueError when it is not."""
    document = json.loads(make_outputter(bom, OutputFormat.JSON, SCHEMA).output_as_string())
    del document["metadata"]["timestamp"], document["serialNumber"]
    serial = uuid.uuid5(NAMESPACE, json.dumps(document, sort_keys=True))
    text = json.dumps({**document, "serialNumber": f"urn:uuid:{serial}"}, indent=1, sort_keys=True) + "\n"
    problem = JsonStrictValidator(SCHEMA).validate_str(text)
    if problem:
        raise ValueError(f"The bill of materials is not valid: {problem}")
    return text


def main(arguments: list[str] | None = None) -> int:
    """Write the bill to the file; 1 with a message when the image has no packages, which cannot be."""
    parser = argparse.ArgumentParser(description=__doc__, prog="sm2a_sbom")
    parser.add_argument("name", help="what the image is called")
    parser.add_argument("output", type=Path, help="the file that is written")
    parser.add_argument("--root", type=Path, default=Path("/"), help="root of the image (default: /)")
    parser.add_argument("--site-packages", type=Path, required=True, help="where its Python packages are")
    parser.add_argument("--environments", type=Path, help="a folder of further Python environments")
    parser.add_argument("--collections", type=Path, action="append", default=[], help="a folder of Ansible collections")
    parser.add_argument("--file", type=Path, action="append", default=[], help="a file to list with its hash")
    options = parser.parse_args(arguments)
    further = sorted(options.environments.glob("*/lib/python*/site-packages")) if options.environments else []
    bom = Bom(components=components(options.root, [options.site_packages, *further], options.file, options.collections))
    kinds = {one.purl.type for one in bom.components if one.purl}
    if not kinds >= {"deb", "pypi"}:
        print(f"The image {options.name} has packages of {sorted(kinds)} only", file=sys.stderr)
        return 1
    image = Component(name=options.name, type=ComponentType.CONTAINER, bom_ref="image")
    bom.metadata.component = image
    bom.register_dependency(image, bom.components)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(text_of(bom), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
