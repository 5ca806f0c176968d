# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The newest versions, by a Python package index and by Debian's archive."""

from __future__ import annotations

import lzma
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import requests
from debian.debian_support import Version as DebianVersion
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from .installed import Package

TIMEOUT_SECONDS = 20
AT_ONCE = 16
JSON_INDEX = "application/vnd.pypi.simple.v1+json"
ACCEPT = f"{JSON_INDEX}, text/html;q=0.1"
LINK = re.compile(r"<a\b[^>]*>\s*([^<\s]+)\s*</a>")


@dataclass
class Answer:
    """What a source says about one package; ``problem`` is why it says nothing. Dates are "" where they are unknown."""

    newest: str = ""
    behind: bool = False
    installed_date: str = ""
    newest_date: str = ""
    problem: str = ""


@dataclass
class PythonIndex:
    """A package index. After one failure to reach it, it is not tried again."""

    url: str
    failure: str = ""
    session: requests.Session = field(default_factory=requests.Session)

    def ask(self, packages: Iterable[Package]) -> dict[Package, Answer]:
        """The answer for each package."""
        asked = list(packages)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return dict(zip(asked, pool.map(self.answer, asked), strict=True))

    def answer(self, package: Package) -> Answer:
        """The answer for one package."""
        if self.failure:
            return Answer(problem=self.failure)
        try:
            address = f"{self.url.rstrip('/')}/{package.name}/"
            response = self.session.get(address, headers={"Accept": ACCEPT}, timeout=TIMEOUT_SECONDS)
        except requests.RequestException as error:
            self.failure = f"{self.url} cannot be reached ({type(error).__name__})"
            return Answer(problem=self.failure)
        if not response.ok:
            return Answer(problem=f"{self.url} answers {response.status_code}")
        dates = release_dates(response)
        return compared(package.version, dates) if dates else Answer(problem=f"{self.url} has no release of it")


def release_dates(response: requests.Response) -> dict[Version, str]:
    """Date of each release that was not withdrawn; "" where the index tells none."""
    if response.headers.get("Content-Type", "").startswith(JSON_INDEX):
        files = [one for one in response.json()["files"] if not one.get("yanked")]
        told = [(one["filename"], one.get("upload-time") or "") for one in files]
    else:
        told = [(name, "") for name in LINK.findall(response.text)]
    dates: dict[Version, str] = {}
    for name, moment in told:
        version = version_of(name)
        if version is not None:
            dates[version] = min(filter(None, (dates.get(version, ""), moment[:10])), default="")
    return dates


def version_of(filename: str) -> Version | None:
    """The version that a file of an index has; None for a file of another kind."""
    try:
        if filename.endswith(".whl"):
            return parse_wheel_filename(filename)[1]
        return parse_sdist_filename(filename)[1]
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return None


def compared(installed: str, dates: dict[Version, str]) -> Answer:
    """The installed version beside the newest; versions before a release count only where there is nothing else."""
    final = [version for version in dates if not version.is_prerelease]
    newest = max(final or dates)
    own = Version(installed)
    return Answer(str(newest), own < newest, dates.get(own, ""), dates[newest])


@dataclass
class DebianArchive:
    """A mirror of Debian and one of its security updates ("" for none), for one release."""

    archive: str
    security: str
    suite: str
    session: requests.Session = field(default_factory=requests.Session)

    def places(self) -> Iterator[str]:
        """Addresses of the suites."""
        yield f"{self.archive}/dists/{self.suite}"
        yield f"{self.archive}/dists/{self.suite}-updates"
        if self.security:
            yield f"{self.security}/dists/{self.suite}-security"

    def ask(self, packages: Iterable[Package]) -> dict[Package, Answer]:
        """The answer for each package; a date is that of the suite which has the newest version."""
        asked = list(packages)
        answers: dict[Package, Answer] = {}
        for architecture in sorted({one.architecture for one in asked} - {"all"} or {"amd64"}):
            try:
                newest = self.newest(architecture)
            except (requests.RequestException, lzma.LZMAError, OSError) as error:
                problem = Answer(problem=f"{self.archive} cannot be reached ({type(error).__name__})")
                answers |= {one: problem for one in asked if one.architecture in (architecture, "all")}
                continue
            for one in asked:
                if one.architecture in (architecture, "all"):
                    answers[one] = debian_answer(one, newest)
        return answers

    def newest(self, architecture: str) -> dict[str, tuple[str, str]]:
        """Newest version of each package, and the suite's date. requests' error when a suite cannot be read."""
        found: dict[str, tuple[str, str]] = {}
        for place in self.places():
            release = self._get(f"{place}/InRelease").text
            date = re.search(r"^Date: \w+, (\d+ \w+ \d+)", release, re.MULTILINE)
            index = lzma.decompress(self._get(f"{place}/main/binary-{architecture}/Packages.xz").content)
            for name, version in listed(index.decode(errors="replace")):
                if name not in found or DebianVersion(version) > DebianVersion(found[name][0]):
                    found[name] = (version, date[1] if date else "")
        return found

    def _get(self, address: str) -> requests.Response:
        response = self.session.get(address, timeout=TIMEOUT_SECONDS)
        response.raise_for_status()
        return response


def listed(index: str) -> Iterator[tuple[str, str]]:
    """Name and version of each package of a ``Packages`` file."""
    name = ""
    for line in index.splitlines():
        if line.startswith("Package: "):
            name = line[9:]
        elif line.startswith("Version: "):
            yield name, line[9:]


def debian_answer(package: Package, newest: dict[str, tuple[str, str]]) -> Answer:
    """The installed version beside the newest of the release."""
    if package.name not in newest:
        return Answer(problem="the release has no such package")
    version, date = newest[package.name]
    return Answer(version, DebianVersion(package.version) < DebianVersion(version), "", date)
