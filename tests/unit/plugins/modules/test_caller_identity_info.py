# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""caller_identity_info against the emulator."""

from __future__ import annotations

import pytest
from ansible_collections.sm2a.airflow.tests.support import modules as support


@pytest.mark.parametrize("check", [True, False])
def test_account_partition_and_region(run_module: support.RunModule, check: bool) -> None:
    result = run_module("caller_identity_info", {"region": "eu-north-1"}, check=check)
    assert not result["changed"]
    assert (result["account_id"], result["partition"], result["region"]) == (support.ACCOUNT, "aws", "eu-north-1")


def test_no_answer_is_an_error(run_module: support.RunModule) -> None:
    unreachable = {"endpoint_url": "http://127.0.0.1:1", "aws_config": {"retries": {"max_attempts": 0}}}
    with pytest.raises(support.ModuleFailedError, match="read the caller's identity"):
        run_module("caller_identity_info", unreachable)
