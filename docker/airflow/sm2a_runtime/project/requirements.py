# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Install the project's Python packages beside Airflow: `python -m sm2a_runtime.project.requirements FILE`, in a build.

What the image has stays as it is, unless the project needs another version and everything in the image can live with
that. Airflow, and what this runtime builds on, stay in any case. Other packages get the version that Airflow was tested
with, where the project does not want another.

The variable REQUIRE_HASHES says that each package must have a hash; a file that has one is held to that anyway. Then
what the image has stays exactly as it is.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from importlib.metadata import distributions
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from sm2a_runtime.project.lists import Line, ProblemError, entries, say, text_of, wants_hashes

# The image's own lists, with hashes; they are mounted while it is built.
WANTED = Path("/build/requirements.in")
PINS = (Path("/build/requirements.txt"), Path("/build/source-requirements.txt"))
# What Airflow tested. It is a preference.
TESTED = Path("/opt/airflow/project/constraints.txt")
# Versions are chosen for this Python, on this processor.
TARGET = ("--python", sys.executable)
# Each of these is in requirements.in for a reason, or the runtime reaches into it.
FIRM = frozenset(
    {
        "aiomysql",
        "asyncpg",
        "celery",
        "fastapi",
        "flask",
        "flask-appbuilder",
        "kombu",
        "mysqlclient",
        "psycopg2-binary",
        "pymysql",
        "sqlalchemy",
        "starlette",
        "werkzeug",
    }
)
# Files for Amazon MWAA begin with the constraints of one version of Airflow, which is another one than this.
OTHER_AIRFLOW = re.compile(r"(-c|--constraint)[\s=]*[\"']?\S*constraints-\d\S*\.txt[\"']?")
# How uv says so. Other faults, such as an index that does not answer, have other ways out.
NO_SOLUTION = "No solution found"
WAY_OUT = (
    "Ask for another version, or give the packages an environment of their own: environments/NAME/requirements.txt, "
    "which tasks use with @task.external_python."
)


def installed() -> dict[str, str]:
    """Name and version of each package of the image."""
    return {canonicalize_name(one.metadata["Name"]): one.version for one in distributions()}


def is_firm(name: str) -> bool:
    """Whether a package of the image keeps its version whatever a project wants."""
    return name in FIRM or name.startswith("apache-airflow")


def without_other_airflow(text: str) -> tuple[str, list[int]]:
    """The text without constraints of another Airflow, and the numbers of their lines, which stay empty."""
    lines = text.splitlines()
    numbers = [line.number for line in entries(text) if OTHER_AIRFLOW.fullmatch(line.text)]
    return "".join(f"{'' if at in numbers else line}\n" for at, line in enumerate(lines, start=1)), numbers


def refused(lines: Iterable[Line], present: Mapping[str, str]) -> list[str]:
    """A sentence for each line that wants another version of what stays as it is."""
    sentences = []
    for line in lines:
        try:
            wanted = Requirement(line.text.partition(" --")[0].rstrip("\\ "))
        except InvalidRequirement:
            # An option, an address, or a fault that uv tells better.
            continue
        name = canonicalize_name(wanted.name)
        if not is_firm(name) or name not in present or (wanted.marker and not wanted.marker.evaluate()):
            continue
        if not wanted.specifier.contains(present[name], prereleases=True):
            sentences.append(f"line {line.number}: {line.text}, but Airflow here needs {name} {present[name]}")
    return sentences


def needs(present: Mapping[str, str]) -> str:
    """What a project may not break, as requirements: all that the image has, the firm ones in their version."""
    # This one is compiled: to know what another version of it needs would take a compiler, and it needs nothing.
    named = {name: version for name, version in present.items() if name != "mysqlclient"}
    return "".join(f"{name}=={version}\n" if is_firm(name) else f"{name}\n" for name, version in sorted(named.items()))


def preferences(present: Mapping[str, str], tested: str) -> str:
    """The versions that uv takes where nothing wants another: those of the image, then those that were tested."""
    pins = dict(entry.text.split("==", 1) for entry in entries(tested))
    chosen = {canonicalize_name(name): version for name, version in pins.items()} | dict(present)
    return "".join(f"{name}=={version}\n" for name, version in sorted(chosen.items()))


def uv(*arguments: str | Path) -> None:
    """Run `uv pip`. Raises ProblemError with what it says."""
    done = subprocess.run(["uv", "pip", *map(str, arguments)], check=False, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise ProblemError(done.stderr.strip())


def resolve(requirements: Path, present: Mapping[str, str]) -> Path:
    """A file beside the requirements with the version of each package that fits to all."""
    needed, lock = requirements.with_name("needs.txt"), requirements.with_name("lock.txt")
    needed.write_text(needs(present), encoding="utf-8")
    # uv prefers what the file holds that it is about to write.
    lock.write_text(preferences(present, TESTED.read_text(encoding="utf-8")), encoding="utf-8")
    options = (*TARGET, "--quiet", "--no-header", "--no-annotate")
    try:
        uv("compile", requirements, WANTED, needed, "--output-file", lock, *options)
    except ProblemError as problem:
        if NO_SOLUTION not in str(problem):
            raise
        reason = "They do not fit to what Airflow itself needs, or to each other:"
        raise ProblemError(f"{reason}\n{problem}\n{WAY_OUT}") from problem
    return lock


def install(requirements: Path, hashes: bool) -> None:
    """Install them. Raises ProblemError with the reason when that cannot be."""
    present = installed()
    if sentences := refused(entries(requirements.read_text(encoding="utf-8")), present):
        raise ProblemError("\n".join([*sentences, WAY_OUT]))
    constraints = PINS if hashes else [resolve(requirements, present)]
    options = ["--require-hashes"] if hashes else []
    limits = [word for file in constraints for word in ("-c", file)]
    uv("install", "--quiet", "--compile-bytecode", *options, "-r", requirements, *limits)
    uv("check", "--quiet")
    report(present, installed())


def report(before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """Say which packages of the image have another version now."""
    moved = [f"{name} {before[name]} -> {after[name]}" for name in sorted(before) if after.get(name) != before[name]]
    if moved:
        say(f"Airflow was not tested with these versions, but allows them: {', '.join(moved)}")


def main(arguments: list[str]) -> int:
    """Install them; 1 with the reason when that cannot be."""
    file = Path(arguments[0])
    try:
        text, left_out = without_other_airflow(text_of(file))
        for number in left_out:
            say(f"{file.name}, line {number}: left out, these are the constraints of another Airflow")
        if entries(text):
            with tempfile.TemporaryDirectory() as folder:
                # uv names the file in its messages.
                requirements = Path(folder) / file.name
                requirements.write_text(text, encoding="utf-8")
                install(requirements, wants_hashes(text))
    except ProblemError as problem:
        say(f"{file.name} cannot be installed:\n{problem}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
