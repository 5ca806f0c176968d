# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""EC2: networks, endpoints and what protects them."""

PATCHES = (
    "addresses",
    "availability_zones",
    "endpoint_removal",
    "endpoint_services",
    "endpoints",
    "flow_logs",
    "instances",
    "nat_gateways",
    "network_acls",
    "network_interfaces",
    "prefix_lists",
    "subnets",
)
