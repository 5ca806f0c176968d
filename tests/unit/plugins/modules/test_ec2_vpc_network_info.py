# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""ec2_vpc_network_info returns what ec2_vpc_network made, and nothing for an unknown name."""

from __future__ import annotations

from ansible_collections.sm2a.airflow.tests.unit.plugins import support


def test_reads_what_was_made(run_module: support.RunModule, unique_name: str) -> None:
    identity = {"name": unique_name, "lookup_tags": {"sm2a:environment": unique_name}}
    assert run_module("ec2_vpc_network_info", identity)["networks"] == []
    made = run_module(
        "ec2_vpc_network",
        {
            **identity,
            "cidr": "10.4.0.0/16",
            "public_subnet_cidrs": ["10.4.0.0/24", "10.4.1.0/24"],
            "private_subnet_cidrs": ["10.4.2.0/24", "10.4.3.0/24"],
            "nat_gateways": "per_zone",
        },
    )["network"]
    groups = run_module(
        "ec2_security_groups",
        {"vpc_id": made["vpc_id"], "groups": [{"name": "database", "description": "Database"}]},
    )["group_ids"]

    [read] = run_module("ec2_vpc_network_info", identity)["networks"]
    ids = read.pop("security_group_ids")
    assert read == made
    assert ids["database"] == groups["database"]
    other = {**identity, "lookup_tags": {"sm2a:environment": "other"}}
    assert run_module("ec2_vpc_network_info", other)["networks"] == []
