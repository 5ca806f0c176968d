# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Load balancers at work: ports, TLS, routing, health checks and access logs. Their API is in `elbv2`."""

PATCHES_WITH_ENGINE = ("health", "routing")

PATCHES_WITH_LISTENER_PORTS = ("front",)
