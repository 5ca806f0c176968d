# Copyright: SM2A contributors
# Apache License 2.0 (see LICENSE)
"""RDS: DB instances that are containers, their parameters, snapshots and metrics."""

PATCHES_WITH_ENGINE = ("containers",)

PATCHES = ("instances", "parameters", "snapshots", "subnet_groups")
