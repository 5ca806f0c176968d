#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)

from __future__ import annotations

DOCUMENTATION = r"""
module: sqs_queue_info
short_description: Describe SQS queues
version_added: 0.1.0
description:
  - Reads URL, ARN, attributes and tags of Amazon SQS queues.
author:
  - SM2A contributors (@sm2a)
options:
  names:
    description: Names of the queues. Names without a queue are left out of the answer.
    type: list
    elements: str
    required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - sm2a.airflow.attributes.info
"""

EXAMPLES = r"""
- name: Read two queues
  sm2a.airflow.sqs_queue_info:
    names: [airflow-default, airflow-dead-letter]
  register: queues
"""

RETURN = r"""
queues:
  description: The queues that exist, in the order of O(names).
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the queue.
      type: str
      returned: always
    url:
      description: URL of the queue.
      type: str
      returned: always
    arn:
      description: ARN of the queue.
      type: str
      returned: always
    visibility_timeout:
      description: Seconds. The other numbers are named after the options of M(sm2a.airflow.sqs_queue) as well.
      type: int
      returned: always
    tags:
      description: Tags of the queue.
      type: dict
      returned: always
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils import sqs as api
from ansible_collections.sm2a.airflow.plugins.module_utils.aws import client, exit_with


def read(sqs: Any, names: list[str]) -> list[dict[str, Any]]:
    """The queues that exist."""
    found = ((name, api.read_queue(sqs, name)) for name in names)
    return [api.describe(name, *queue) for name, queue in found if queue]


def main() -> None:
    """Read each named queue."""
    module = AnsibleAWSModule(
        argument_spec={"names": {"type": "list", "elements": "str", "required": True}}, supports_check_mode=True
    )
    exit_with(module, lambda: {"changed": False, "queues": read(client(module, "sqs"), module.params["names"])})


if __name__ == "__main__":
    main()
