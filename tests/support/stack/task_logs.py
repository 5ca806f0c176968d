# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Task logs in the stack's bucket, and how often the load DAG says there that it executed a task."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from ansible_collections.sm2a.airflow.tests.support.stack.poll import poll
from ansible_collections.sm2a.airflow.tests.support.stack.settings import NAME

STORED_SECONDS = 60


def run_logs(aws: Callable[[str], Any], run: str, wanted: int) -> dict[str, str]:
    """Key -> text of the task logs of a DAG run: once there are ``wanted``, or what there is when a minute is over.

    A worker stores the log a moment after Airflow knows that the task succeeded.
    """
    return poll(lambda: _read(aws("s3"), run), STORED_SECONDS, lambda found: len(found) >= wanted)


def _read(s3: Any, run: str) -> dict[str, str]:
    (bucket,) = [entry["Name"] for entry in s3.list_buckets()["Buckets"] if entry["Name"].startswith(f"{NAME}-logs-")]
    keys = [
        entry["Key"]
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="airflow/")
        for entry in page.get("Contents", [])
        if f"run_id={run}/" in entry["Key"]
    ]
    return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode() for key in keys}


def executions(logs: Iterable[str]) -> Counter[str]:
    """How often each index was executed. Each execution leaves a line, also one that Airflow would not count."""
    return Counter(re.findall(r"sm2a_load executed index=(\d+)", "\n".join(logs)))
