# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Calls that name a role which IAM may have made just now: services refuse it until IAM has told them."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

with suppress(ImportError):  # AnsibleAWSModule reports the missing library.
    from botocore.exceptions import ClientError

Done = TypeVar("Done")
# Mostly that takes seconds, and two minutes at most.
PAUSES = (2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0)


def once_known(work: Callable[[], Done], refusal: str) -> Done:
    """Return what ``work`` returns; for two minutes, do it again while AWS refuses with a message that has ``refusal``.

    There is no error code for it: each service says it in its own words. botocore's error is raised as it is.
    """
    for pause in PAUSES:
        try:
            return work()
        except ClientError as error:
            if refusal not in str(error):
                raise
            time.sleep(pause)
    return work()
