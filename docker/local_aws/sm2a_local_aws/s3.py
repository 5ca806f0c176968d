# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""S3 does no write with an If-None-Match other than "*": who may only send that header could replace objects with it.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html and what S3 answers:
https://github.com/aws/aws-sdk-ruby/issues/3144, https://github.com/versity/versitygw/issues/2108
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import s3

from sm2a_local_aws.patching.points import relies_on, replaces

relies_on("ministack.services.s3", {"_error": "7a708a97c4bd"})

Check = Callable[[Mapping[str, str], Any], Any]


@replaces("ministack.services.s3:_check_put_preconditions", "135c6110725d")
def check_put_preconditions(original: Check, headers: Mapping[str, str], existing: Any) -> Any:
    """The error of a write, None when it can be done."""
    if headers.get("if-none-match", "*").strip() != "*":
        message = "A header you provided implies functionality that is not implemented"
        return s3._error("NotImplemented", message, 501, extra={"Header": "If-None-Match"})
    return original(headers, existing)
