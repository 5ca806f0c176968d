# Copyright: SM2A contributors
# Apache License 2.0 (see LICENSE)
"""`If-None-Match` of a write to S3: AWS takes only `*`, MiniStack an ETag, with which it overwrites."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import s3

from sm2a_local_aws.patching import relies_on, replaces

NOT_IMPLEMENTED = "A header you provided implies functionality that is not implemented"

relies_on("ministack.services.s3", {"_error": "7a708a97c4bd"})


@replaces("ministack.services.s3:_check_put_preconditions", "135c6110725d")
def check_put_preconditions(original: Callable[..., Any], headers: dict[str, str], existing: Any) -> Any:
    """Refuse another value than `*`."""
    if headers.get("if-none-match", "*").strip() != "*":
        return s3._error("NotImplemented", NOT_IMPLEMENTED, 501)
    return original(headers, existing)
