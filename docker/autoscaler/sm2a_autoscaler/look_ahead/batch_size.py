# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""How much is asked for at once, so that a query that was too much for the database is not sent again as it was."""

from __future__ import annotations


class Batch:
    """``size`` items at most: after a failure half of those that were asked for, after each success twice as many."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.size = most

    def succeeded(self) -> None:
        """The query was answered."""
        self.size = min(self._most, 2 * self.size)

    def failed(self, asked: int) -> None:
        """A query for so many items was not answered."""
        self.size = max(1, asked // 2)
