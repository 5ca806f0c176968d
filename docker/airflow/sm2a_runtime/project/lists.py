# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Lists that people write by hand, on whatever machine: one entry a line."""

import codecs
import os
import re
import sys
from pathlib import Path
from typing import NamedTuple

# Windows PowerShell's `pip freeze > requirements.txt` writes UTF-16. The longer mark goes first.
MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# A `#` within a word belongs to it, as in https://example.com/x.zip#sha256=...
COMMENT = re.compile(r"(^|\s)#.*")
HASH = re.compile(r"(^|\s)--hash=")
# Marks that editors leave in the middle of joined files; nobody sees them.
INVISIBLE = str.maketrans("", "", "\ufeff\u200b")


class ProblemError(Exception):
    """What is wrong with a project, in words for who wrote it."""


class Line(NamedTuple):
    """An entry, and the number of its line."""

    number: int
    text: str


def text_of(path: Path) -> str:
    """The text with line feeds only, without byte order marks. Raises ProblemError when it is no text."""
    content = path.read_bytes()
    mark, encoding = next((pair for pair in MARKS if content.startswith(pair[0])), (b"", "utf-8"))
    try:
        text = content.removeprefix(mark).decode(encoding)
    except UnicodeDecodeError as error:
        raise ProblemError(f"{path.name} is no text in UTF-8 (byte {error.start + 1}): save it as UTF-8") from error
    return "\n".join(text.translate(INVISIBLE).splitlines()) + "\n"


def entries(text: str) -> list[Line]:
    """The lines that say something, without comments and without blanks around them."""
    lines = (Line(number, COMMENT.sub("", line).strip()) for number, line in enumerate(text.splitlines(), start=1))
    return [line for line in lines if line.text]


def wants_hashes(text: str) -> bool:
    """Whether each Python package of a list must have a hash: where one has, or the build wants it (REQUIRE_HASHES)."""
    return bool(os.environ.get("REQUIRE_HASHES") or HASH.search(text))


def say(*problems: str) -> None:
    """To standard error, one a line."""
    for problem in problems:
        print(problem, file=sys.stderr)
