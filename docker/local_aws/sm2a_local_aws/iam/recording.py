# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Every right that was asked for, as lines of JSON in a file: what a whole run of a playbook needs.

Read back, the lines are requests that can be evaluated against other policies.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sm2a_local_aws.iam.policy.evaluation import Decision, Request

_lock = threading.Lock()


def write(file: Path, caller: str, request: Request, decision: Decision | None) -> None:
    """Append one right; no decision stands for a caller whom no policy binds."""
    line = {
        "caller": caller,
        "action": request.action,
        "resource": request.resource,
        "context": dict(request.context),
        "decision": decision.verdict.value if decision else "administrator",
        "reason": decision.reason if decision else "",
    }
    with _lock, file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(line) + "\n")


def read(file: Path) -> Iterator[tuple[str, Request, dict[str, Any]]]:
    """(caller, request, the whole line) of every right in the file."""
    for text in file.read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        yield line["caller"], Request.of(line["action"], line["resource"], line["context"]), line
