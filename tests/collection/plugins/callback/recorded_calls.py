# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes down every call of AWS that forked modules make."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import botocore.client
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: recorded_calls
type: aggregate
short_description: Writes down every call of AWS that forked modules make
description:
  - One JSON object a line (service, operation, parameters) in the file that the environment variable SM2A_CALLS names.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """The forks of ansible-playbook have the client of botocore that it changes here."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "sm2a.testing.recorded_calls"
    CALLBACK_NEEDS_ENABLED = True

    def v2_playbook_on_start(self, playbook: Any) -> None:
        calls = Path(os.environ["SM2A_CALLS"])
        make_call = botocore.client.BaseClient._make_api_call

        def record(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
            service = client.meta.service_model.service_name
            line = {"service": service, "operation": operation, "parameters": parameters}
            with calls.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, default=str) + "\n")
            return make_call(client, operation, parameters)

        botocore.client.BaseClient._make_api_call = record
