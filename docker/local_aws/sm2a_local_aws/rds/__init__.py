# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""RDS: DB instances that are containers, their parameters, snapshots and metrics."""

PATCHES_WITH_ENGINE = ("containers",)

PATCHES = ("account_quotas", "instances", "orderable", "parameters", "snapshots", "subnet_groups")
