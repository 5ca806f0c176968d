# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""EC2 flow logs: the log group, role and aggregation interval that they were created with, and their tags, are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import ec2

from sm2a_local_aws.patching.points import relies_on, replaces

Handler = Callable[[dict[str, Any]], Any]

relies_on("ministack.services.ec2", {"_p": "ecc7f2330470", "_parse_tag_specs": "cbb2cb78fa0f"})

# Parameter of CreateFlowLogs -> element of DescribeFlowLogs.
KEPT = {
    "LogGroupName": "logGroupName",
    "DeliverLogsPermissionArn": "deliverLogsPermissionArn",
    "MaxAggregationInterval": "maxAggregationInterval",
}


@replaces("ministack.services.ec2:_create_flow_logs", "8882a038ef8e")
def create_flow_logs(original: Handler, params: dict[str, Any]) -> Any:
    """Keep what the emulator drops; AWS calls the type of the tags vpc-flow-log."""
    known = set(ec2._flow_logs.keys())
    response = original(params)
    for flow_log_id in set(ec2._flow_logs.keys()) - known:
        kept = {name: ec2._p(params, name) for name in KEPT}
        ec2._flow_logs[flow_log_id].update({name: value for name, value in kept.items() if value})
        ec2._parse_tag_specs(params, "vpc-flow-log", flow_log_id)
    return response


@replaces("ministack.services.ec2:_describe_flow_logs", "f05c0ab7a201")
def describe_flow_logs(original: Handler, params: dict[str, Any]) -> Any:
    """Tell it."""
    status, headers, body = original(params)
    text = body.decode()
    for flow_log_id, record in ec2._flow_logs.items():
        element = f"<flowLogId>{flow_log_id}</flowLogId>"
        more = "".join(f"<{tag}>{record[name]}</{tag}>" for name, tag in KEPT.items() if name in record)
        text = text.replace(element, element + more)
    return status, headers, text.encode()
