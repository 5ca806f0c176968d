# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What becomes of errors of single calls."""

from __future__ import annotations

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call
from botocore.exceptions import ClientError, ConnectionClosedError
from botocore.parsers import ResponseParserError

GONE = ClientError({"Error": {"Code": "NoSuchThing", "Message": "none"}}, "GetThing")


def raising(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(
    "error",
    [GONE, ConnectionClosedError(endpoint_url="http://127.0.0.1"), ResponseParserError("<html>Bad Gateway</html>")],
    ids=lambda error: type(error).__name__,
)
def test_an_error_says_which_call_failed(error: Exception) -> None:
    with pytest.raises(AnsibleAWSError, match="Failed to read the thing") as raised:
        call("read the thing")(raising)(error)
    assert raised.value.exception is error


def test_what_is_not_there_may_be_no_error() -> None:
    assert call("read the thing", missing=("NoSuchThing",), default=())(raising)(GONE) == ()


def test_a_mistake_of_the_program_stays_one() -> None:
    with pytest.raises(KeyError):
        call("read the thing")(raising)(KeyError("thing"))
