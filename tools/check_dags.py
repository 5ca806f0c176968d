# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Can the DAGs of a project run? ``python -m tools.check_dags PROJECT``: the test of the image's build, in seconds.

It runs in the Airflow image that site.yml has built on this machine, with the project's DAGs and plugins in place of
the image's own; nothing is built. The container has no network and can write nowhere but in its own memory.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

# The collection, as the tests find it: it knows how to find the container engine.
sys.path.append(str(Path(__file__).resolve().parents[1] / "collections"))

from ansible_collections.sm2a.airflow.plugins.module_utils.containers.engine import (
    Engine,
    EngineError,
    find_engine,
    system_environment,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.image_build import CONTENT_LABEL

# What of a project can be laid over the image without a build, and what cannot; as the Dockerfile copies it.
MOUNTED = ("dags", "plugins")
BUILT_IN = ("requirements.txt", "packages.txt")
HOME = "/opt/airflow"


class CheckError(Exception):
    """Why there can be no check, and what to do."""


def newest_image(engine: Engine) -> str:
    """The Airflow image that this machine made last. Raises CheckError when there is none."""
    options = ("--filter", f"label={CONTENT_LABEL}", "--format", "{{.Repository}}:{{.Tag}}")
    for line in engine.must("Listing the images of this machine", "images", *options).splitlines():
        # Engines list the newest first.
        if line.rpartition(":")[0].endswith("/airflow"):
            return line
    raise CheckError(
        "This machine has no Airflow image. A run of site.yml (or `make up`) builds one; or name another: IMAGE=..."
    )


def command(engine: Engine, image: str, project: Path, queues: str | None) -> list[str]:
    """The test in a container, with the parts of the project that there are."""
    parts = [name for name in MOUNTED if (project / name).is_dir()]
    if "dags" not in parts:
        raise CheckError(f"{project} has no folder dags: name the project directory, as images_project_directory does")
    mounts = [word for name in parts for word in ("--volume", f"{project / name}:{HOME}/{name}:ro")]
    closed = ["--network", "none", "--read-only", "--tmpfs", "/tmp:mode=1777"]  # noqa: S108 (the container's)
    test = ["python", "-m", "sm2a_runtime.import_test", *([] if queues is None else ["--queues", queues])]
    return [engine.kind, "run", "--rm", *closed, *mounts, image, *test]


def differing(engine: Engine, image: str, project: Path) -> Iterator[str]:
    """The lists of packages of the project that are not those of the image."""
    for name in BUILT_IN:
        wanted = (project / name).read_bytes() if (project / name).is_file() else b""
        shown = engine.query("run", "--rm", "--network", "none", image, "cat", f"{HOME}/project/{name}")
        if wanted.split() != shown.stdout.encode().split() and wanted.split():
            yield name


def main(arguments: list[str] | None = None) -> int:
    """Run the test; its exit status, or 2 when there can be none."""
    parser = argparse.ArgumentParser(prog="python -m tools.check_dags", description="Can the DAGs of a project run?")
    parser.add_argument("project", type=Path, help="the directory that images_project_directory names")
    parser.add_argument("--image", help="the image to test in (the newest Airflow image of this machine)")
    parser.add_argument("--queues", help="the queues of all groups of workers (those that the image was built for)")
    parser.add_argument("--engine", choices=["auto", "docker", "podman"], default="auto")
    options = parser.parse_args(arguments)
    project = options.project.resolve()
    try:
        engine = find_engine(options.engine)
        image = options.image or newest_image(engine)
        words = command(engine, image, project, options.queues)
        print(f"in {image}:", file=sys.stderr)
        status = subprocess.run(words, env=system_environment(engine.environment), check=False).returncode
        if status:
            for name in differing(engine, image, project):
                print(f"{name} is not the one that the image was built with: run site.yml to build it", file=sys.stderr)
    except (CheckError, EngineError) as error:
        print(error, file=sys.stderr)
        return 2
    return status


if __name__ == "__main__":
    sys.exit(main())
