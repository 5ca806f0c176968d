# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Retries for calls that need a new IAM role: services refuse them until IAM has propagated it.

The role is one that the call names, or the service-linked role that a service makes for itself at its first use in an
account.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

with suppress(ImportError):  # AnsibleAWSModule reports the missing library.
    from botocore.exceptions import ClientError

Done = TypeVar("Done")
# Propagation usually takes seconds, at most two minutes.
PAUSES = (2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0)


def once_known(work: Callable[[], Done], *refusals: str) -> Done:
    """Call ``work``, and retry it for two minutes while AWS refuses with a message that contains one of ``refusals``.

    There is no error code for this: each service has its own message. Other errors of botocore are raised unchanged.
    """
    for pause in PAUSES:
        try:
            return work()
        except ClientError as error:
            if not any(refusal in str(error) for refusal in refusals):
                raise
            time.sleep(pause)
    return work()
