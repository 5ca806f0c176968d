# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A lock that is one S3 object: conditional writes make S3 decide who holds it.

The object is written only when there is none (``If-None-Match: *``), or in the place of exactly the one that was read
(``If-Match``). Each try carries an id of its own, so that a write whose reply was lost is recognized afterwards. Ages
are differences between times of S3, whatever the clocks of the machines say.
"""

from __future__ import annotations

import getpass
import json
import os
import socket
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

with suppress(ImportError):  # AnsibleAWSModule reports the missing library.
    from botocore.exceptions import ClientError

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call

# Where the lock is, as AnsibleModule wants the options.
PLACE_OPTIONS: dict[str, dict[str, Any]] = {
    "bucket": {"type": "str", "required": True},
    "key": {"type": "str", "default": "run-lock.json", "no_log": False},
}
NO_BUCKET = ("NoSuchBucket",)
# Somebody was faster: the object is there, or is no longer the one that was read, or is being written just now.
OUTRUN = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412", "409")
# Locks that change hands while one tries to get them.
TRIES = 10


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

    def same_process(self, other: Holder) -> bool:
        """Whether both are one and the same ansible-playbook."""
        return (self.machine, self.pid, self.process_start) == (other.machine, other.pid, other.process_start)


@dataclass(frozen=True)
class Lock:
    """A lock as S3 has it; ``age_seconds`` by the clock of S3."""

    holder: Holder
    etag: str
    since: datetime
    age_seconds: float

    @property
    def until(self) -> datetime:
        """When it expires."""
        return self.since + timedelta(seconds=self.holder.timeout_seconds)

    @property
    def why_stale(self) -> str:
        """Why it no longer counts; empty when it does."""
        if self.age_seconds > self.holder.timeout_seconds:
            return f"it expired at {_time(self.until)}"
        if self.holder.machine == machine() and not is_running(self.holder.pid, self.holder.process_start):
            return f"process {self.holder.pid} on this machine is no longer running"
        return ""

    def view(self) -> dict[str, Any]:
        """What modules return."""
        shown = {key: value for key, value in asdict(self.holder).items() if key not in ("machine", "process_start")}
        return {**shown, "since": self.since.isoformat(), "until": self.until.isoformat()}

    def __str__(self) -> str:
        who = f"{self.holder.user}@{self.holder.host} (process {self.holder.pid}, playbook {self.holder.playbook})"
        return f"{who} since {_time(self.since)}, at most until {_time(self.until)}"


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def machine() -> str:
    """What tells apart machines, their boots and their containers: a process id means something only in one of them."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}:{Path('/proc/self/ns/pid').stat().st_ino}"
    return f"{socket.gethostname()}:{uuid.getnode():x}"


def process_start(pid: int) -> str:
    """When a process started, in the system's own unit; empty where the system does not tell."""
    with suppress(OSError):
        # The command's name, in parentheses, may contain spaces.
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    return ""


def is_running(pid: int, start: str) -> bool:
    """Whether the process that was started then still runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return process_start(pid) == start


def this_run(pid: int, playbook: str) -> dict[str, Any]:
    """Who wants the lock: the ansible-playbook with this process id, on this machine."""
    return {
        "user": _user(),
        "host": socket.gethostname(),
        "machine": machine(),
        "pid": pid,
        "process_start": process_start(pid),
        "playbook": playbook,
    }


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # A container may run under a number that has no name.
        return str(os.getuid())


@call("read the run lock", missing=("NoSuchKey", *NO_BUCKET))
def read(s3: Any, bucket: str, key: str) -> Lock | None:
    """The lock; None if no run holds it."""
    answer = s3.get_object(Bucket=bucket, Key=key)
    since: datetime = answer["LastModified"]
    now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    holder = Holder(**json.loads(answer["Body"].read()))
    return Lock(holder, answer["ETag"], since, (now - since).total_seconds())


@call("write the run lock")
def _write(s3: Any, bucket: str, key: str, holder: Holder, **condition: str) -> bool:
    """Whether the lock was written; the condition is IfNoneMatch or IfMatch."""
    body = json.dumps(asdict(holder), indent=2).encode()
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json", **condition)
    except ClientError as error:
        if error.response["Error"]["Code"] in OUTRUN:
            return False
        raise
    return True


def acquire(s3: Any, bucket: str, key: str, wanted: Mapping[str, Any]) -> tuple[Lock, Lock | None]:
    """Get the lock for the Holder ``wanted`` (without id); returns it and the stale one that it replaced, if any.

    A run that holds it already gets it anew. AnsibleAWSError, naming the holder, when another run holds it.
    """
    mine = Holder(id=uuid.uuid4().hex, **wanted)
    replaced: Lock | None = None
    condition = {"IfNoneMatch": "*"}
    for _attempt in range(TRIES):
        written = _write(s3, bucket, key, mine, **condition)
        found: Lock | None = read(s3, bucket, key)
        # A write is repeated after a lost reply, and refused then because of what it wrote itself.
        if found and found.holder.id == mine.id:
            return found, replaced
        if written and not found:
            raise AnsibleAWSError(
                message=f"The run lock disappeared from bucket {bucket} right after it was written: run again"
            )
        if not found:
            condition, replaced = {"IfNoneMatch": "*"}, None
            continue
        again = found.holder.same_process(mine)
        if not again and not found.why_stale:
            raise AnsibleAWSError(message=f"Another run is changing this environment: {found}")
        condition, replaced = {"IfMatch": found.etag}, None if again else found
    raise AnsibleAWSError(
        message=f"The run lock in bucket {bucket} was taken by other runs repeatedly: try again later"
    )


@call("delete the run lock", missing=(*OUTRUN, *NO_BUCKET))
def delete(s3: Any, bucket: str, key: str, lock: Lock) -> None:
    """Delete exactly this lock; one that somebody took over in the meantime stays."""
    s3.delete_object(Bucket=bucket, Key=key, IfMatch=lock.etag)


@call("empty the bucket of the run lock", missing=NO_BUCKET)
def delete_old_versions(s3: Any, bucket: str) -> None:
    """Delete everything but the current versions for ever: locks that were released or taken over."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        entries = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        old = [entry for entry in entries if not (entry["IsLatest"] and "Size" in entry)]
        if old:
            objects = [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in old]
            s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
