# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A lock that is one S3 object: conditional writes make S3 decide who holds it.

The object is written only when there is none (``If-None-Match: *``), or in the place of exactly the one that was read
(``If-Match``). Each try carries an id of its own, so that a write whose reply was lost is recognized afterwards. Ages
are differences between times of S3, whatever the clocks of the machines say.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

with suppress(ImportError):  # AnsibleAWSModule reports the missing library.
    from botocore.exceptions import ClientError

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call
from ansible_collections.sm2a.airflow.plugins.module_utils.common.processes import is_running, machine
from ansible_collections.sm2a.airflow.plugins.module_utils.s3.lock_holder import Holder, holder_from

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

    def why_stale(self, wanted: Holder) -> str:
        """Why it no longer counts for the run that wants it; empty when it does."""
        if self.age_seconds > self.holder.timeout_seconds:
            return f"it expired at {_time(self.until)}"
        if self.holder.machine == machine() and not is_running(self.holder.pid, self.holder.process_start):
            return f"process {self.holder.pid} on this machine is no longer running"
        if wanted.job and self.holder.job and wanted.job.follows(self.holder.job):
            return f"job {self.holder.job.id} has ended: the jobs of its template run one after another"
        return ""

    def view(self) -> dict[str, Any]:
        """What modules return."""
        shown = {key: value for key, value in asdict(self.holder).items() if key not in ("machine", "process_start")}
        times = {"since": self.since.isoformat(), "until": self.until.isoformat()}
        return {**shown, **times, "description": str(self)}

    def __str__(self) -> str:
        return f"{self.holder} since {_time(self.since)}, at most until {_time(self.until)}"


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


@call("read the run lock", missing=("NoSuchKey", *NO_BUCKET))
def read(s3: Any, bucket: str, key: str) -> Lock | None:
    """The lock; None if no run holds it."""
    answer = s3.get_object(Bucket=bucket, Key=key)
    since: datetime = answer["LastModified"]
    now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    holder = holder_from(json.loads(answer["Body"].read()))
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
    """Get the lock for ``wanted``, a Holder's members but for its id; returns it and the stale one that it replaced.

    A run that holds it already gets it anew. AnsibleAWSError, naming the holder, when another run holds it.
    """
    mine = holder_from({**wanted, "id": uuid.uuid4().hex})
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
        if not again and not found.why_stale(mine):
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
