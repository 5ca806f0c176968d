# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Adaptive batch size: a query that was too large for the database is not repeated at the same size."""

from __future__ import annotations


class Batch:
    """At most ``size`` items per query: halved after a failure, doubled after each success up to ``most``."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.size = most

    def succeeded(self) -> None:
        """Record that a query succeeded."""
        self.size = min(self._most, 2 * self.size)

    def failed(self, asked: int) -> None:
        """Record that a query for ``asked`` items failed."""
        self.size = max(1, asked // 2)
