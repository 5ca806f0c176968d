# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""CloudWatch: metrics, alarms that fire, and log groups."""

PATCHES = ("log_groups", "embedded_metrics", "aws_metrics", "alarms")
