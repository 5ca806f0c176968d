# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which calls go wrong, and how: rules, applied in order, and a book of everything that was called."""

from __future__ import annotations

import random
import re
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from ansible_collections.sm2a.airflow.tests.support.fault_proxy.calls import Call

# lost: AWS does the call and the reply never arrives. reset: the call never arrives. hang: reset after a delay.
# latency: answered late. The others are errors that AWS answers with.
Kind = Literal["lost", "reset", "hang", "latency", "throttle", "server_error", "expired", "quota", "error"]


@dataclass(frozen=True)
class Rule:
    """One fault. It strikes calls whose service and action fit the patterns, with ``probability``, from 0 to 1.

    ``calls`` limits it to so many calls, or with ``each_action`` to so many of every action. ``seconds`` is the delay
    of hang and latency. ``code``, ``status`` and ``message`` are the answer of ``error``; they override that of the
    other errors.
    """

    kind: Kind
    service: str = ".*"
    action: str = ".*"
    probability: float = 1.0
    calls: int | None = None
    each_action: bool = False
    seconds: float = 0.0
    code: str = ""
    status: int = 0
    message: str = ""

    def fits(self, call: Call) -> bool:
        """Whether the patterns fit."""
        return bool(re.fullmatch(self.service, call.service) and re.fullmatch(self.action, call.action))


@dataclass(frozen=True)
class Entry:
    """A call that arrived, and the kind of fault that struck it, "" when none did."""

    call: Call
    kind: str


@dataclass
class Book:
    """Decides about each call and records it. The same seed strikes the same CreateSubnets of every run."""

    seed: int = 1
    entries: list[Entry] = field(default_factory=list)
    _rules: list[Rule] = field(default_factory=list)
    _struck: Counter[tuple[Rule, str]] = field(default_factory=Counter)
    _seen: Counter[Call] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def set(self, rules: Iterable[Rule]) -> None:
        """Replace the rules and forget what was recorded."""
        with self._lock:
            self._rules = list(rules)
            self.entries.clear()
            self._struck.clear()
            self._seen.clear()

    def decide(self, call: Call) -> Rule | None:
        """The first rule that strikes this call; None lets it through."""
        with self._lock:
            self._seen[call] += 1
            struck = next((rule for rule in self._rules if self._strikes(rule, call)), None)
            self.entries.append(Entry(call, struck.kind if struck else ""))
            return struck

    def _strikes(self, rule: Rule, call: Call) -> bool:
        if not rule.fits(call):
            return False
        counted = (rule, f"{call.service}:{call.action}" if rule.each_action else "")
        if rule.calls is not None and self._struck[counted] >= rule.calls:
            return False
        seed = f"{self.seed} {rule.kind} {call.service} {call.action} {self._seen[call]}"
        if rule.probability < 1 and random.Random(seed).random() >= rule.probability:  # noqa: S311  No cryptography.
            return False
        self._struck[counted] += 1
        return True

    def struck(self, kind: Kind) -> list[tuple[str, str]]:
        """(service, action) of the calls that this kind of fault struck, in order."""
        return [(entry.call.service, entry.call.action) for entry in self.entries if entry.kind == kind]

    def actions(self) -> Counter[tuple[str, str]]:
        """How often each (service, action) was called."""
        return Counter((entry.call.service, entry.call.action) for entry in self.entries)
