# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which Debian mirror a machine uses: reads both formats of apt's source lists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

DEFAULT_MIRROR = "http://deb.debian.org/debian"
DEFAULT_SECURITY_MIRROR = "http://deb.debian.org/debian-security"
SCHEMES = ("http://", "https://", "file:/")


@dataclass(frozen=True)
class Source:
    """One place that packages come from."""

    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]


@dataclass(frozen=True)
class Mirrors:
    """Base addresses of the Debian archive and of its security updates ("" for none); whether it has ``-updates``."""

    archive: str = DEFAULT_MIRROR
    security: str = DEFAULT_SECURITY_MIRROR
    has_updates: bool = True


def parse_one_line(text: str) -> Iterator[Source]:
    """Sources of a ``sources.list``: ``deb [options] uri suite component ...``."""
    for line in text.splitlines():
        words = re.sub(r"\[[^]]*\]", " ", line.partition("#")[0]).split()
        if len(words) >= 4 and words[0] == "deb":
            yield Source(words[1].rstrip("/"), (words[2],), tuple(words[3:]))


def parse_deb822(text: str) -> Iterator[Source]:
    """Sources of a ``*.sources`` file: stanzas of ``Types``, ``URIs``, ``Suites``, ``Components``."""
    for stanza in re.split(r"\n\s*\n", text):
        fields: dict[str, list[str]] = {}
        name = ""
        for line in stanza.splitlines():
            if line.startswith("#"):
                continue
            value = line
            if not line[:1].isspace():
                name, _colon, value = line.partition(":")
            fields.setdefault(name.lower(), []).extend(value.split())
        if "deb" not in fields.get("types", []) or "no" in fields.get("enabled", []):
            continue
        for uri in fields.get("uris", []):
            yield Source(uri.rstrip("/"), tuple(fields.get("suites", [])), tuple(fields.get("components", [])))


def choose(sources: Iterable[Source], codename: str) -> Mirrors:
    """The mirrors among a Debian machine's sources; others' repositories (PostgreSQL, Docker, ...) do not count.

    A mirror of Debian carries ``main`` of the machine's own release, and its updates or a path that ends in ``debian``.
    """
    usable = [source for source in sources if source.uri.startswith(SCHEMES) and "main" in source.components]
    with_updates = {source.uri for source in usable if f"{codename}-updates" in source.suites}
    archives = [
        source.uri
        for source in usable
        if codename in source.suites and (source.uri in with_updates or source.uri.endswith("/debian"))
    ]
    security = [source.uri for source in usable if f"{codename}-security" in source.suites]
    if not archives:
        return Mirrors()
    return Mirrors(archives[0], security[0] if security else "", archives[0] in with_updates)


def machine_mirrors(root: Path = Path("/")) -> Mirrors:
    """This machine's mirrors, or Debian's own when it is no Debian."""
    release = _os_release(root)
    if release.get("ID") != "debian":
        return Mirrors()
    apt = root / "etc/apt"
    sources: list[Source] = []
    for path in [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]:
        if path.is_file() and path.suffix in (".list", ".sources"):
            parse = parse_deb822 if path.suffix == ".sources" else parse_one_line
            sources.extend(parse(path.read_text(encoding="utf-8", errors="replace")))
    return choose(sources, release.get("VERSION_CODENAME", ""))


def _os_release(root: Path) -> dict[str, str]:
    path = root / "etc/os-release"
    if not path.is_file():
        return {}
    lines = (line.partition("=") for line in path.read_text(encoding="utf-8").splitlines() if "=" in line)
    return {name: value.strip('"') for name, _equals, value in lines}
