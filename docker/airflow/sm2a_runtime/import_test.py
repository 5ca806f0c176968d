# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Import every DAG and plugin as Airflow will: `python -m sm2a_runtime.import_test [folder]`.

The build of the image runs it, so that a DAG that cannot be imported ends there. It knows no secret and no database:
DAG code that reads variables or connections while it is imported fails, as it would slow down every parse.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

DAGS = Path("/opt/airflow/dags")
# Of a traceback the end says what is wrong.
LINES_SHOWN = 6


def import_dags(folder: Path) -> tuple[list[str], dict[str, str]]:
    """Ids of the DAGs in ``folder``, sorted, and the traceback of each file that could not be imported."""
    # Importing Airflow takes seconds.
    from airflow.dag_processing.dagbag import DagBag  # noqa: PLC0415

    # Modules beside the DAGs are imported by name.
    sys.path.insert(0, str(folder))
    bag = DagBag(str(folder))
    return sorted(bag.dags), {str(file): str(trace) for file, trace in bag.import_errors.items()}


def import_plugins() -> dict[str, str]:
    """The error of each plugin that could not be imported."""
    # Importing Airflow takes seconds.
    from airflow import plugins_manager  # noqa: PLC0415

    return {str(file): str(error) for file, error in plugins_manager.get_import_errors().items()}


def report(errors: Mapping[str, str]) -> str:
    """Each file with the last lines of its error."""
    parts = []
    for file, trace in sorted(errors.items()):
        lines = trace.strip().splitlines()[-LINES_SHOWN:]
        parts.append("\n".join([f"{file}:", *(f"  {line}" for line in lines)]))
    return "\n".join(parts)


def main(arguments: list[str] | None = None) -> int:
    """Import, tell, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m sm2a_runtime.import_test", description="Can the DAGs be imported?")
    parser.add_argument("folder", nargs="?", type=Path, default=DAGS)
    folder = parser.parse_args(arguments).folder
    dags, errors = import_dags(folder)
    errors |= import_plugins()
    if errors:
        print(f"These files cannot be imported:\n{report(errors)}", file=sys.stderr)
        return 1
    print(f"imported {len(dags)} DAGs: {', '.join(dags)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
