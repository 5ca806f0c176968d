# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Can the DAGs run? `python -m sm2a_runtime.import_test [--queues "NAME ..."] [folder]`.

Imports every DAG and plugin as Airflow will, stores each DAG in an empty database, and tells all that is wrong at
once, with file and line. The build of the image runs it, so that a DAG that cannot run ends there. It knows no secret:
DAG code that needs a variable or a connection while it is imported fails, as it would slow down every parse.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from sm2a_runtime.dag_check.findings import Finding, listing

DAGS = Path("/opt/airflow/dags")
# The queues that the image was built for, the default one first.
QUEUES = Path("/usr/share/sm2a/worker_queues")
# Airflow takes the first of them as the queue of tasks that name none; so does the role airflow.
DEFAULT_QUEUE = "AIRFLOW__OPERATORS__DEFAULT_QUEUE"


class Report(NamedTuple):
    """Ids of DAGs that can run as far as this test sees, what is wrong with the others, and what to know of all."""

    dags: list[str]
    errors: list[Finding]
    notes: list[Finding]


def settings(database: Path, queues: Sequence[str]) -> dict[str, str]:
    """Airflow's options for the test, as environment variables."""
    backend = "sm2a_runtime.dag_check.reads.Reads"
    options = {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{database}",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        # Else the end of a traceback is all that is told, which is in Airflow: the line of the DAG is further up.
        "AIRFLOW__CORE__DAGBAG_IMPORT_ERROR_TRACEBACK_DEPTH": "100",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "CRITICAL",
        "AIRFLOW__SECRETS__BACKEND": backend,
        "AIRFLOW__SECRETS__BACKEND_KWARGS": "{}",
    }
    return {**options, DEFAULT_QUEUE: queues[0]} if queues else options


def check(folder: Path, queues: Sequence[str]) -> Report:
    """Look at every DAG; Airflow's options are those of ``settings``."""
    # Importing Airflow takes seconds, and reads the options.
    from sm2a_runtime.dag_check import loading, placement, reads, storing  # noqa: PLC0415

    reads.Reads.folder = folder
    loaded = loading.load(folder)
    errors = [*loaded.errors, *loading.plugin_errors()]
    notes = reads.findings(reads.Reads.seen)
    storing.make_tables()
    for dag in loaded.dags:
        errors += storing.problems(dag)
        errors += placement.queue_problems(dag, queues) if queues else ()
        notes += placement.pools(dag)
    return Report([dag.dag_id for dag in loaded.dags], errors, notes)


def queues_of(given: str | None) -> list[str]:
    """The queues that somebody named, else those that the image was built for."""
    if given is None:
        given = QUEUES.read_text(encoding="utf-8") if QUEUES.is_file() else ""
    return given.replace(",", " ").split()


def main(arguments: list[str] | None = None) -> int:
    """Check, tell, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m sm2a_runtime.import_test", description="Can the DAGs run?")
    parser.add_argument("folder", nargs="?", type=Path, default=DAGS)
    parser.add_argument(
        "--queues", help="the queues of all groups of workers, the default one first (those of the image, if not given)"
    )
    options = parser.parse_args(arguments)
    queues = queues_of(options.queues)
    with tempfile.TemporaryDirectory() as place:
        os.environ.update(settings(Path(place) / "airflow.db", queues))
        report = check(options.folder.resolve(), queues)
    if report.notes:
        print(f"To know:\n{listing(report.notes)}", file=sys.stderr)
    if report.errors:
        print(f"These DAGs or plugins cannot run:\n{listing(report.errors)}", file=sys.stderr)
        return 1
    print(f"imported {len(report.dags)} DAGs: {', '.join(report.dags)}")
    if not queues:
        print("queues of tasks were not checked: the image was built without the queues of workers (WORKER_QUEUES)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
