# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Make the project's further Python environments: `python -m sm2a_runtime.project.environments FOLDER`, in a build.

Each folder in it, with a requirements.txt, becomes /opt/environments/NAME, whose Python tasks use with
`@task.external_python`. It has nothing of Airflow's, so nothing in it can conflict with Airflow.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sm2a_runtime.project.lists import ProblemError, entries, say, text_of, wants_hashes

PLACE = Path("/opt/environments")
PYTHON = "/usr/bin/python3"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def declared(folder: Path) -> Iterator[Path]:
    """The requirements.txt of each environment. Raises ProblemError where there is none, or the name cannot be."""
    for environment in sorted(path for path in folder.iterdir() if path.is_dir()):
        requirements = environment / "requirements.txt"
        if not NAME.fullmatch(environment.name):
            raise ProblemError(f"environments/{environment.name}: a name has letters, digits, `_`, `.` and `-` only")
        if not requirements.is_file():
            raise ProblemError(f"environments/{environment.name} has no requirements.txt")
        yield requirements


def make(requirements: Path) -> None:
    """Make one environment. Raises ProblemError with the reason when that cannot be."""
    name = requirements.parent.name
    text = text_of(requirements)
    with tempfile.TemporaryDirectory() as folder:
        readable = Path(folder) / requirements.name
        readable.write_text(text, encoding="utf-8")
        run(name, "venv", "--quiet", "--python", PYTHON, str(PLACE / name))
        if entries(text):
            options = ["--quiet", "--compile-bytecode", "--python", str(PLACE / name / "bin/python")]
            options += ["--require-hashes"] if wants_hashes(text) else []
            run(name, "pip", "install", *options, "-r", str(readable))


def run(name: str, *arguments: str) -> None:
    """Run uv. Raises ProblemError with what it says."""
    done = subprocess.run(["uv", *arguments], check=False, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise ProblemError(f"environments/{name}/requirements.txt cannot be installed:\n{done.stderr.strip()}")


def main(arguments: list[str]) -> int:
    """Make them all; 1 with the reason when one cannot be made."""
    try:
        for requirements in list(declared(Path(arguments[0]))):
            make(requirements)
    except ProblemError as problem:
        say(str(problem))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
