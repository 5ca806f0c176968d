# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The address of ECS's agent."""

from __future__ import annotations

from sm2a_local_aws.ecs import agent


def test_agent_address_belongs_to_the_metadata_address() -> None:
    assert agent.agent_uri("http://10.0.0.1:4566/v4/token") == "http://10.0.0.1:4566/api/token"
