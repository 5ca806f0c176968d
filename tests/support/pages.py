# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Tables of figures in Markdown, and the pages of docs/ that benchmarks bring up to date."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path


def table(head: Sequence[str], rows: Iterable[Sequence[str]], texts: int = 1) -> str:
    """Aligned; numbers, which follow ``texts`` columns of text, to the right."""
    lines = [tuple(head), *(tuple(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    ruler = ["-" * width if column < texts else "-" * (width - 1) + ":" for column, width in enumerate(widths)]
    cells = [
        [
            cell.ljust(width) if column < texts else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        for line in lines
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in (cells[0], ruler, *cells[1:]))


def insert(page: Path, command: str, text: str) -> None:
    """Put ``text`` between the marks of a command such as ``make bench``. Raises ValueError when the page has none."""
    before = page.read_text(encoding="utf-8")
    mark = f"<!-- {command} -->\n"
    begin, end = before.index(mark) + len(mark), before.index(f"<!-- end of {command} -->")
    page.write_text(f"{before[:begin]}\n{text}\n\n{before[end:]}", encoding="utf-8")
