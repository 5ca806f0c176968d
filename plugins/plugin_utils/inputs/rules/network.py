# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What argument_specs cannot say about the network's variables: accounts, organizations and ARNs. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

ACCOUNT = re.compile(r"\d{12}")
ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}")
# arn:partition:service:region:account:resource, or the bucket of an s3:// URI.
RESOURCE = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:(\d{12})?:.+|s3://[a-z0-9][a-z0-9.-]+(/.*)?")


def problems(values: Mapping[str, Any]) -> list[str]:
    """One sentence for each thing that is wrong with these variables; those that are not given are not judged."""
    found = [
        f"network_endpoint_account_ids: {account} is no account id of 12 digits (in quotes, if it begins with 0)"
        for account in values.get("network_endpoint_account_ids") or []
        if not ACCOUNT.fullmatch(str(account))
    ]
    subnets = [name for name in ("network_public_subnet_ids", "network_private_subnet_ids") if values.get(name)]
    if subnets and not values.get("network_vpc_id"):
        found.append(f"{', '.join(subnets)}: belong to a VPC; name it in network_vpc_id")
    organization = values.get("network_endpoint_organization_id")
    if organization and not ORGANIZATION.fullmatch(str(organization)):
        found.append(f"network_endpoint_organization_id: {organization} is not an organization ID such as o-a1b2c3d4e5")
    return found + [
        f"network_endpoint_resources: {resource} is neither an ARN nor an s3:// URI"
        for resource in values.get("network_endpoint_resources") or []
        if not RESOURCE.fullmatch(str(resource))
    ]
