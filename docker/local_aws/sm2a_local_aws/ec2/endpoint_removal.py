# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""EC2 tells which of the VPC endpoints that are to be deleted there are not; the call succeeds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import ec2

from sm2a_local_aws.patching.points import relies_on, replaces

relies_on("ministack.services.ec2", {"_parse_member_list": "827648db3c95"})


@replaces("ministack.services.ec2:_delete_vpc_endpoints", "88183e801914")
def delete_vpc_endpoints(original: Callable[[dict[str, Any]], Any], params: dict[str, Any]) -> Any:
    """With the unsuccessful ones."""
    unknown = [one for one in ec2._parse_member_list(params, "VpcEndpointId") if one not in ec2._vpc_endpoints]
    status, headers, body = original(params)
    items = "".join(
        f"<item><resourceId>{one}</resourceId><error><code>InvalidVpcEndpoint.NotFound</code>"
        f"<message>The vpcEndpoint ID '{one}' does not exist</message></error></item>"
        for one in unknown
    )
    return status, headers, body.replace(b"<unsuccessful/>", f"<unsuccessful>{items}</unsuccessful>".encode())
