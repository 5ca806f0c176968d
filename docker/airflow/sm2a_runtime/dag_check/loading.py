# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Import DAGs and plugins as Airflow does."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from airflow import plugins_manager
from airflow.dag_processing.dagbag import DagBag

from sm2a_runtime.dag_check.findings import Finding, line_of, of_traceback


class Loaded(NamedTuple):
    """The DAGs of a folder, and what kept others from being imported."""

    dags: list[Any]
    errors: list[Finding]


class Bag(DagBag):  # type: ignore[misc]  # airflow has no types
    """Remembers ids that one file has twice: Airflow takes the last one and says nothing."""

    def __init__(self, folder: Path) -> None:
        self.twice: list[Finding] = []
        super().__init__(str(folder))

    def bag_dag(self, dag: Any) -> None:
        """Called for each DAG that was found."""
        other = self.dags.get(dag.dag_id)
        if other is not None and other is not dag and other.fileloc == dag.fileloc:
            text = f"the DAG id {dag.dag_id} is there twice: only one of them runs"
            self.twice.append(Finding(dag.fileloc, line_of(dag.fileloc, dag.dag_id), text))
        super().bag_dag(dag)


def load(folder: Path) -> Loaded:
    """Every DAG of the folder."""
    # Modules beside the DAGs are imported by name.
    sys.path.insert(0, str(folder))
    bag = Bag(folder)
    errors = [of_traceback(str(folder / file), str(trace)) for file, trace in bag.import_errors.items()]
    return Loaded([bag.dags[name] for name in sorted(bag.dags)], [*errors, *bag.twice])


def plugin_errors() -> Iterator[Finding]:
    """What kept plugins from being imported."""
    for file, error in plugins_manager.get_import_errors().items():
        yield of_traceback(str(file), str(error))
