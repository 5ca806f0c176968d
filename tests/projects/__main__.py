# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Install the sets of sets.yml in the Airflow image, each in a container of its own, and use what was installed.

usage: python -m tests.projects [--image NAME] [--only NAME ...] [--page FILE]

``make project-sets`` runs it. It needs the package index and Debian's archive, and an image whose own project is empty.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from ansible_collections.sm2a.airflow.plugins.module_utils.containers.engine import EngineError, find_engine
from ansible_collections.sm2a.airflow.tests.projects.installation import Outcome, install
from ansible_collections.sm2a.airflow.tests.projects.sets import ProjectSet, debian_packages, requirement_sets
from ansible_collections.sm2a.airflow.tests.support.pages import insert, table
from ansible_collections.sm2a.airflow.tools.check_dags import CheckError, newest_image

HEAD = ("project", "Python packages", "Debian packages", "result", "seconds", "of CPU", "MiB")


def row(project: ProjectSet, outcome: Outcome) -> tuple[str, ...]:
    """Of the table."""
    result = "fails" if outcome.problem else "works"
    lists = (", ".join(project.requirements), ", ".join(project.packages))
    figures = (f"{outcome.seconds:.0f}", f"{outcome.of_cpu:.0f}", str(outcome.mebibytes))
    return (project.name, *lists, result, *figures)


def main(arguments: list[str] | None = None) -> int:
    """Install, print, and return 1 when one of them fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.projects", description="Install what projects often want.")
    parser.add_argument("--image", help="the image to install in (the newest Airflow image of this machine)")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these sets and no other")
    parser.add_argument("--page", type=Path, help="page of docs/ that shows the table")
    options = parser.parse_args(arguments)
    try:
        engine = find_engine()
        image = options.image or newest_image(engine)
    except (CheckError, EngineError) as error:
        raise SystemExit(str(error)) from error
    projects = [one for one in (*requirement_sets(), *debian_packages()) if one.name in (options.only or (one.name,))]
    outcomes = {}
    with tempfile.TemporaryDirectory(prefix="sm2a-uv-") as cache:
        for project in projects:
            outcome = outcomes[project] = install(engine, image, project, Path(cache))
            print(" | ".join(row(project, outcome)), flush=True)
            if outcome.problem:
                print(outcome.problem, file=sys.stderr, flush=True)
    if options.page:
        insert(options.page, "make project-sets", table(HEAD, (row(*one) for one in outcomes.items()), texts=4))
    return 1 if any(outcome.problem for outcome in outcomes.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
