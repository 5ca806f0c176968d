# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Installs a project in a container of the Airflow image, by the very commands of its Dockerfile, and uses it."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.sm2a.airflow.plugins.module_utils.containers.engine import Engine, system_environment
from ansible_collections.sm2a.airflow.tests.projects.sets import ProjectSet
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tests.unit.images.downloads import instructions

DOCKERFILE = PROJECT / "docker/airflow/Dockerfile"
LISTS = "/opt/airflow/project"
# The machine's own certificates, as the role images hands them to a build.
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
# The build arguments of the Dockerfile, none of which is given.
ARGUMENTS = ("EXTRA_PACKAGES", "INDEX_URL", "REQUIRE_HASHES")
AS_THE_USER = ("setpriv", "--reuid", "50000", "--regid", "50000", "--clear-groups", "env", "HOME=/tmp/home")
PROGRAM = """
import json, resource, subprocess, sys, time
install, check, user = json.loads(sys.argv[1])
def size():
    return int(subprocess.check_output(["du", "-sxm", "--exclude=/proc", "--exclude=/sys", "/"]).split()[0])
def cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
def done(*command):
    made = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    if made.returncode:
        print(json.dumps({"problem": made.stdout[-3000:]}))
        sys.exit()
before, started, used = size(), time.monotonic(), cpu()
for command in install:
    done("/bin/sh", "-c", command)
told = {"seconds": time.monotonic() - started, "of_cpu": cpu() - used, "mebibytes": size() - before}
done(*user, "/bin/sh", "-eu", "-c", check)
done(*user, "python", "-m", "sm2a_runtime.import_test")
print(json.dumps(told))
"""


@dataclass(frozen=True)
class Outcome:
    """How long it took, on the clock and of the processors, and how much larger the image is.

    ``problem`` is why it failed, "" when it did not.
    """

    seconds: float = 0
    of_cpu: float = 0
    mebibytes: int = 0
    problem: str = ""


def install_commands() -> list[str]:
    """The shell commands of the Dockerfile that install a project's Debian and Python packages."""
    runs = [text for name, text in instructions(DOCKERFILE.read_text(encoding="utf-8")) if name == "RUN"]
    wanted = [
        re.sub(r"^(--\S+\s+)+", "", text)
        for text in runs
        if re.search(r"sm2a_runtime\.project\.(packages|requirements)\b", text)
    ]
    assert len(wanted) == 2, wanted
    return wanted


def install(engine: Engine, image: str, project: ProjectSet, cache: Path) -> Outcome:
    """Do it in a container that is gone afterwards. ``cache`` is uv's, as a build keeps it."""
    with tempfile.TemporaryDirectory(prefix="sm2a-project-") as directory:
        project.write(Path(directory))
        mounts = {
            f"{directory}/packages.txt": f"{LISTS}/packages.txt:ro",
            f"{directory}/requirements.txt": f"{LISTS}/requirements.txt:ro",
            str(PROJECT / "docker/airflow"): "/build:ro",
            str(cache): "/var/cache/uv",
        }
        if CERTIFICATES.is_file():
            mounts[str(CERTIFICATES)] = "/run/secrets/ca_bundle:ro"
        command = [engine.kind, "run", "--rm", "--user", "0:0", "--network", "host"]
        command += [word for source, target in mounts.items() for word in ("--volume", f"{source}:{target}")]
        command += [word for name in ARGUMENTS for word in ("--env", f"{name}=")]
        given = json.dumps([install_commands(), project.check, AS_THE_USER])
        done = subprocess.run(
            [*command, image, "python", "-c", PROGRAM, given],
            env=system_environment(engine.environment),
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        return Outcome(problem=done.stderr[-3000:])
    return Outcome(**json.loads(done.stdout.splitlines()[-1]))
