# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What goes into an image build: which files, their content hash, and a copy that holds nothing else.

Only what a checkout carries counts: path, bytes, executable bit and link target. Owner, time and umask do not, so that
every machine computes the same hash for the same commit.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

# Leftovers of tools; no image wants them, and they differ from machine to machine.
LEFTOVERS = (".git", ".venv", "__pycache__", "*.pyc", "*.egg-info", ".pytest_cache", ".mypy_cache", ".ruff_cache")
FIXED_TIME = 0


@dataclass(frozen=True)
class Entry:
    """One file or symbolic link: ``path`` is relative to the context, with forward slashes."""

    path: str
    source: Path

    @property
    def mode(self) -> str:
        """``link``, ``executable`` or ``file``, which is all that git keeps."""
        if self.source.is_symlink():
            return "link"
        return "executable" if os.access(self.source, os.X_OK) else "file"

    def content(self) -> bytes:
        """Bytes of the file, or the target of the link."""
        return os.fsencode(self.source.readlink()) if self.source.is_symlink() else self.source.read_bytes()


def collect(context: Path, include: Iterable[str] = (), exclude: Iterable[str] = ()) -> list[Entry]:
    """Files below ``context`` (only those under ``include`` when given), sorted by path.

    ``exclude`` holds patterns of names, or of paths in the context, that are left out next to ``LEFTOVERS``.
    FileNotFoundError names a missing context or included path.
    """
    patterns = (*LEFTOVERS, *exclude)
    roots = [context / path for path in include] or [context]
    found: dict[str, Entry] = {}
    for root in roots:
        if not root.exists():
            raise FileNotFoundError(f"The build context has no directory {root}")
        for source in _files(context, root, patterns):
            path = source.relative_to(context).as_posix()
            found[path] = Entry(path, source)
    return [found[path] for path in sorted(found)]


def overlaid(entries: Iterable[Entry], source: Path, target: str, include: Iterable[str] = ()) -> list[Entry]:
    """``entries`` with the files of the directory ``source`` laid over them below ``target``, or a file in its place.

    Of ``include`` only what exists takes part. FileNotFoundError names a directory that is missing or has none of it.
    """
    found = {entry.path: entry for entry in entries}
    if source.is_file():
        found[target] = Entry(target, source)
        return [found[path] for path in sorted(found)]
    if not source.is_dir():
        raise FileNotFoundError(f"The directory {source} does not exist")
    present = [path for path in include if (source / path).exists()]
    if include and not present:
        raise FileNotFoundError(f"The directory {source} has none of {', '.join(include)}")
    for entry in collect(source, present):
        path = f"{target.rstrip('/')}/{entry.path}"
        found[path] = Entry(path, entry.source)
    return [found[path] for path in sorted(found)]


def _files(context: Path, root: Path, patterns: Iterable[str]) -> Iterator[Path]:
    if root.is_symlink() or root.is_file():
        yield root
        return
    for child in root.iterdir():
        names = (child.name, child.relative_to(context).as_posix())
        if not any(fnmatch(name, pattern) for name in names for pattern in patterns):
            yield from _files(context, child, patterns)


def content_hash(entries: Iterable[Entry], settings: Mapping[str, Any]) -> str:
    """Hexadecimal SHA-256 over the entries and over ``settings`` (JSON values that change what is built)."""
    total = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for entry in entries:
        content = hashlib.sha256(entry.content()).hexdigest()
        total.update(f"\0{entry.mode}\0{entry.path}\0{content}".encode())
    return total.hexdigest()


def stage(entries: Iterable[Entry], directory: Path) -> None:
    """Copy the entries into ``directory`` with fixed modes and times, so that equal content makes equal layers."""
    for entry in entries:
        target = directory / entry.path
        target.parent.mkdir(parents=True, exist_ok=True)
        if entry.mode == "link":
            target.symlink_to(entry.source.readlink())
            continue
        shutil.copyfile(entry.source, target)
        target.chmod(0o755 if entry.mode == "executable" else 0o644)
        os.utime(target, (FIXED_TIME, FIXED_TIME))
    for parent, directories, _files_below in os.walk(directory):
        for name in directories:
            (Path(parent) / name).chmod(0o755)
