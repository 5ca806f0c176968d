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
attributes:
  check_mode:
    support: full
    description: Only reads.
  diff_mode:
    support: none
    description: Changes nothing.
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

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils import sqs as api
from ansible_collections.sm2a.airflow.plugins.module_utils.aws import client


def main() -> None:
    """Read each named queue."""
    module = AnsibleAWSModule(
        argument_spec={"names": {"type": "list", "elements": "str", "required": True}}, supports_check_mode=True
    )
    sqs = client(module, "sqs")
    queues = []
    try:
        for name in module.params["names"]:
            found = api.read_queue(sqs, name)
            if found:
                queues.append(api.describe(name, *found))
    except AnsibleAWSError as error:
        module.fail_json_aws_error(error)
    module.exit_json(changed=False, queues=queues)


if __name__ == "__main__":
    main()
