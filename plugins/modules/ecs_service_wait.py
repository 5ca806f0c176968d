#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_service_wait
short_description: Wait for deployments of Amazon ECS services
version_added: 0.1.0
description:
  - Waits until services are steady that M(sm2a.airflow.ecs_service) started without
    O(sm2a.airflow.ecs_service#module:wait), all together, as that module does.
  - Fails as soon as one deployment has failed or was rolled back, with the reason.
  - In check mode it does not wait and succeeds whatever it sees.
author:
  - SM2A contributors (@sm2a)
options:
  cluster:
    description: Name or ARN of the cluster.
    type: str
    required: true
  services:
    description:
      - The services, as C(services) in the result of M(sm2a.airflow.ecs_service). Of each its C(name) counts, its
        C(deployment), which is to complete, and C(changed), with which its tasks are counted, too.
    type: list
    elements: dict
    required: true
  wait_timeout:
    description: Seconds to wait.
    type: int
    default: 1200
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - sm2a.airflow.attributes.info
  - sm2a.airflow.ecs_tasks
attributes:
  check_mode:
    description: Does not wait.
"""

EXAMPLES = r"""
- name: Start the services
  sm2a.airflow.ecs_service:
    cluster: analytics
    services:
      - name: web
        task_definition: analytics-web:7
    wait: false
  register: started

- name: Wait for them, after something else
  sm2a.airflow.ecs_service_wait:
    cluster: analytics
    services: "{{ started.services }}"
"""

RETURN = r"""
services:
  description: The services after the wait, in the order given; none in check mode.
  type: list
  elements: dict
  returned: always
  contains:
    name:
      description: Name of the service.
      type: str
    running_count:
      description: How many tasks run.
      type: int
    finishing_count:
      description: How many of them are of an earlier deployment, as M(sm2a.airflow.ecs_service) says.
      type: int
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import client, exit_with
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs import rollout
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs.options import WATCH_OPTIONS
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs.stopped_tasks import Reader


def wait(reader: Reader, params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Wait, except in check mode, and return what the module returns."""
    targets = [rollout.Target(one["name"], one["deployment"], one["changed"]) for one in params["services"]]
    if check_mode or not targets:
        return {"changed": False, "services": []}
    steady = rollout.wait_steady(reader, params["cluster"], targets, params["wait_delay"], params["wait_timeout"])
    found = [steady[target.service] for target in targets]
    return {
        "changed": False,
        "services": [
            {
                "name": service["serviceName"],
                "running_count": service["runningCount"],
                "finishing_count": rollout.finishing_count(service),
            }
            for service in found
        ],
    }


def main() -> None:
    """Wait, then tell."""
    module = AnsibleAWSModule(
        argument_spec={
            "cluster": {"type": "str", "required": True},
            "services": {"type": "list", "elements": "dict", "required": True},
            "wait_timeout": {"type": "int", "default": 1200},
            **WATCH_OPTIONS,
        },
        supports_check_mode=True,
    )
    reader = Reader(client(module, "ecs"), lambda: client(module, "logs"), module.params["log_lines"])
    exit_with(module, lambda: wait(reader, module.params, module.check_mode))


if __name__ == "__main__":
    main()
