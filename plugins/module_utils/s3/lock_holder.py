# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Who holds a run lock: a process of a machine, and the job of AWX or Automation Platform that it belongs to."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from ansible_collections.sm2a.airflow.plugins.module_utils.common.processes import machine, process_start


@dataclass(frozen=True)
class Job:
    """A job of AWX or Automation Platform; ``controller`` is its address, 0 and empty what the controller does not say.

    ``allow_simultaneous`` is that option of the job's template.
    """

    id: int
    user: str = ""
    template_id: int = 0
    template: str = ""
    workflow_id: int = 0
    controller: str = ""
    allow_simultaneous: bool = True

    @property
    def url(self) -> str:
        """Where its output is; empty when the controller's address is unknown."""
        return f"{self.controller}/#/jobs/playbook/{self.id}" if self.controller else ""

    def follows(self, earlier: Job) -> bool:
        """Whether the controller starts this job only when the earlier one has ended.

        That is so for jobs of one template that do not run simultaneously. A controller numbers its jobs in order.
        Without an address nobody knows whether both are of one controller.
        """
        simultaneous = self.allow_simultaneous or earlier.allow_simultaneous
        template = (self.controller, self.template_id)
        same = bool(self.controller and self.template_id) and template == (earlier.controller, earlier.template_id)
        return same and not simultaneous and earlier.id < self.id

    def __str__(self) -> str:
        template = f' of template "{self.template}"' if self.template else ""
        workflow = f" in workflow job {self.workflow_id}" if self.workflow_id else ""
        return f"job {self.id}{template}{workflow}{f', {self.url}' if self.url else ''}"


@dataclass(frozen=True)
class Holder:
    """A run of a playbook. ``machine`` and ``process_start`` tell whether ``pid`` still is that process."""

    id: str
    user: str
    host: str
    machine: str
    pid: int
    process_start: str
    playbook: str
    timeout_seconds: int
    job: Job | None = None

    def same_process(self, other: Holder) -> bool:
        """Whether both are one and the same ansible-playbook."""
        return (self.machine, self.pid, self.process_start) == (other.machine, other.pid, other.process_start)

    def __str__(self) -> str:
        if self.job:
            return f"{self.job.user or 'nobody in particular'} ({self.job}, playbook {self.playbook})"
        return f"{self.user}@{self.host} (process {self.pid}, playbook {self.playbook})"


Record = TypeVar("Record", Holder, Job)


def holder_from(members: Mapping[str, Any]) -> Holder:
    """A holder of its members as JSON has them; those that another version of this collection wrote are left out."""
    job = members.get("job")
    return _record(Holder, {**members, "job": _record(Job, job) if isinstance(job, Mapping) else None})


def _record(kind: type[Record], members: Mapping[str, Any]) -> Record:
    known = {field.name for field in fields(kind)}
    return kind(**{name: value for name, value in members.items() if name in known})


def this_run(pid: int, playbook: str, job: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Who wants the lock: the ansible-playbook with this process id, on this machine."""
    return {
        "user": _user(),
        "host": socket.gethostname(),
        "machine": machine(),
        "pid": pid,
        "process_start": process_start(pid),
        "playbook": playbook,
        "job": dict(job) if job else None,
    }


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # A container may run under a number that has no name.
        return str(os.getuid())
