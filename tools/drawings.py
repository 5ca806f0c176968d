# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Draw every docs/*.dot as the SVG beside it, with Graphviz (Debian package graphviz).

usage: drawings.py    the SVG names the digest of its source, so that a test sees when it is behind
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from .debian import MissingProgramError, installed

DOCS = Path(__file__).resolve().parents[1] / "docs"


def source_comment(source: Path) -> str:
    """The XML comment by which a drawing names its source."""
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    return f"<!-- drawn from {source.name}, sha256 {digest} -->"


def main() -> None:
    """Draw those whose source has changed."""
    for source in sorted(DOCS.glob("*.dot")):
        drawing = source.with_suffix(".svg")
        comment = source_comment(source)
        if drawing.exists() and comment in drawing.read_text(encoding="utf-8"):
            continue
        try:
            command = [installed("dot", "graphviz"), "-Tsvg", str(source)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
        except MissingProgramError as error:
            sys.exit(f"Cannot draw {source.name}: {error}")
        except subprocess.CalledProcessError as error:
            sys.exit(f"Cannot draw {source.name}: {error.stderr}")
        drawing.write_text(f"{done.stdout}{comment}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
