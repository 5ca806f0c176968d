# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Pull and unpack an image compressed with zstd and with gzip, in turn, each time into an empty store of Podman.

usage: python -m tests.benchmarks.images [--image NAME] [--rounds N] [--page FILE]

The layers come from this machine's disk, so that only unpacking is timed; what a network adds goes with their size.
Needs root, as Podman's stores do, and an image that Podman has: without --image the newest of `make up`'s.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from ansible_collections.sm2a.airflow.plugins.module_utils.containers.engine import Engine
from ansible_collections.sm2a.airflow.tests.support.pages import insert, table
from ansible_collections.sm2a.airflow.tools.check_dags import newest_image

COMPRESSIONS = ("gzip", "zstd")
MIB = 1024 * 1024


def podman(*arguments: str, configuration: Path | None = None) -> str:
    """Standard output of a command of Podman, with a containers.conf of its own when one is given."""
    environment = {**os.environ, "CONTAINERS_CONF": str(configuration)} if configuration else None
    command = ["podman", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout


class Clock:
    """Seconds since it was made: on the clock, and of the processors for programs that this one ran."""

    def __init__(self) -> None:
        self._begin = self._now()

    @staticmethod
    def _now() -> tuple[float, float]:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.monotonic(), used.ru_utime + used.ru_stime

    def seconds(self) -> Cost:
        """Wall and CPU."""
        return Cost(*(now - begin for now, begin in zip(self._now(), self._begin, strict=True)))


class Cost(NamedTuple):
    """Seconds."""

    wall: float
    cpu: float


def push(image: str, compression: str, directory: Path) -> Cost:
    """Write the image as an OCI layout, as the module container_image pushes it."""
    clock = Clock()
    podman("push", "--quiet", "--format", "oci", "--compression-format", compression, image, f"oci:{directory}:image")
    return clock.seconds()


def layer_bytes(directory: Path, compression: str) -> int:
    """Bytes of all layers of an OCI layout. Raises AssertionError when one is compressed otherwise."""
    index = json.loads((directory / "index.json").read_text(encoding="utf-8"))
    algorithm, digest = index["manifests"][0]["digest"].split(":")
    manifest = json.loads((directory / "blobs" / algorithm / digest).read_text(encoding="utf-8"))
    kinds = {layer["mediaType"].rpartition("+")[2] for layer in manifest["layers"]}
    assert kinds == {compression}, f"layers of {directory} are {kinds}"
    return sum(layer["size"] for layer in manifest["layers"])


def pull(directory: Path) -> Cost:
    """Pull the image of an OCI layout into a new store, and remove the store; what the pull cost."""
    with tempfile.TemporaryDirectory(prefix="store-", dir=directory.parent) as place:
        # With shared memory for locks, as usual, a new store would free those of the machine's own one.
        configuration = Path(place) / "containers.conf"
        configuration.write_text(f'[engine]\nlock_type = "file"\ntmp_dir = "{place}/tmp"\n', encoding="utf-8")
        store = ["--root", f"{place}/store", "--runroot", f"{place}/run"]
        clock = Clock()
        podman(*store, "pull", "--quiet", f"oci:{directory}:image", configuration=configuration)
        cost = clock.seconds()
        podman(*store, "image", "rm", "--all", "--force", configuration=configuration)
        subprocess.run(["umount", f"{place}/store/overlay"], check=False, capture_output=True)
    return cost


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="images", description=__doc__)
    parser.add_argument("--image", help="name or id of an image that Podman has")
    parser.add_argument("--rounds", type=int, default=5, help="pulls of each")
    parser.add_argument("--page", type=Path, help="Markdown file whose table is brought up to date")
    options = parser.parse_args()
    image = options.image or newest_image(Engine("podman"))
    with tempfile.TemporaryDirectory(prefix="sm2a-images-", dir="/var/tmp") as name:
        layouts = {compression: Path(name) / compression for compression in COMPRESSIONS}
        pushed = {compression: push(image, compression, layout) for compression, layout in layouts.items()}
        sizes = {compression: layer_bytes(layout, compression) for compression, layout in layouts.items()}
        pulls: dict[str, list[Cost]] = {compression: [] for compression in COMPRESSIONS}
        for number in range(options.rounds):
            for compression, layout in layouts.items():
                pulls[compression].append(pull(layout))
                cost = pulls[compression][-1]
                told = f"round {number + 1}, {compression}: {cost.wall:.1f} s, {cost.cpu:.1f} s CPU"
                print(told, file=sys.stderr, flush=True)
    measured = {
        "layers, MiB": {one: sizes[one] / MIB for one in COMPRESSIONS},
        "pull and unpack, s": {one: median(cost.wall for cost in pulls[one]) for one in COMPRESSIONS},
        "pull and unpack, s of CPU": {one: median(cost.cpu for cost in pulls[one]) for one in COMPRESSIONS},
        "compress and push, s": {one: pushed[one].wall for one in COMPRESSIONS},
        "compress and push, s of CPU": {one: pushed[one].cpu for one in COMPRESSIONS},
    }
    rows = [
        (what, *(f"{values[one]:.1f}" for one in COMPRESSIONS), f"{values['zstd'] / values['gzip']:.2f}")
        for what, values in measured.items()
    ]
    report = table(("the Airflow image", *COMPRESSIONS, "zstd to gzip"), rows)
    print(report)
    if options.page:
        insert(options.page, "make bench-images", report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
