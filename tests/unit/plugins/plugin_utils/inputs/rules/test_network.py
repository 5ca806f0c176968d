# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""network_checks: accounts, organizations and resources that are none."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.network import problems


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("network_endpoint_account_ids", ["12345"]),
        ("network_endpoint_account_ids", ["arn:aws:iam::123456789012:root"]),
        ("network_endpoint_organization_id", "123456789012"),
        ("network_endpoint_resources", ["my-bucket"]),
        ("network_endpoint_resources", ["arn:aws:s3:my-bucket"]),
        ("network_endpoint_resources", ["*"]),
        ("network_endpoint_resources", ["https://my-bucket.s3.amazonaws.com"]),
    ],
)
def test_wrong_values_are_named(name: str, value: Any) -> None:
    [problem] = problems({name: value})
    assert problem.startswith(f"{name}: ")
    assert (value if isinstance(value, str) else value[0]) in problem


def test_right_values_pass() -> None:
    right = {
        "network_endpoint_account_ids": ["123456789012", "012345678901"],
        "network_endpoint_organization_id": "o-a1b2c3d4e5",
        "network_endpoint_resources": [
            "arn:aws:s3:::my-bucket",
            "arn:aws-cn:sqs:cn-north-1:123456789012:queue",
            "s3://my-bucket/folder",
        ],
    }
    assert problems(right) == problems({}) == []
