# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the import test found, with the place in the code of whoever wrote the DAG."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)')
# Of a traceback the end says what is wrong.
LINES_SHOWN = 6


class Finding(NamedTuple):
    """Something at a place; ``line`` is 0 where it is not known."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        first, *more = self.text.strip().splitlines()
        return "\n".join([f"{place}: {first}", *(f"    {line}" for line in more)])


def listing(findings: Iterable[Finding]) -> str:
    """All of them, each once, by file and line."""
    return "\n".join(str(finding) for finding in sorted(set(findings)))


def of_traceback(file: str, trace: str) -> Finding:
    """The error that a traceback tells: its last line, and where in the file it came from.

    Of an error without a traceback, the place is where the file has a word of it, such as the id of a DAG.
    """
    lines = trace.strip().splitlines()
    places = [int(frame["line"]) for frame in FRAME.finditer(trace) if frame["file"] == file]
    line = places[-1] if places else line_of(file, *re.findall(r"[\w.-]+", lines[-1]))
    return Finding(file, line, "\n".join([lines[-1], *lines[-LINES_SHOWN:-1]]))


def line_of(file: str, *words: str) -> int:
    """The first line of a Python file with one of the words, as text or as a function's name; earlier words first."""
    try:
        tree = ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError):
        # In an archive, for example.
        return 0
    found = {word: line for line, word in sorted(_words(tree), reverse=True)}
    return next((found[word] for word in words if word in found), 0)


def _words(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, node.name
