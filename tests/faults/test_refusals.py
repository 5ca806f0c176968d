# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the account or the caller must put right ends the run at once, with AWS's code and what to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.common import error_advice as advice
from ansible_collections.sm2a.airflow.tests.faults.conftest import Bench
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs
from ansible_collections.sm2a.airflow.tests.support.fault_proxy.rules import Rule

pytestmark = pytest.mark.chain("faults")


@dataclass(frozen=True)
class Refusal:
    """A fault, what the run must say, and variables that bring it about."""

    said: tuple[str, ...]
    rules: tuple[Rule, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)
    first_task: bool = True


REFUSALS = {
    "expired credentials": Refusal(("ExpiredToken", advice.EXPIRED), (Rule("expired"),)),
    "credentials of nobody": Refusal(
        ("InvalidClientTokenId", advice.UNKNOWN_CREDENTIALS),
        (Rule("error", service="sts", code="InvalidClientTokenId", status=403),),
    ),
    "a region that is not enabled": Refusal(
        ("UnrecognizedClientException", advice.UNKNOWN_CREDENTIALS),
        (Rule("error", code="UnrecognizedClientException", status=400),),
    ),
    "no such region": Refusal(
        ("Could not connect to the endpoint URL", advice.NO_ANSWER),
        extra={"sm2a_region": "eu-nowhere-9", "sm2a_endpoint_url": "http://sts.eu-nowhere-9.invalid"},
    ),
    "no credentials": Refusal(
        ("Unable to locate credentials", advice.NO_CREDENTIALS),
        extra={"sm2a_aws_environment": {"AWS_EC2_METADATA_DISABLED": "true"}},
    ),
    "quota of VPCs": Refusal(
        ("VpcLimitExceeded", advice.QUOTA), (Rule("quota", service="ec2", action="CreateVpc"),), first_task=False
    ),
    "no permission": Refusal(
        ("UnauthorizedOperation", advice.DENIED % "ec2:CreateVpc"),
        (Rule("error", service="ec2", action="CreateVpc", code="UnauthorizedOperation", status=403),),
        first_task=False,
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_the_run_ends_and_says_what_to_do(bench: Bench, empty_account: None, name: str) -> None:
    refusal = REFUSALS[name]
    before = bench.account()
    bench.proxy.book.set(refusal.rules)
    site = bench.play("site", extra=refusal.extra)
    bench.proxy.book.set([])
    assert site.code != 0
    assert [part for part in refusal.said if part not in site.message] == [], site.message
    if refusal.first_task:
        assert site.changed == []
        assert bench.account() == before
    else:
        assert not any(kind == "VPC" for kind, _name in bench.account())
        holders = bench.client("s3").list_objects_v2(Bucket=f"{runs.NAME}-run-lock-000000000000")
        assert "Contents" not in holders, "the failed run kept the lock"
