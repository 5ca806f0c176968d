# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""How long to wait after failed logins. Pure: no clock, no database.

Failures are counted for three subjects at once, and each of them can make an attempt wait: this user from this address,
this user from anywhere, this address with any user. A delay grows, but has an end: nobody is locked out for ever. Who
logged in from an address lately does not wait there for what others try with the same name elsewhere.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

Kind = Literal["user and address", "user", "address"]

# A subject that was quiet so long starts anew.
FORGET_SECONDS = 3600
KNOWN_SECONDS = 30 * 86400
# Of a user from anywhere and of an address with any user, many times as many failures are free.
LOOSER = 10
USER_LONGEST_SECONDS = 60


@dataclass(frozen=True)
class Count:
    """What is known of a subject. Times are seconds since 1970."""

    failures: int = 0
    failed_at: int = 0
    succeeded_at: int = 0


@dataclass(frozen=True)
class Limits:
    """``free``: failures of one user from one address before the first delay; ``longest_seconds``: of any delay."""

    free: int = 5
    longest_seconds: int = 900

    def delay(self, kind: Kind, failures: int) -> int:
        """Seconds to wait after so many failures: one, then twice as long after each further one."""
        free = self.free if kind == "user and address" else self.free * LOOSER
        longest = min(self.longest_seconds, USER_LONGEST_SECONDS) if kind == "user" else self.longest_seconds
        if failures < free:
            return 0
        # More doublings make no difference, but huge numbers.
        return int(min(longest, 2 ** min(failures - free, 30)))

    def wait(self, counts: Mapping[Kind, Count], now: int) -> int:
        """Seconds until the next attempt; 0 when it may be made now."""
        known = now - counts["user and address"].succeeded_at < KNOWN_SECONDS
        waits = [
            count.failed_at + self.delay(kind, failures(count, now)) - now
            for kind, count in counts.items()
            if not (known and kind == "user")
        ]
        return max(0, *waits)


def failures(count: Count, now: int) -> int:
    """Failures that still count."""
    return 0 if now - count.failed_at >= FORGET_SECONDS else count.failures


def subjects(username: str, address: str) -> dict[Kind, str]:
    """Keys of the three subjects. People type passwords into the wrong field: the keys do not tell what was typed."""
    user = same_user(username)
    return {
        "user and address": _key("user and address", user, address),
        "user": _key("user", user),
        "address": _key("address", address),
    }


def same_user(username: str) -> str:
    """The name as a database may compare it: without case, accents and outer spaces."""
    decomposed = unicodedata.normalize("NFKD", username.strip().casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _key(*parts: str) -> str:
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
