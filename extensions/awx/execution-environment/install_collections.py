# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Takes single collections out of the wheel of PyPI's package ansible, which has about a hundred.

It runs while the execution environment is built.
"""

from __future__ import annotations

import argparse
import sys
import zipfile
from pathlib import Path

# What only the collections' own developers and readers need.
UNUSED = ("changelogs/", "docs/", "tests/", "CHANGELOG")


def members(names: list[str], collection: str) -> list[str]:
    """The files of one collection, such as ``amazon.aws``."""
    folder = f"ansible_collections/{collection.replace('.', '/')}/"
    return [name for name in names if name.startswith(folder) and not name.removeprefix(folder).startswith(UNUSED)]


def main(arguments: list[str] | None = None) -> int:
    """Unpack them; 1 with a message when one is not there."""
    parser = argparse.ArgumentParser(description=__doc__, prog="install_collections")
    parser.add_argument("wheels", type=Path, help="folder with the wheel")
    parser.add_argument("target", type=Path, help="folder that ansible_collections is made in")
    parser.add_argument("collections", nargs="+", help="their names")
    options = parser.parse_args(arguments)
    [wheel] = options.wheels.glob("ansible-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        for collection in options.collections:
            found = members(names, collection)
            if not found:
                print(f"{wheel.name} has no collection {collection}", file=sys.stderr)
                return 1
            archive.extractall(options.target, found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
