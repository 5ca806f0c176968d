# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""An object is replaced by no write that has the header If-None-Match."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError


def test_nothing_is_replaced(control_plane: Any) -> None:
    s3 = control_plane.client("s3")
    place = {"Bucket": "conditional-writes", "Key": "log"}
    where = {"LocationConstraint": s3.meta.region_name}
    s3.create_bucket(Bucket=place["Bucket"], CreateBucketConfiguration=where)
    s3.put_object(**place, Body=b"first", IfNoneMatch="*")
    for value, code in (("*", "PreconditionFailed"), ('"0"', "NotImplemented"), ("", "NotImplemented")):
        with pytest.raises(ClientError) as refused:
            s3.put_object(**place, Body=b"second", IfNoneMatch=value)
        assert refused.value.response["Error"]["Code"] == code
    assert s3.get_object(**place)["Body"].read() == b"first"
