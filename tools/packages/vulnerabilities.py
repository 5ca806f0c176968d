# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Known vulnerabilities, by the first database that can be reached: OSV for all packages, or PyPI's for Python ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import requests

from .installed import Package
from .newest import AT_ONCE, TIMEOUT_SECONDS

OSV = "https://api.osv.dev"
# Asks the database at an address; requests' error, KeyError or ValueError when it is none or cannot be reached.
Ask = Callable[[requests.Session, str, list[Package]], dict[Package, list[str]]]
# OSV takes so many questions in one request.
BATCH = 1000


@dataclass
class Findings:
    """Which database was asked ("" for none), about which kinds of packages, what it knows, and what did not answer."""

    database: str = ""
    kinds: frozenset[str] = frozenset()
    known: dict[Package, list[str]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


def look_up(packages: Iterable[Package], osv: str, index: str) -> Findings:
    """What a database knows about the packages. ``osv`` and ``index`` are addresses; the index is asked second."""
    asked = list(packages)
    session = requests.Session()
    failures: list[str] = []
    databases: list[tuple[str, frozenset[str], Ask]] = [
        (osv, frozenset({"pypi", "deb"}), _ask_osv),
        (index, frozenset({"pypi"}), _ask_index),
    ]
    for name, kinds, ask in databases:
        try:
            return Findings(name, kinds, ask(session, name, asked), failures)
        except (requests.RequestException, KeyError, ValueError) as error:
            failures.append(f"{name} ({type(error).__name__})")
    return Findings(failures=failures)


def _ask_osv(session: requests.Session, osv: str, asked: list[Package]) -> dict[Package, list[str]]:
    known: dict[Package, list[str]] = {}
    pending = [(package, "") for package in asked]
    while pending:
        batch, pending = pending[:BATCH], pending[BATCH:]
        questions = [_question(package, page) for package, page in batch]
        response = session.post(f"{osv}/v1/querybatch", json={"queries": questions}, timeout=TIMEOUT_SECONDS)
        response.raise_for_status()
        for (package, _page), result in zip(batch, response.json()["results"], strict=True):
            found = [one["id"] for one in result.get("vulns", [])]
            if found:
                known.setdefault(package, []).extend(found)
            if result.get("next_page_token"):
                pending.append((package, result["next_page_token"]))
    return known


def _question(package: Package, page: str) -> dict[str, Any]:
    """OSV knows Debian's vulnerabilities by source package."""
    if package.kind == "deb":
        named = {"name": package.source or package.name, "ecosystem": f"Debian:{package.release}"}
        question = {"package": named, "version": package.source_version or package.version}
    else:
        question = {"package": {"name": package.name, "ecosystem": "PyPI"}, "version": package.version}
    return {**question, "page_token": page} if page else question


def _ask_index(session: requests.Session, index: str, asked: list[Package]) -> dict[Package, list[str]]:
    """The JSON interface of PyPI; a mirror that has none is no database."""
    base = index.rstrip("/").removesuffix("/simple")

    def ask(package: Package) -> list[str]:
        address = f"{base}/pypi/{package.name}/{package.version}/json"
        response = session.get(address, timeout=TIMEOUT_SECONDS)
        response.raise_for_status()
        return [one["id"] for one in response.json()["vulnerabilities"] if not one.get("withdrawn")]

    python = [package for package in asked if package.kind == "pypi"]
    if not python:
        raise ValueError("no Python packages to ask about")
    # The first answer says whether it has the interface.
    first = {python[0]: ask(python[0])}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = first | dict(zip(python[1:], pool.map(ask, python[1:]), strict=True))
    return {package: ids for package, ids in found.items() if ids}
