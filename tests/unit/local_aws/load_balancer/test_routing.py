# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The session cookie names a target."""

from __future__ import annotations

from sm2a_local_aws.load_balancer import routing


def test_cookie_names_a_target_among_others() -> None:
    targets = [{"Id": "10.0.0.1", "Port": 80}, {"Id": "10.0.0.2", "Port": 80}]
    cookie = f"session=1; AWSALB={routing.cookie_value(targets[1])}"
    assert routing._cookie_target({"cookie": cookie}, targets) == targets[1]
    assert routing._cookie_target({"cookie": cookie}, targets[:1]) is None
    assert routing._cookie_target({"cookie": "AWSALB=%%%"}, targets) is None
