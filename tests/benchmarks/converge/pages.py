# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Where a page takes its figures."""

from __future__ import annotations

from pathlib import Path


def insert(page: Path, mark: str, text: str) -> None:
    """Put the text between the marks of the page. Raises ValueError when it has none."""
    before = page.read_text(encoding="utf-8")
    begin, end = f"<!-- {mark} -->\n", f"<!-- end of {mark} -->"
    start = before.index(begin) + len(begin)
    page.write_text(f"{before[:start]}\n{text}\n\n{before[before.index(end) :]}", encoding="utf-8")
