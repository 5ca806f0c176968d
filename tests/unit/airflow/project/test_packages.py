# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The project's Debian packages, with an apt of paper."""

from pathlib import Path

import pytest
from sm2a_runtime.project import packages

# Knows jq and curl, and writes each of its command lines down.
APT = """#!/bin/sh
echo "$(basename "$0") $*" >> {log}
case "$0" in *apt-cache) printf 'jq\\ncurl\\nlibcurl4\\n'; exit 0;; esac
failed=0
for word in "$@"; do case "$word" in
    -*|*::*|update|install|jq|curl) ;;
    jq=1) echo "E: Version '1' for 'jq' was not found" >&2; failed=100;;
    old) echo "E: Package 'old' has no installation candidate" >&2; failed=100;;
    broken) echo "E: Unmet dependencies" >&2; failed=100;;
    *) echo "E: Unable to locate package $word" >&2; failed=100;;
esac; done
exit $failed
"""


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file with what apt was called with."""
    log = tmp_path / "log"
    log.touch()
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("apt-get", "apt-cache"):
        (tools / name).write_text(APT.format(log=log), encoding="utf-8")
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    monkeypatch.delenv("APT_CA_BUNDLE", raising=False)
    monkeypatch.setattr(packages, "ROOT", tmp_path / "root")
    return log


def written(tmp_path: Path, text: str) -> str:
    file = tmp_path / "packages.txt"
    file.write_bytes(text.encode())
    return str(file)


def test_names_are_installed_once_apt_knows_them_all(apt: Path, tmp_path: Path) -> None:
    assert packages.main([written(tmp_path, "\ufeffjq\r\n# tools\r\ncurl jq \r\n"), "curl"]) == 0
    install = "apt-get -q install -y --no-install-recommends"
    assert apt.read_text().splitlines() == ["apt-get -q update", f"{install} --simulate jq curl", f"{install} jq curl"]


def test_folders_that_install_scripts_need_are_there(apt: Path, tmp_path: Path) -> None:
    assert packages.main([written(tmp_path, "jq\n")]) == 0
    assert {"usr/share/man/man1", "var/cache/debconf", "var/log/apt"} <= set(packages.WANTED)
    assert all((tmp_path / "root" / folder).is_dir() for folder in packages.WANTED)


def test_certificates_of_the_build_are_trusted(apt: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APT_CA_BUNDLE", "/run/secrets/ca_bundle")
    assert packages.main([written(tmp_path, "jq\n")]) == 0
    assert all("-o Acquire::https::CAInfo=/run/secrets/ca_bundle" in line for line in apt.read_text().splitlines())


def test_without_packages_apt_is_left_alone(apt: Path, tmp_path: Path) -> None:
    assert packages.main([written(tmp_path, "# none\r\n\r\n")]) == 0
    assert apt.read_text() == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("jq\ncurll\n", "packages.txt, line 2: Debian has no package curll; do you mean curl?\n"),
        ("qqqqqq\n", "packages.txt, line 1: Debian has no package qqqqqq\n"),
        ("old\n", "packages.txt, line 1: Debian has no package old\n"),
        ("jq=1\n", "packages.txt, line 1: Debian has no version 1 of jq\n"),
        (
            "\n\nqqqqqq\nwwwwww\n",
            "packages.txt, line 3: Debian has no package qqqqqq\npackages.txt, line 4: Debian has no package wwwwww\n",
        ),
        ("broken\n", "apt cannot install the packages of packages.txt:\nE: Unmet dependencies\n"),
    ],
)
def test_what_apt_cannot_install_is_told_before_anything_is_installed(
    apt: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    assert packages.main([written(tmp_path, text)]) == 1
    assert capsys.readouterr().err == said
    assert all("update" in line or "--simulate" in line or "apt-cache" in line for line in apt.read_text().splitlines())


@pytest.mark.parametrize("name", ["Jq", "--allow-unauthenticated", "jq-", "./x.deb", "a;b", "jq,", "python3>=3"])
def test_a_word_that_is_no_name_never_reaches_apt(
    apt: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert packages.main([written(tmp_path, f"jq\n{name}\n")]) == 1
    assert capsys.readouterr().err == f"packages.txt, line 2: {name!r} is no name of a Debian package\n"
    assert apt.read_text() == ""


def test_a_name_of_an_option_is_told_with_the_option(
    apt: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert packages.main([written(tmp_path, "jq\n"), "Git"]) == 1
    assert capsys.readouterr().err == "images_packages: 'Git' is no name of a Debian package\n"


@pytest.mark.parametrize("name", ["libstdc++6", "g++", "libc6:arm64", "jq=1.7.1-6+deb13u1", "jq/trixie", "7zip"])
def test_names_that_apt_knows_are_names(name: str) -> None:
    assert packages.NAME.fullmatch(name)
