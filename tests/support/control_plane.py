# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A local AWS without containers, and runs of this project's playbooks against it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from ansible_collections.sm2a.airflow.tests.support.ports import free_port
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT

HERE = PROJECT / "tests/control_plane"
ARTIFACTS = PROJECT / "artifacts"
NAME = "cp"
REGION = "eu-west-1"
# The credentials of inventory.yml.
ACCESS_KEY, SECRET_KEY = "local-aws", "the-local-aws-accepts-any-key"
START_SECONDS = 60
# What teardown needs to remove an environment with the default protection.
DESTROY: dict[str, Any] = {
    "database_deletion_protection": False,
    "database_skip_final_snapshot": True,
    "load_balancer_deletion_protection": False,
    "storage_force_destroy": True,
    "images_force_delete": True,
    "secrets_destroy_kms_key": True,
}
# Of a group of workers.
GROUP_SIZE = {"cpu": 1024, "memory": 2048, "concurrency": 4, "min": 1, "max": 4}
DEFAULT_GROUP = {"name": "default", "queue": "default", **GROUP_SIZE}
# An engineer's next change: something in every role that has something to change without being replaced. A worker group
# beside the default one goes.
NEXT_CHANGE: dict[str, Any] = {
    "airflow_worker_groups": [DEFAULT_GROUP],
    "broker_purge_queues": True,
    "broker_visibility_timeout": 1800,
    "broker_task_queued_timeout": 2400,
    "cluster_log_retention_in_days": 60,
    "database_engine_version": "18",
    "database_allow_major_version_upgrade": True,
    "database_apply_immediately": True,
    "load_balancer_allowed_cidrs": ["192.0.2.0/24"],
    "airflow_config": {"core": {"parallelism": 64}},
}


@dataclass(frozen=True)
class PlaybookRun:
    """How one ansible-playbook ended. ``results``: a dict a task (task, action, status, msg, diff), in order."""

    code: int
    seconds: float
    output: str
    results: list[dict[str, Any]] = field(repr=False)

    def tasks(self, status: str) -> list[str]:
        """Names of the tasks that ended so: ok, changed, failed, ignored."""
        return [str(result["task"]) for result in self.results if result["status"] == status]

    @property
    def changed(self) -> list[str]:
        """Names of the tasks that changed something."""
        return self.tasks("changed")

    @property
    def message(self) -> str:
        """What the last failed task said; empty when none failed."""
        failures = [result for result in self.results if result["status"] == "failed"]
        return str(failures[-1].get("msg", "")) if failures else ""

    @property
    def summary(self) -> list[str]:
        """The lines at the end about what changed."""
        said = [result for result in self.results if str(result["task"]).startswith("Say what changed")]
        return [str(line) for line in said[-1]["msg"]] if said else []

    def end(self, lines: int = 60) -> str:
        """The last lines of the output, for a failure's message."""
        return "\n".join(self.output.splitlines()[-lines:])


@dataclass(frozen=True)
class ControlPlane:
    """One local AWS. ``directory`` takes the logs of the runs."""

    endpoint: str
    directory: Path

    def client(self, service: str, endpoint: str | None = None) -> Any:
        """A plain boto3 client."""
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=endpoint or self.endpoint,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
        )

    def reset(self) -> None:
        """Forget every resource."""
        _ask(self.endpoint, "POST", "/_ministack/reset")

    def play(
        self,
        playbook: str,
        *options: str,
        extra: Mapping[str, Any] | None = None,
        endpoint: str | None = None,
        watch: Callable[[subprocess.Popen[bytes]], None] | None = None,
        timeout: float = 600,
    ) -> PlaybookRun:
        """Run ``playbooks/<playbook>.yml`` on inventory.yml with ``extra`` variables.

        ``endpoint`` is another address of the same AWS, such as a proxy's. ``watch`` is called with the process; it may
        end it with ``kill``.
        """
        serial = len(list(self.directory.glob("*.log"))) + 1
        base = self.directory / f"{serial:02}-{playbook}"
        results, log, variables = (base.with_suffix(suffix) for suffix in (".jsonl", ".log", ".json"))
        results.touch()
        given = {"sm2a_endpoint_url": endpoint or self.endpoint, **(extra or {})}
        variables.write_text(json.dumps(given), encoding="utf-8")
        tools = Path(sys.executable).parent
        # Programs that a shell starts in the background ignore SIGINT, and so would theirs.
        start = ["env", "--default-signal=INT", str(tools / "ansible-playbook")]
        command = [*start, "-i", str(HERE / "inventory.yml"), f"playbooks/{playbook}.yml"]
        started = time.monotonic()
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*command, "-e", f"@{variables}", *options],
                cwd=PROJECT,
                env=playbook_environment(results),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            try:
                if watch:
                    watch(process)
                code = process.wait(timeout)
            finally:
                kill(process)
        return PlaybookRun(
            code=code,
            seconds=round(time.monotonic() - started, 1),
            output=log.read_text(encoding="utf-8", errors="replace"),
            results=[json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()],
        )


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a run, its workers and what watches it at once, as a machine that loses power does."""
    if process.poll() is None:
        # The playbook first, which would start more workers. They lead sessions of their own.
        os.kill(process.pid, signal.SIGSTOP)
        for pid in {*descendants(process.pid), *watchers(process.pid), process.pid}:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(timeout=30)


def state(pid: int) -> str:
    """R, S, Z and so on, as Linux calls the state of a process; empty when it is gone."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]
    return ""


def watchers(pid: int) -> set[int]:
    """Process ids with the environment of a run, which is its own: the watcher of its lock is nobody's child."""
    own = Path(f"/proc/{pid}/environ").read_bytes()
    found = set()
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if own and environment.read_bytes() == own:
                found.add(int(environment.parent.name))
    return found


def descendants(ancestor: int) -> list[int]:
    """Process ids of the children of a process, their children and so on."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text(errors="replace").rpartition(")")[2].split()[1])
    found = [ancestor]
    for parent in found:
        found.extend(pid for pid, of in parents.items() if of == parent)
    return found[1:]


def playbook_environment(results: Path) -> dict[str, str]:
    """The environment of ansible-playbook, without the caller's own AWS settings."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_"))}
    tools = Path(sys.executable).parent
    return {
        **clean,
        "PATH": f"{tools}:{os.environ['PATH']}",
        "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "plugins/callback"),
        "ANSIBLE_CALLBACKS_ENABLED": "recorded_results",
        "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
        "ANSIBLE_NOCOLOR": "1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "SM2A_RESULTS": str(results),
    }


@contextmanager
def control_plane(directory: Path, *more: str) -> Iterator[ControlPlane]:
    """Serve a local AWS without containers on a free port until the end of the block; ``more`` are options of it."""
    port = free_port()
    log = directory / "local_aws.txt"
    options = ["--control-plane-only", "--name", f"control-plane-{port}", "--port", str(port), *more]
    command = [sys.executable, "-m", "sm2a_local_aws", "serve", *options, "--state-directory", str(directory / "aws")]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
    try:
        endpoint = f"http://127.0.0.1:{port}"
        _wait_until_it_answers(endpoint, process, log)
        yield ControlPlane(endpoint, directory)
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ask(endpoint: str, method: str, path: str) -> None:
    connection = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=30)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status}")
    finally:
        connection.close()


def _wait_until_it_answers(endpoint: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            _ask(endpoint, "GET", "/_ministack/health")
            return
        except (http.client.HTTPException, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"The local AWS did not start:\n{log.read_text(errors='replace')[-2000:]}")
