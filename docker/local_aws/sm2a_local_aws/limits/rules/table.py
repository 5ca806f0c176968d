# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What a rule about the parameters of a call is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Parameters = Mapping[str, Any]
# What is wrong with the parameters, in AWS's words, or None. Where no report of AWS's words was found, they follow the
# pattern of the others.
Problem = Callable[[Parameters], "str | None"]


@dataclass(frozen=True)
class Rule:
    """A limit in some operations of a service. ``code`` is AWS's word for the refusal, ``source`` the page with it."""

    operations: tuple[str, ...]
    problem: Problem
    code: str
    source: str
