# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""One call of boto3, in the process of the playbook: drift by hand, or a look at what no module reads."""

from __future__ import annotations

import json
from typing import Any

import boto3
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.sm2a.airflow.plugins.plugin_utils.loaded_libraries import LIBRARIES
from botocore.exceptions import BotoCoreError, ClientError


class ActionModule(ActionBase):  # type: ignore[misc]
    """``service``, ``operation`` (as boto3 names its method) and ``parameters`` of the call; returns ``response``.

    Region, endpoint and credentials come from sm2a_region, sm2a_endpoint_url and sm2a_aws_environment.
    """

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _validated, options = self.validate_argument_spec(
            {
                "service": {"type": "str", "required": True},
                "operation": {"type": "str", "required": True},
                "parameters": {"type": "dict", "default": {}},
            }
        )
        stack = {name: self._templar.template((task_vars or {})[name]) for name in ("sm2a_region", "sm2a_endpoint_url")}
        credentials = self._templar.template((task_vars or {})["sm2a_aws_environment"])
        # Models that the modules of this run have loaded already.
        LIBRARIES.use()
        service = boto3.client(
            options["service"],
            region_name=stack["sm2a_region"],
            endpoint_url=stack["sm2a_endpoint_url"],
            aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
        )
        try:
            response = getattr(service, options["operation"])(**options["parameters"])
        except (BotoCoreError, ClientError) as error:
            raise AnsibleActionFail(f"{options['service']}.{options['operation']}: {error}") from error
        response.pop("ResponseMetadata", None)
        return {"changed": True, "response": json.loads(json.dumps(response, default=str))}
