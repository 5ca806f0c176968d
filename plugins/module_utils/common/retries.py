# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which calls are repeated, and by whom: the codes of throttling, and the place where botocore asks about a repetition.

After each attempt botocore asks the handlers of its event ``needs-retry``. The first answer that is not None is the
number of seconds to wait before the next attempt; an exception ends the call. They are asked in this order:

1. ``create_once``, while it makes something: an attempt whose reply was lost is not repeated blindly.
2. What AWS has said and not yet propagated: ids of EC2 (``ec2.client``), keys of KMS (``kms``).
3. ``aws.client``: an address that does not answer, and a quota that is used up, end the call.
4. botocore itself, in its mode "standard": throttling, server errors and lost connections.

A role that IAM has not propagated has no error code of its own: see ``role_propagation``, also for the service-linked
roles that services make for themselves in a new account.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

# Error codes that say: nothing was done, ask less often. Some services answer them with status 503.
THROTTLED = (
    "EC2ThrottledException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
)


def ask_first(client: Any, handler: Callable[..., float | None]) -> None:
    """Let ``handler`` answer before those that were registered earlier, as long as the client lives.

    It gets the arguments of botocore's event by name: operation, response, caught_exception, attempts, request_dict.
    """
    client.meta.events.register_first(_event(client), handler)


@contextmanager
def asking_first(client: Any, handler: Callable[..., float | None]) -> Iterator[None]:
    """The same until the end of the block."""
    ask_first(client, handler)
    try:
        yield
    finally:
        client.meta.events.unregister(_event(client), handler)


def _event(client: Any) -> str:
    return f"needs-retry.{client.meta.service_model.service_id.hyphenize()}"
