# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.benchmarks.autoscaler_queries URI [--instances N]``: a table of costs, with plans on request.

The database must be empty or a former one of this benchmark: its tables are made anew. ``PYTHONPATH`` must have
``docker/autoscaler``.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from typing import Any

import psycopg2
from sm2a_autoscaler.metadata.credentials import MYSQL, connection_parameters
from sm2a_autoscaler.metadata.database import connect_to_mysql

from .load import fill
from .measure import measure


def main() -> int:
    """Fill, measure and print."""
    parser = argparse.ArgumentParser(prog="autoscaler_queries", description=__doc__)
    parser.add_argument("uri", help="of an own database, as SM2A stores Airflow's")
    parser.add_argument("--instances", type=int, default=100_000, help="task instances (default %(default)s)")
    parser.add_argument("--plans", action="store_true", help="print the plan of every query")
    parser.add_argument("--keep", action="store_true", help="measure what a former call filled")
    options = parser.parse_args()
    if not options.keep:
        started = time.monotonic()
        dialect, parameters = connection_parameters(options.uri)
        fill(_writer(dialect, parameters), dialect, options.instances, datetime.now(UTC))
        sys.stderr.write(f"filled in {time.monotonic() - started:.0f} s\n")
    recorder, own = measure(options.uri)
    sys.stdout.write(f"{'query':<24}{'calls':>6}{'rows':>8}{'first ms':>10}{'median ms':>11}\n")
    for name, cost in recorder.costs.items():
        numbers = f"{len(cost.milliseconds):>6}{cost.rows:>8}{cost.milliseconds[0]:>10.1f}{cost.median:>11.1f}"
        sys.stdout.write(f"{name:<24}{numbers}\n")
    sys.stdout.write(f"Python's own work in a tick: {own:.1f} ms\n")
    for name, cost in list(recorder.costs.items()) if options.plans else ():
        sys.stdout.write(f"\n== {name}\n{recorder.explain(cost)}\n")
    return 0


def _writer(dialect: str, parameters: dict[str, Any]) -> Any:
    if dialect == MYSQL:
        connection = connect_to_mysql(parameters | {"local_infile": False}, tick_seconds=300)
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION transaction_read_only = 0")
        return connection
    connection = psycopg2.connect(**parameters)
    connection.autocommit = True
    return connection


if __name__ == "__main__":
    sys.exit(main())
