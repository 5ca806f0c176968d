# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs jobs in the execution environment as a controller does: ansible-runner on both sides of a stream.

AWX hands a job to `ansible-runner worker` on the node (through receptor) and reads events from it; a cancel is SIGINT
to the worker, and SIGKILL ten seconds later (receptor's command worker). The worker kills the container. In a container
group the worker runs in the execution environment itself, a pod, and gets the private data directory by the stream.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ansible_runner
from ansible_collections.sm2a.airflow.tests.awx_jobs.layout import Job
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
PATIENCE_SECONDS = 10
# Output that the controller answers, with nothing where no credential has a password.
PROMPTS = {
    r"Enter passphrase for .*:\s*?$": "",
    r"Bad passphrase, try again for .*:\s*?$": "",
    r"(sudo|SUDO|BECOME) password.*:\s*?$": "",
    r"SSH password:\s*?$": "",
    r"Password:\s*?$": "",
    r"Vault password:\s*?$": "",
}
Event = Mapping[str, Any]


@dataclass
class JobRun:
    """How a job ended: AWX's status (successful, failed, canceled, error) and what it shows and keeps."""

    number: int
    status: str = "unknown"
    seconds: float = 0.0
    output: str = ""
    events: list[dict[str, Any]] = field(default_factory=list, repr=False)

    def results(self, event: str) -> list[dict[str, Any]]:
        """The data of all events of a kind."""
        return [one["event_data"] for one in self.events if one["event"] == event]

    @property
    def changed(self) -> list[str]:
        """Names of the tasks that changed something."""
        return [str(data["task"]) for data in self.results("runner_on_ok") if data["res"].get("changed")]

    @property
    def failures(self) -> list[str]:
        """What the failed tasks said."""
        failed = [data for data in self.results("runner_on_failed") if not data.get("ignore_errors")]
        return [str(data["res"].get("msg", "")) for data in failed]

    @property
    def tasks(self) -> list[str]:
        """Names of the tasks that were begun, in order."""
        return [str(data["task"]) for data in self.results("playbook_on_task_start")]

    @property
    def artifacts(self) -> dict[str, Any]:
        """What set_stats left for the following nodes of a workflow."""
        found: dict[str, Any] = {}
        for data in self.results("playbook_on_stats"):
            found |= data.get("artifact_data") or {}
        return found

    def end(self, lines: int = 60) -> str:
        """The last lines of the output, for a failure's message."""
        return "\n".join([f"job {self.number}: {self.status}", *self.output.splitlines()[-lines:]])


@dataclass(frozen=True)
class Controller:
    """Runs jobs in ``image`` with podman, as AWX does; ``directory`` takes their private data.

    ``options`` are more options of ``podman run``, AWX's setting DEFAULT_CONTAINER_RUN_OPTIONS. ``pod`` is the user and
    group of pods of a container group: a number without a name, as OpenShift chooses it.
    """

    image: str
    directory: Path
    options: Sequence[str] = ()
    pod: str = ""

    def run(self, job: Job, when: Callable[[Event, Callable[[], None]], None] | None = None) -> JobRun:
        """Run a job to its end. ``when`` sees each event and may call what it is given, the cancel."""
        private = Path(tempfile.mkdtemp(prefix=f"awx_{job.number}_", dir=self.directory))
        settings = self._settings(job, private, job.write(private))
        run, started = JobRun(job.number), time.monotonic()
        with (private / "worker.log").open("wb") as log, self._worker(private, log) as worker:
            assert worker.stdin
            assert worker.stdout
            ansible_runner.interface.run(streamer="transmit", _output=worker.stdin, **settings)
            worker.stdin.close()
            cancelled = threading.Event()

            def cancel() -> None:
                if not cancelled.is_set():
                    cancelled.set()
                    threading.Thread(target=interrupt, args=(worker,), daemon=True).start()

            def on_event(event: dict[str, Any]) -> bool:
                run.events.append(event)
                if when:
                    when(event, cancel)
                return False

            ended = ansible_runner.interface.run(
                streamer="process",
                quiet=True,
                _input=worker.stdout,
                private_data_dir=str(private),
                ident=str(job.number),
                event_handler=on_event,
            )
            worker.wait(timeout=60)
        run.status = "canceled" if cancelled.is_set() else ended.status
        run.seconds = round(time.monotonic() - started, 1)
        run.output = COLOUR.sub("", "\n".join(event["stdout"].rstrip() for event in run.events if event.get("stdout")))
        run.output = run.output.replace("\r\n", "\n")
        (private / "output.txt").write_text(run.output, encoding="utf-8")
        return run

    def _settings(self, job: Job, private: Path, environment: Mapping[str, str]) -> dict[str, Any]:
        """Arguments of ansible_runner.run that AWX transmits."""
        common: dict[str, Any] = {
            "ident": job.number,
            "private_data_dir": str(private),
            "playbook": job.playbook,
            "inventory": str(private / "inventory/hosts"),
            "passwords": PROMPTS,
            "suppress_env_files": True,
            "envvars": dict(environment),
            "fact_cache_type": "",
        }
        if self.pod:
            del common["envvars"]["HOME"]
            return common
        return {
            **common,
            # The node has the directory already.
            "only_transmit_kwargs": True,
            "container_image": self.image,
            "process_isolation": True,
            "process_isolation_executable": "podman",
            "container_options": ["--user=root", *self.options],
        }

    def _worker(self, private: Path, log: Any) -> subprocess.Popen[bytes]:
        if self.pod:
            command = ["podman", "run", "--rm", "--interactive", *self.options, f"--user={self.pod}", self.image]
            command += ["ansible-runner", "worker", "--private-data-dir=/runner"]
        else:
            command = [
                str(Path(sys.executable).parent / "ansible-runner"),
                "worker",
                "--private-data-dir",
                str(private),
            ]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=worker_environment()
        )


def worker_environment() -> dict[str, str]:
    """That of receptor on a node: nothing of the caller's own AWS settings."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_"))}
    return {**clean, "CONTAINERS_CONF": str(PROJECT / "docker/local_aws/podman/containers.conf")}


def interrupt(worker: subprocess.Popen[bytes]) -> None:
    """End the worker as receptor does."""
    worker.send_signal(signal.SIGINT)
    try:
        worker.wait(timeout=PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        worker.kill()
