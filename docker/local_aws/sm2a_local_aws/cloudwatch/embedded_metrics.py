# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""CloudWatch Logs: events in the embedded metric format become metrics."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sm2a_local_aws.cloudwatch import metric_store
from sm2a_local_aws.patching.points import replaces


@replaces("ministack.services.cloudwatch_logs:_put_log_events", "acd4fda33a38")
def put_log_events(original: Callable[[dict[str, Any]], Any], data: dict[str, Any]) -> Any:
    """Keep the events, then the metrics in them."""
    response = original(data)
    if response[0] == 200:
        now = time.time()
        for event in data.get("logEvents", []):
            for datum in metric_store.embedded(event.get("message", ""), now):
                metric_store.record(datum)
    return response
