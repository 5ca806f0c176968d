# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""An identity provider is asked over HTTPS only."""

from __future__ import annotations

import pytest
from sm2a_local_aws.elbv2 import identity_providers


def test_identity_providers_are_asked_over_https_only() -> None:
    asked: list[str] = []
    for function in (identity_providers.post_form, identity_providers.get_userinfo):
        with pytest.raises(OSError, match="no HTTPS URL"):
            function(asked.append, "http://127.0.0.1:4566/_ministack/reset")
        function(asked.append, "https://login.example.com/token")
    assert asked == ["https://login.example.com/token"] * 2
