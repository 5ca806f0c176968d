# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What may be a target."""

from __future__ import annotations

from sm2a_local_aws.elbv2 import targets


def test_an_own_address_is_no_target() -> None:
    assert targets._is_own("127.0.0.1")
    assert not targets._is_own("192.0.2.1")
    assert targets.problem_of("ip", "10.255.255.254") is None
