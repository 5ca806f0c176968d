# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the modules of a run changed, noted by their action plugins for the summary at its end: numbers, no values.

A callback plugin would see the same results, but a controller may have its own ones only, and none of them can hand
anything to a workflow. Each task runs in a process of its own, so that the notes are lines of a file of the run.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible import constants
from ansible_collections.sm2a.airflow.plugins.plugin_utils.summary.kinds import kind_of

FILE = "sm2a-changes.jsonl"
DEEDS = ("created", "changed", "deleted")
# Kind of a resource to how many were created, changed and deleted.
Changes = dict[str, Counter[str]]


def file_of_run() -> Path:
    """In the directory that ansible-playbook has for the length of its run."""
    return Path(constants.DEFAULT_LOCAL_TMP) / FILE


def counts(result: Mapping[str, Any]) -> Counter[str]:
    """How many resources a module's result says were created, changed and deleted, by the two sides of its diffs."""
    if not result.get("changed"):
        return Counter()
    diff = result.get("diff") or {}
    pairs = [diff] if isinstance(diff, Mapping) else diff
    return Counter(_deed(pair.get("before"), pair.get("after")) for pair in pairs) or Counter(changed=1)


def _deed(before: Any, after: Any) -> str:
    if bool(before) == bool(after):
        return "changed"
    return "created" if after else "deleted"


def note(action: str, host: str, result: Mapping[str, Any]) -> None:
    """Add what a task changed on a host."""
    if found := counts(result):
        line = json.dumps({"host": host, "kind": kind_of(action), **found}) + "\n"
        # Workers write at the same time; a line is one write at the end of the file.
        descriptor = os.open(file_of_run(), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)


def changes_of(host: str) -> Changes:
    """What the run changed on a host so far, by kind."""
    found: Changes = {}
    lines = file_of_run().read_text(encoding="utf-8").splitlines() if file_of_run().is_file() else []
    for noted in map(json.loads, lines):
        if noted["host"] == host:
            deeds = {deed: noted[deed] for deed in DEEDS if deed in noted}
            found.setdefault(noted["kind"], Counter()).update(deeds)
    return dict(sorted(found.items()))
