# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""SNS delivers to queues. It makes no HTTP requests: they would come from this machine, to addresses behind it."""

from __future__ import annotations

from collections.abc import Callable

from sm2a_local_aws.patching.points import replaces


@replaces("ministack.services.sns:_http_post_sync", "82c13af9f175")
def post(_original: Callable[..., int], endpoint: str, *_message: str) -> int:
    """Fail as a delivery fails; the subscription stays unconfirmed."""
    raise OSError(f"the local AWS delivers to queues, not to {endpoint}")
