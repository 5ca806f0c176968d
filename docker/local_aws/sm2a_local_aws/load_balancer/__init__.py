# Copyright: SM2A contributors
# Apache License 2.0 (see LICENSE)
"""Load balancers at work: ports, TLS, routing, health checks and access logs. Their API is in `elbv2`."""

PATCHES_WITH_ENGINE = ("health", "routing")

PATCHES_WITH_LISTENER_PORTS = ("front",)
