# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""EC2 instances are records only: MiniStack would run one as a container of any image, on every capability it has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sm2a_local_aws.patching.points import replaces


@replaces("ministack.services.ec2:_get_docker", "4dad7d097fb1")
def get_docker(_original: Callable[[], Any]) -> None:
    """There is no engine for EC2."""
