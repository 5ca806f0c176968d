# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""CloudWatch Logs: FilterLogEvents honours `logStreamNamePrefix`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.core.responses import json_response
from ministack.services import cloudwatch_logs

from sm2a_local_aws.patching.points import relies_on, replaces

relies_on(
    "ministack.services.cloudwatch_logs",
    {
        "_resolve_log_group_name": "e4ca3d9dcf22",
    },
)


@replaces("ministack.services.cloudwatch_logs:_filter_log_events", "9b3d13c713b5")
def filter_log_events(original: Callable[[dict[str, Any]], Any], data: dict[str, Any]) -> Any:
    """Turn a stream prefix into the names of the streams that have it."""
    prefix = data.get("logStreamNamePrefix")
    group = cloudwatch_logs._log_groups.get(cloudwatch_logs._resolve_log_group_name(data))
    if not prefix or group is None:
        return original(data)
    names = [name for name in list(group["streams"]) if name.startswith(prefix)]
    if not names:
        return json_response({"events": [], "searchedLogStreams": []})
    return original({**data, "logStreamNames": names})
