# Copyright: SM2A contributors
# Apache License 2.0 (see LICENSE)
"""CloudWatch: metrics, alarms that fire, and log groups."""

PATCHES = ("log_groups", "embedded_metrics", "aws_metrics", "alarms")
