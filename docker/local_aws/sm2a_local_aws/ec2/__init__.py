# Copyright: SM2A contributors
# Apache License 2.0 (see LICENSE)
"""EC2: networks, endpoints and what protects them."""

PATCHES = (
    "addresses",
    "endpoint_policies",
    "endpoints",
    "flow_logs",
    "instances",
    "network_acls",
    "network_interfaces",
    "prefix_lists",
)
