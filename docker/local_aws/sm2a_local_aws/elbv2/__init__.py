# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The API of Elastic Load Balancing: what it creates, refuses and tells. What serves requests is in `load_balancer`."""

PATCHES = (
    "control_plane",
    "listener_certificates",
    "rules",
    "authentication",
    "creation",
    "identity_providers",
    "log_buckets",
    "targets",
)
