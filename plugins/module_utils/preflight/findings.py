# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the checks of an account find, and what becomes of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

PASSED, PROBLEM, WARNING, IGNORED, NOT_CHECKED = "passed", "problem", "warning", "ignored", "not checked"


@dataclass(frozen=True)
class Finding:
    """One sentence or two of one check. ``certain``: the run would stop at it; otherwise it may turn out well."""

    check: str
    message: str
    certain: bool = True

    def view(self) -> dict[str, str]:
        """As the module returns it."""
        return {"check": self.check, "message": self.message}


@dataclass(frozen=True)
class Unread:
    """Checks that could not be made, and why."""

    checks: tuple[str, ...]
    reason: str


def conclude(
    made: Sequence[str], findings: Iterable[Finding], unread: Iterable[Unread], ignored: Sequence[str]
) -> dict[str, Any]:
    """The result of the module: problems, warnings and how each of the checks that were ``made`` ended.

    What would stop the run is a problem, unless its check is ``ignored``. What could not be read is one warning a
    reason, whatever the number of checks that needed it. (Ansible keeps ``warnings`` of a result for its own: here they
    are notices.)
    """
    checks = dict.fromkeys(made, PASSED)
    problems, notices = [], []
    for finding in sorted(findings, key=lambda one: made.index(one.check)):
        if finding.certain and finding.check not in ignored:
            problems.append(finding.view())
            checks[finding.check] = PROBLEM
            continue
        notices.append(finding.view())
        if checks[finding.check] != PROBLEM:
            checks[finding.check] = IGNORED if finding.certain else WARNING
    for reason, names in _by_reason(unread).items():
        message = f"Not checked: {', '.join(names)}. {reason}"
        notices.append({"check": names[0], "message": message})
        checks.update({name: NOT_CHECKED for name in names if checks[name] == PASSED})
    return {"changed": False, "problems": problems, "notices": notices, "checks": checks}


def _by_reason(unread: Iterable[Unread]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in unread:
        names = found.setdefault(one.reason, [])
        names += [check for check in one.checks if check not in names]
    return found
