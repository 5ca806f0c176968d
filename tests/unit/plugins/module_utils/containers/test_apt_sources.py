# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The Debian mirror is found in both formats of apt's sources, among other people's repositories."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.apt_sources import (
    DEFAULT_MIRROR,
    Mirrors,
    machine_mirrors,
    parse_deb822,
    parse_one_line,
)

DEB822 = """\
Types: deb deb-src
# A comment inside a stanza.
URIs: https://mirror.example.com/debian/
Suites: bookworm
 bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: https://mirror.example.com/security
Suites: bookworm-security
Components: main
"""
ONE_LINE = """\
# deb http://old.example.com/debian bookworm main
deb [arch=amd64 signed-by=/k.gpg] http://mirror.example.org/pub/debian bookworm main # ours
deb http://mirror.example.org/security bookworm-security main
deb-src http://src.example.org/debian bookworm main
"""
OTHERS = """\
deb https://apt.postgresql.example.com/pub/repos/apt bookworm-pgdg main
deb https://download.docker.example.com/linux/debian bookworm stable
deb https://apt.releases.example.com bookworm main
deb cdrom:[Debian] bookworm main
"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Root directory of a Debian 12 without any source."""
    (tmp_path / "etc/apt/sources.list.d").mkdir(parents=True)
    (tmp_path / "etc/os-release").write_text('ID=debian\nVERSION_CODENAME="bookworm"\n')
    return tmp_path


def test_deb822() -> None:
    archive, security = parse_deb822(DEB822)
    assert archive.uri == "https://mirror.example.com/debian"
    assert archive.suites == ("bookworm", "bookworm-updates")
    assert archive.components == ("main", "contrib")
    assert security.suites == ("bookworm-security",)


@pytest.mark.parametrize("change", ["Types: deb-src", "Enabled: no\nTypes: deb"])
def test_deb822_that_gives_no_packages(change: str) -> None:
    assert list(parse_deb822(DEB822.split("\n\n", maxsplit=1)[0].replace("Types: deb deb-src", change))) == []


def test_one_line_format() -> None:
    assert [source.uri for source in parse_one_line(ONE_LINE)] == [
        "http://mirror.example.org/pub/debian",
        "http://mirror.example.org/security",
    ]


def test_machine_with_deb822_sources(machine: Path) -> None:
    (machine / "etc/apt/sources.list.d/debian.sources").write_text(DEB822)
    expected = Mirrors("https://mirror.example.com/debian", "https://mirror.example.com/security", True)
    assert machine_mirrors(machine) == expected


def test_machine_with_a_sources_list_and_other_repositories(machine: Path) -> None:
    (machine / "etc/apt/sources.list").write_text(OTHERS + ONE_LINE)
    expected = Mirrors("http://mirror.example.org/pub/debian", "http://mirror.example.org/security", False)
    assert machine_mirrors(machine) == expected


def test_machine_with_other_repositories_only(machine: Path) -> None:
    (machine / "etc/apt/sources.list").write_text(OTHERS)
    assert machine_mirrors(machine) == Mirrors()


def test_mirror_without_security_updates(machine: Path) -> None:
    (machine / "etc/apt/sources.list").write_text(ONE_LINE.replace("bookworm-security", "other"))
    assert machine_mirrors(machine) == Mirrors("http://mirror.example.org/pub/debian", "", False)


def test_files_that_apt_ignores_are_ignored(machine: Path) -> None:
    (machine / "etc/apt/sources.list.d/debian.sources.bak").write_text(DEB822)
    assert machine_mirrors(machine).archive == DEFAULT_MIRROR


def test_ubuntu_mirrors_carry_no_debian(machine: Path) -> None:
    (machine / "etc/os-release").write_text("ID=ubuntu\nVERSION_CODENAME=bookworm\n")
    (machine / "etc/apt/sources.list").write_text(ONE_LINE)
    assert machine_mirrors(machine) == Mirrors()
