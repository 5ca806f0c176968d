# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Install the project's Debian packages: `python -m sm2a_runtime.project.packages FILE [NAME ...]`, in a build as root.

The variable APT_CA_BUNDLE names a file of certificates that apt trusts, if it has to.
"""

import difflib
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from sm2a_runtime.project.lists import Line, ProblemError, entries, say, text_of

ROOT = Path("/")
# name[:architecture][=version or /release]. To apt, a name that ends in `-` is a package to remove, and one that begins
# with it an option.
NAME = re.compile(r"(?P<name>[a-z0-9][a-z0-9+.-]*[a-z0-9+])(:[a-z0-9-]+)?([=/][A-Za-z0-9.+:~-]+)?")
# Apt's errors about one package.
ERROR = re.compile(
    r"^E: (Unable to locate package (?P<unknown>\S+)"
    r"|Package '(?P<unavailable>[^']+)' has no installation candidate"
    r"|(Version|Release) '(?P<version>[^']+)' for '(?P<other>[^']+)' was not found)$",
    re.MULTILINE,
)
# Install scripts want to put files there, and images leave them out (java fails without the first).
WANTED = (
    *(f"usr/share/man/man{section}" for section in range(1, 10)),
    "usr/share/doc",
    "usr/share/info",
    "usr/share/locale",
    "var/cache/apt/archives/partial",
    "var/cache/debconf",
    "var/lib/apt/lists/partial",
    "var/log/apt",
)


def asked_for(file: Path, more: Iterable[str]) -> list[Line]:
    """The words of the file, and ``more`` names, which have line 0. Raises ProblemError with all that are no names."""
    lines = [Line(line.number, word) for line in entries(text_of(file)) for word in line.text.split()]
    found = [*lines, *(Line(0, name) for name in more)]
    wrong = [
        f"{place(file, line)}: {line.text!r} is no name of a Debian package"
        for line in found
        if not NAME.fullmatch(line.text)
    ]
    if wrong:
        raise ProblemError("\n".join(wrong))
    return found


def place(file: Path, line: Line) -> str:
    """Where a name stands, for messages."""
    return f"{file.name}, line {line.number}" if line.number else "images_packages"


def explain(file: Path, asked: Sequence[Line], said: str, known: Sequence[str]) -> str:
    """What is wrong, in a sentence for each package that apt cannot find; else apt's own words."""
    reasons = dict(reason(error, known) for error in ERROR.finditer(said))
    sentences = [
        f"{place(file, line)}: {reasons[name]}"
        for line in asked
        if (match := NAME.fullmatch(line.text)) and (name := match["name"]) in reasons
    ]
    return "\n".join(sentences) or f"apt cannot install the packages of {file.name}:\n{said.strip()}"


def reason(error: re.Match[str], known: Sequence[str]) -> tuple[str, str]:
    """The package that an error is about, and what is wrong with it."""
    if error["other"]:
        return error["other"], f"Debian has no version {error['version']} of {error['other']}"
    name = (error["unknown"] or error["unavailable"]).partition(":")[0]
    near = difflib.get_close_matches(name, [other for other in known if other != name], n=1, cutoff=0.75)
    return name, f"Debian has no package {name}" + (f"; do you mean {near[0]}?" if near else "")


def apt(*arguments: str) -> list[str]:
    """A command line of apt-get."""
    bundle = os.environ.get("APT_CA_BUNDLE", "")
    trust = ["-o", f"Acquire::https::CAInfo={bundle}"] if bundle else []
    return ["apt-get", *trust, "-q", *arguments]


def install(file: Path, asked: Sequence[Line]) -> None:
    """Ask apt whether it can, then do it. Raises ProblemError with the reason when it cannot."""
    for folder in WANTED:
        (ROOT / folder).mkdir(parents=True, exist_ok=True)
    subprocess.run(apt("update"), check=True)
    names = list(dict.fromkeys(line.text for line in asked))
    command = apt("install", "-y", "--no-install-recommends")
    tried = subprocess.run([*command, "--simulate", *names], check=False, capture_output=True, text=True)
    if tried.returncode:
        known = subprocess.run(["apt-cache", "pkgnames"], check=True, capture_output=True, text=True).stdout.split()
        raise ProblemError(explain(file, asked, tried.stdout + tried.stderr, known))
    subprocess.run([*command, *names], check=True, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


def main(arguments: list[str]) -> int:
    """Install them; 1 with the reason when that cannot be."""
    file = Path(arguments[0])
    try:
        asked = asked_for(file, arguments[1:])
        if asked:
            install(file, asked)
    except ProblemError as problem:
        say(str(problem))
        return 1
    except subprocess.CalledProcessError as error:
        say(f"apt-get ended with {error.returncode}, see above: {' '.join(error.cmd)}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
