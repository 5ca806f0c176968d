# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What info modules return of what does not exist: nothing, or in check mode, when asked, what has the right shape."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.common.placeholders import listed, placeholder_arn, single

KEY = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
IDENTIFIERS = {"arn": "made up", "url": "made up"}


def module(check_mode: bool = True, wanted: bool = True) -> Any:
    """As much of a module as counts here."""
    return SimpleNamespace(check_mode=check_mode, params={"placeholders": wanted})


@pytest.mark.parametrize(
    ("region", "service", "arn"),
    [
        ("eu-west-1", "sqs", "arn:aws:sqs:eu-west-1:000000000000:name"),
        ("cn-north-1", "ecs", "arn:aws-cn:ecs:cn-north-1:000000000000:name"),
        ("us-gov-west-1", "elbv2", "arn:aws-us-gov:elasticloadbalancing:us-gov-west-1:000000000000:name"),
    ],
)
def test_an_arn_lies_in_the_region_of_the_client(region: str, service: str, arn: str) -> None:
    client = boto3.client(service, region_name=region, **KEY)
    assert placeholder_arn(client, "name") == arn
    assert placeholder_arn(client, "name", service="acm").split(":")[2] == "acm"


@pytest.mark.parametrize("other", [module(check_mode=False), module(wanted=False)])
def test_nothing_is_made_up_otherwise(other: Any) -> None:
    found = {"name": "b", "arn": "real"}
    assert listed(other, [found], ["a", "b"], lambda name: IDENTIFIERS) == [{**found, "exists": True}]
    assert single(other, found, IDENTIFIERS) == [{**found, "exists": True}]
    assert single(other, None, IDENTIFIERS) == single(other, {}, IDENTIFIERS) == []


def test_what_is_missing_is_made_up() -> None:
    found: dict[str, Any] = {"name": "b", "arn": "real", "url": None, "tags": {}}
    made_up, completed = listed(module(), [found], ["a", "b"], lambda name: {**IDENTIFIERS, "arn": f"{name} made up"})
    assert made_up == {"name": "a", "arn": "a made up", "url": "made up", "exists": False}
    assert completed == {**found, "url": "made up", "exists": True}
    assert single(module(), None, IDENTIFIERS) == [{**IDENTIFIERS, "exists": False}]
    assert single(module(), found, IDENTIFIERS) == [completed]
