# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The packages and modules that declare patch points, in the order in which their replacements are put in place.

They import MiniStack, so they are loaded by `load`, after its environment is set. Within a package the order is that of
the tuples in its `__init__`. Where two replace the same function the later one wraps the earlier one, and says so with
`over` (see `points.replaces`).
"""

import importlib

from sm2a_local_aws import settings

# A package has tuples of its modules by name, see `_tuples`; a module without them is patched as it is.
PACKAGES = (
    "fargate",
    "load_balancer",
    "http",
    "ecs",
    "ecs_exec",
    "cloudwatch",
    "rds",
    "elbv2",
    "acm",
    "ec2",
    "quotas",
    "sns",
    "wafv2",
    "route53",
    "s3",
    "ecr",
    "iam",
    "waiting_times",
)


def load() -> None:
    """Import them, which declares their patch points."""
    configured = settings.current()
    for name in PACKAGES:
        package = importlib.import_module(f"sm2a_local_aws.{name}")
        for names in _tuples(configured):
            for module in getattr(package, names, ()):
                importlib.import_module(f"sm2a_local_aws.{name}.{module}")


def _tuples(configured: settings.Settings) -> list[str]:
    """The names of the tuples that count with these settings, in order."""
    engine = "PATCHES_WITHOUT_ENGINE" if configured.control_plane_only else "PATCHES_WITH_ENGINE"
    ports = ["PATCHES_WITH_LISTENER_PORTS"] if configured.has_listener_ports else []
    times = ["PATCHES_WITH_WAITING_TIMES"] if configured.waiting_times else []
    return [engine, *ports, "PATCHES", *times]
