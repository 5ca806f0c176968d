# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The filter ecr_repository_arn."""

from __future__ import annotations

import pytest
from ansible_collections.sm2a.airflow.plugins.filter.ecr_repository_arn import ecr_repository_arn

DIGEST = f"sha256:{'0' * 64}"


@pytest.mark.parametrize(
    ("image", "arn"),
    [
        (
            f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/airflow@{DIGEST}",
            "arn:aws:ecr:eu-west-1:123456789012:repository/team/airflow",
        ),
        (
            "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/airflow:1",
            "arn:aws-cn:ecr:cn-north-1:123456789012:repository/airflow",
        ),
        (
            "123456789012.dkr.ecr.us-gov-west-1.amazonaws.com/airflow",
            "arn:aws-us-gov:ecr:us-gov-west-1:123456789012:repository/airflow",
        ),
        (
            "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu/team/airflow:1",
            "arn:aws-eusc:ecr:eusc-de-east-1:123456789012:repository/team/airflow",
        ),
        (f"docker.io/apache/airflow@{DIGEST}", ""),
        ("", ""),
    ],
)
def test_arn_of_a_repository(image: str, arn: str) -> None:
    assert ecr_repository_arn(image) == arn
