# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Partitions are those of botocore."""

from __future__ import annotations

import botocore.loaders
import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.common.partitions import DOMAINS, domain_of, partition_of
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules import aws_values

KNOWN = {one["id"]: one for one in botocore.loaders.create_loader().load_data("partitions")["partitions"]}


def test_every_partition_has_its_domain() -> None:
    assert {name: one["outputs"]["dnsSuffix"] for name, one in KNOWN.items()} == DOMAINS
    assert domain_of("aws-new") == "amazonaws.com"


@pytest.mark.parametrize("partition", sorted(KNOWN))
def test_every_region_is_in_its_partition_and_accepted(partition: str) -> None:
    regions = [name for name in KNOWN[partition]["regions"] if not name.endswith("-global")]
    assert regions
    for region in regions:
        assert partition_of(region) == partition
        assert aws_values.problems({"sm2a_region": region}) == []
