# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A service that is made to be silent is silent, alone, and only for so long."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError

ONE_SECOND = Config(read_timeout=1, retries={"total_max_attempts": 1})


def declare(control_plane: Any, **asked: Any) -> int:
    """Ask for an outage; the status of the answer."""
    address = f"http://127.0.0.1:{control_plane.port}/_sm2a/outages"
    request = urllib.request.Request(address, data=json.dumps(asked).encode(), method="POST")
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def client_with_short_timeout(control_plane: Any, service: str) -> Any:
    """A client that waits for a second only."""
    meta = control_plane.client(service).meta
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client(
        service, region_name=meta.region_name, endpoint_url=meta.endpoint_url, config=ONE_SECOND, **keys
    )


def test_one_service_is_silent_until_the_outage_ends(control_plane: Any) -> None:
    sqs, sns = client_with_short_timeout(control_plane, "sqs"), client_with_short_timeout(control_plane, "sns")
    assert declare(control_plane, service="sqs", seconds=30) == 200
    with pytest.raises(ReadTimeoutError):
        sqs.list_queues()
    sns.list_topics()
    assert declare(control_plane, service="sqs", seconds=0) == 200
    sqs.list_queues()


def test_it_ends_by_itself(control_plane: Any) -> None:
    sns = client_with_short_timeout(control_plane, "sns")
    assert declare(control_plane, service="sns", seconds=1.2) == 200
    with pytest.raises(ReadTimeoutError):
        sns.list_topics()
    time.sleep(0.5)
    sns.list_topics()


@pytest.mark.parametrize(
    "asked", [{}, {"service": "sqs"}, {"service": "sqs", "seconds": "long"}, {"service": "sqs", "seconds": -1}]
)
def test_what_is_not_understood_is_refused(control_plane: Any, asked: dict[str, Any]) -> None:
    assert declare(control_plane, **asked) == 400
