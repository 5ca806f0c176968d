# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Print the table of what was measured last, draw the picture, bring the page up to date.

usage: python -m tests.benchmarks.throughput [--measured FILE] [--plot FILE] [--page FILE]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ansible_collections.sm2a.airflow.tests.support.pages import insert

from .legs import read
from .report import calls_table, comparisons, conditions_text, table


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(prog="throughput", description=__doc__)
    parser.add_argument("--measured", type=Path, default=Path("artifacts/throughput.json"), help="what to show")
    parser.add_argument("--plot", type=Path, help="SVG file to write")
    parser.add_argument("--page", type=Path, help="Markdown file whose tables are brought up to date")
    options = parser.parse_args()
    legs, calls, conditions = read(options.measured)
    found = comparisons(legs)
    tables = "\n\n".join((conditions_text(conditions), table(found), calls_table(calls)))
    print(tables)
    if options.plot:
        from .plot import draw  # noqa: PLC0415 (matplotlib is only needed here)

        draw(options.plot, found, legs)
    if options.page:
        insert(options.page, "make bench-throughput", tables)


if __name__ == "__main__":
    main()
