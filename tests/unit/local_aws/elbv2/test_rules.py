# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Conditions of rules compare as an ALB does."""

from __future__ import annotations

import pytest
from sm2a_local_aws.elbv2 import rules


@pytest.mark.parametrize(
    ("field", "value", "path", "host", "matches"),
    [
        ("path-pattern", "/execution/*", "/execution/docs", "a.b", True),
        ("path-pattern", "/execution/*", "/execution/", "a.b", True),
        ("path-pattern", "/execution/*", "/execution", "a.b", False),
        ("path-pattern", "/execution/*", "/Execution/docs", "a.b", False),
        ("path-pattern", "/execution/*", "/%65xecution/docs", "a.b", False),
        ("path-pattern", "/[a]?", "/[a]b", "a.b", True),
        ("path-pattern", "/[a]", "/a", "a.b", False),
        ("host-header", "*.example.com", "/", "A.Example.COM:8443", True),
        ("host-header", "*.example.com", "/", "example.com", False),
        ("host-header", "a.example.com", "/", "axexample.com", False),
    ],
)
def test_rules_compare_as_an_alb_does(field: str, value: str, path: str, host: str, matches: bool) -> None:
    condition = {"Field": field, "Values": [value]}
    never = lambda *_arguments: pytest.fail("not its own matter")  # noqa: E731
    assert rules.match_condition(never, condition, "GET", path, {"host": host}, {}) is matches
