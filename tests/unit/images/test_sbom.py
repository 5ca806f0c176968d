# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""docker/sbom: the bill of materials of an image's root."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import sm2a_sbom
from cyclonedx.validation.json import JsonStrictValidator

STATUS = """\
Package: libssl3t64
Status: install ok installed
Architecture: amd64
Source: openssl (3.5.1-1)
Version: 3.5.1-1+b1
Maintainer: Debian <debian@example.com>
Description: libraries

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1.0
Maintainer: Debian <debian@example.com>
Description: removed, only its settings are left

Package: tzdata
Status: install ok installed
Architecture: all
Version: 2026a-0+deb13u1
Maintainer: Debian <debian@example.com>
Description: time zones
"""
COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
License: Apache-2.0

Files: debian/*
License: GPL-2+
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The root of an image with two Debian packages, a removed one, and three Python packages."""
    root = tmp_path / "root"
    texts = {
        "etc/os-release": 'ID=debian\nVERSION_ID="13"\n',
        "var/lib/dpkg/status": STATUS,
        "usr/share/doc/libssl3t64/copyright": COPYRIGHT,
        "usr/share/doc/tzdata/copyright": "This is in the public domain.\n",
        "usr/share/sm2a/ca.pem": "certificates\n",
    }
    metadata = {
        "Some_Package-1.2": "Name: Some_Package\nVersion: 1.2\nLicense-Expression: MIT OR Apache-2.0\n",
        "old-0.1": "Name: old\nVersion: 0.1\nClassifier: License :: OSI Approved :: BSD License\n",
        "own-3": "Name: own\nVersion: 3\nLicense: Proprietary\n",
    }
    for name, text in metadata.items():
        texts[f"venv/{name}.dist-info/METADATA"] = f"Metadata-Version: 2.1\n{text}\n"
    origin = {"url": "https://example.com/own-3.whl", "archive_info": {"hashes": {"sha256": "7" * 64}}}
    texts["venv/own-3.dist-info/direct_url.json"] = json.dumps(origin)
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return root


def write(root: Path, output: Path) -> dict[str, Any]:
    options = ["--root", str(root), "--site-packages", str(root / "venv")]
    options += ["--environments", str(root / "environments"), "--file", str(root / "usr/share/sm2a/ca.pem")]
    assert sm2a_sbom.main(["sm2a-test", str(output), *options]) == 0
    return dict(json.loads(output.read_text(encoding="utf-8")))


def test_every_package_is_listed(root: Path, tmp_path: Path) -> None:
    document = write(root, tmp_path / "out/bill.json")
    components = {one["bom-ref"]: one for one in document["components"]}
    assert list(components) == sorted(
        [
            "file:/usr/share/sm2a/ca.pem",
            "pkg:deb/debian/libssl3t64@3.5.1-1%2Bb1?arch=amd64&distro=debian-13&upstream=openssl%403.5.1-1",
            "pkg:deb/debian/tzdata@2026a-0%2Bdeb13u1?arch=all&distro=debian-13&upstream=tzdata%402026a-0%2Bdeb13u1",
            "pkg:pypi/old@0.1",
            "pkg:pypi/own@3?download_url=https://example.com/own-3.whl",
            "pkg:pypi/some-package@1.2",
        ],
        key=lambda ref: (components[ref]["type"], components[ref]["name"]),
    )
    licences = {one["name"]: one.get("licenses") for one in components.values()}
    assert licences["libssl3t64"] == [{"license": {"name": "Apache-2.0"}}, {"license": {"name": "GPL-2+"}}]
    assert licences["tzdata"] is None
    assert licences["some-package"] == [{"expression": "MIT OR Apache-2.0"}]
    assert licences["old"] == [{"license": {"name": "BSD License"}}]
    hashes = {one["name"]: one["hashes"][0]["content"] for one in components.values() if "hashes" in one}
    assert hashes == {
        "own": "7" * 64,
        "/usr/share/sm2a/ca.pem": hashlib.sha256(b"certificates\n").hexdigest(),
    }
    assert document["metadata"]["component"]["name"] == "sm2a-test"
    [image] = [one for one in document["dependencies"] if one["ref"] == "image"]
    assert set(image["dependsOn"]) == set(components)


def test_packages_of_further_environments_are_listed(root: Path, tmp_path: Path) -> None:
    for environment, names in {"dbt": ("dbt-core-1.12", "old-0.1"), "ml": ("old-0.1",)}.items():
        for name in names:
            folder = root / f"environments/{environment}/lib/python3.13/site-packages/{name}.dist-info"
            folder.mkdir(parents=True)
            package, _, version = name.rpartition("-")
            licence = "Classifier: License :: OSI Approved :: BSD License"
            text = f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n{licence}\n"
            (folder / "METADATA").write_text(text, encoding="utf-8")
    listed = [one["bom-ref"] for one in write(root, tmp_path / "bill.json")["components"]]
    assert listed.count("pkg:pypi/old@0.1") == 1
    assert listed.count("pkg:pypi/dbt-core@1.12") == 1


def test_collections_are_listed(root: Path, tmp_path: Path) -> None:
    folder = root / "collections/ansible_collections/amazon/aws"
    folder.mkdir(parents=True)
    told = {"namespace": "amazon", "name": "aws", "version": "11.4.0", "license": ["GPL-3.0-or-later"]}
    (folder / "MANIFEST.json").write_text(json.dumps({"collection_info": told}), encoding="utf-8")
    options = ["--root", str(root), "--site-packages", str(root / "venv"), "--collections", str(root / "collections")]
    assert sm2a_sbom.main(["sm2a-test", str(tmp_path / "bill.json"), *options]) == 0
    document = json.loads((tmp_path / "bill.json").read_text(encoding="utf-8"))
    [listed] = [one for one in document["components"] if one["name"] == "amazon.aws"]
    assert listed["purl"] == "pkg:generic/ansible-collection/amazon.aws@11.4.0"
    assert listed["licenses"] == [{"license": {"name": "GPL-3.0-or-later"}}]


def test_it_is_valid_and_the_same_for_the_same_content(root: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    write(root, first)
    write(root, second)
    assert first.read_bytes() == second.read_bytes()
    text = first.read_text(encoding="utf-8")
    validator = JsonStrictValidator(sm2a_sbom.SCHEMA)
    assert validator.validate_str(text) is None
    assert validator.validate_str(text.replace('"library"', '"no such type"', 1)) is not None
    newer = "Metadata-Version: 2.1\nName: own\nVersion: 4\n"
    (root / "venv/own-3.dist-info/METADATA").write_text(newer, encoding="utf-8")
    assert write(root, second)["serialNumber"] != json.loads(text)["serialNumber"]


def test_an_image_without_packages_is_an_error(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["sm2a-test", str(tmp_path / "bill.json"), "--root", str(root), "--site-packages", str(tmp_path)]
    assert sm2a_sbom.main(arguments) == 1
    assert "packages of ['deb'] only" in capsys.readouterr().err
    assert not (tmp_path / "bill.json").exists()
