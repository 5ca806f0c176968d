# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Quotas of the account: what Service Quotas says of them, and what is refused when one is used up."""

PATCHES = ("service_quotas", "fargate", "account_summary")
