# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Containers of a task start in the order of their dependencies."""

from __future__ import annotations

from typing import Any

import pytest
from sm2a_local_aws.fargate import depends_on


def _definition(**dependencies: list[str]) -> dict[str, Any]:
    return {
        "containerDefinitions": [
            {"name": name, "dependsOn": [{"containerName": other, "condition": "START"} for other in others]}
            for name, others in dependencies.items()
        ]
    }


def test_containers_start_after_what_they_depend_on() -> None:
    ordered = depends_on.ordered(_definition(app=["migrate", "proxy"], migrate=[], proxy=["migrate"]))
    assert [container["name"] for container in ordered["containerDefinitions"]] == ["migrate", "proxy", "app"]


def test_circle_of_dependencies_is_named() -> None:
    with pytest.raises(RuntimeError, match="dependsOn is a circle between a, b"):
        depends_on.ordered(_definition(a=["b"], b=["a"]))
