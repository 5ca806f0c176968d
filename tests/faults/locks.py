# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The run lock of the environment under test, as S3 has it."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.sm2a.airflow.tests.faults.conftest import Bench
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs

BUCKET = f"{runs.NAME}-run-lock-000000000000"
KEY = "run-lock.json"


def lock_of(bench: Bench) -> dict[str, Any] | None:
    """The lock as S3 has it."""
    s3 = bench.client("s3")
    try:
        holder: dict[str, Any] = json.loads(s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read())
    except (s3.exceptions.NoSuchKey, s3.exceptions.NoSuchBucket):
        return None
    return holder


def move_elsewhere(bench: Bench, **members: Any) -> None:
    """Have the lock held by the same run on another machine."""
    holder = {**(lock_of(bench) or {}), "host": "build7", "machine": "other", **members}
    bench.client("s3").put_object(Bucket=BUCKET, Key=KEY, Body=json.dumps(holder).encode())
