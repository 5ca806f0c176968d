# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Run ``ansible-test sanity`` on the collection, offline and without touching the caller's home.

ansible-test insists on three things that a checkout does not have: a path ``.../ansible_collections/sm2a/airflow``
with a git repository of its own, the collections that ours imports beside it, and get-pip.py. This program makes them
in a cache directory, copies the files that git knows or would add, and hands over. Only differing files are copied,
so that a second run reuses every environment that ansible-test made (they are keyed by its own pins).
"""

from __future__ import annotations

import argparse
import filecmp
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import ansible_collections
import uv
from ansible_test._util.target.common.constants import CONTROLLER_PYTHON_VERSIONS

PROJECT = Path(__file__).resolve().parent.parent
# Not Ansible content: programs for containers, their DAGs and the tools of this repository. ruff and mypy judge them.
OTHER_TESTS = (
    "tests/unit/",
    "tests/integration/",
    "tests/live/",
    "tests/benchmarks/",
    "tests/control_plane/",
    "tests/faults/",
    "tests/audit/",
    "tests/collection/",
    "tests/support/",
)
APART = ("collections/", "docker/", "dags/", "tools/", *OTHER_TESTS)
# What uv may need of the caller's environment.
FOR_UV = ("UV_", "SSL_CERT_")
# The versions of pip that ansible-test of ansible-core 2.19 and 2.21 ask for.
GET_PIP = ("get_pip_24_2.py", "get_pip_25_2.py")


def collection_files() -> list[str]:
    """Files of the collection, relative to the project: tracked ones and new ones that are not ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True).stdout.split("\0")
    return sorted({name for name in names if name and not name.startswith(APART) and (PROJECT / name).is_file()})


def mirror(names: list[str], target: Path) -> None:
    """Make ``target`` a git work tree that holds exactly ``names``, copying only what differs."""
    if not (target / ".git").exists():
        target.mkdir(parents=True, exist_ok=True)
        subprocess.run(["git", "init", "--quiet"], cwd=target, check=True)
    known = subprocess.run(["git", "ls-files", "-z"], cwd=target, check=True, capture_output=True, text=True).stdout
    for stale in set(known.split("\0")) - set(names) - {""}:
        (target / stale).unlink(missing_ok=True)
    for name in names:
        source, copy = PROJECT / name, target / name
        if not (copy.is_file() and filecmp.cmp(source, copy, shallow=False) and _mode(source) == _mode(copy)):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy)
    subprocess.run(["git", "add", "--all"], cwd=target, check=True)


def _mode(path: Path) -> bool:
    return os.access(path, os.X_OK)


def link_dependencies(root: Path) -> None:
    """Put amazon.aws, as installed in this environment, beside the collection."""
    for installed in ansible_collections.__path__:
        source, link = Path(installed) / "amazon", root / "amazon"
        if source.is_dir() and source.resolve().parent != root.resolve():
            if link.is_symlink():
                link.unlink()
            link.symlink_to(source)
            return
    raise SystemExit("amazon.aws is not installed in this environment: run `make test-tools`.")


def seed_home(home: Path) -> dict[str, str]:
    """A home for ansible-test that holds the stand-in for get-pip.py; returns the environment to run with."""
    cache = home / ".ansible/test/cache"
    cache.mkdir(parents=True, exist_ok=True)
    for name in GET_PIP:
        shutil.copyfile(PROJECT / "tools/pip_through_uv.py", cache / name)
    kept = {
        name: value for name, value in os.environ.items() if name.startswith(FOR_UV) or name.lower().endswith("_proxy")
    }
    real = {"XDG_CONFIG_HOME": ".config", "XDG_CACHE_HOME": ".cache", "XDG_DATA_HOME": ".local/share"}
    kept |= {name: os.environ.get(name, str(Path.home() / path)) for name, path in real.items()}
    # A module that Python compiles at its first import may warn on standard error, which fails the changelog test.
    kept["UV_COMPILE_BYTECODE"] = "1"
    kept["UV"] = uv.find_uv_bin()
    (cache / "uv_environment.json").write_text(json.dumps(kept), encoding="utf-8")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # for shellcheck
    return {**os.environ, "HOME": str(home), "LC_ALL": "C.UTF-8", "PATH": path}


def main() -> int:
    """Parse the command line, prepare the copy, run the tests; ansible-test's exit code is ours."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--cache", type=Path, default=PROJECT / ".cache/sanity", help="where the copy and its environments live"
    )
    parser.add_argument("arguments", nargs="*", help="passed to ansible-test sanity, such as --test validate-modules")
    options, passed = parser.parse_known_args()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if version not in CONTROLLER_PYTHON_VERSIONS:
        raise SystemExit(f"ansible-test of this environment does not run on Python {version}.")
    root = options.cache.resolve() / "ansible_collections"
    target = root / "sm2a/airflow"
    mirror(collection_files(), target)
    link_dependencies(root)
    environment = seed_home(options.cache.resolve() / "home")
    command = [
        str(Path(sys.executable).parent / "ansible-test"),
        "sanity",
        "--local",
        "--python",
        version,
        "--color",
        "no",
    ]
    return subprocess.call([*command, *options.arguments, *passed], cwd=target, env=environment)


if __name__ == "__main__":
    sys.exit(main())
