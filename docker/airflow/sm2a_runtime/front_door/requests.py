# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What is known of the request that is being served, for code that frameworks call without it."""

from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass
class Request:
    """``client``: the address that sent it. ``attempts``: the users whose password was tried, each counted once."""

    client: str
    attempts: set[str] = field(default_factory=set)


# None outside a request, as in the command line.
current: ContextVar[Request | None] = ContextVar("current", default=None)
