#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

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
    description: Names of the queues. Names without a queue are left out of the answer, unless O(placeholders).
    type: list
    elements: str
  name_prefix:
    description: Start of the names of the queues.
    type: str
  tags:
    description: Only queues that carry these tags.
    type: dict
    default: {}
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - sm2a.airflow.attributes.info
  - sm2a.airflow.placeholders
"""

EXAMPLES = r"""
- name: Read two queues
  sm2a.airflow.sqs_queue_info:
    names: [airflow-default, airflow-dead-letter]
  register: queues

- name: All queues of one environment
  sm2a.airflow.sqs_queue_info:
    name_prefix: airflow-
    tags:
      application: airflow
  register: queues
"""

RETURN = r"""
queues:
  description: The queues that exist, in the order of O(names) or of the alphabet.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the queue.
      type: str
      returned: always
    exists:
      description: Whether it exists; V(false) for a placeholder.
      type: bool
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
      returned: when the queue exists
    messages:
      description: How many messages it held about a minute ago, waiting, being worked on or delayed.
      type: int
      returned: when the queue exists
    tags:
      description: Tags of the queue.
      type: dict
      returned: when the queue exists
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils import sqs as api
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import client, exit_with
from ansible_collections.sm2a.airflow.plugins.module_utils.common.placeholders import PLACEHOLDERS_OPTION, listed


def view(name: str, attributes: dict[str, str], tags: dict[str, str]) -> dict[str, Any]:
    """What is returned of one queue."""
    return {**api.describe(name, attributes, tags), "messages": api.message_count(attributes)}


def read(sqs: Any, names: list[str] | None, name_prefix: str | None, tags: dict[str, Any]) -> list[dict[str, Any]]:
    """The queues that exist, by name or prefix, and carry the tags."""
    wanted = {key: str(value) for key, value in tags.items()}
    looked_up = api.queue_names(sqs, name_prefix or "") if names is None else names
    found = ((name, api.read_queue(sqs, name)) for name in looked_up)
    return [view(name, *queue) for name, queue in found if queue and wanted.items() <= queue[1].items()]


def queues(module: AnsibleAWSModule, sqs: Any) -> list[dict[str, Any]]:
    """The queues that are asked for."""
    names, prefix, tags = (module.params[option] for option in ("names", "name_prefix", "tags"))
    found = read(sqs, names, prefix, tags)
    # Which names a prefix will have once, nobody knows.
    return listed(module, found, names or [queue["name"] for queue in found], lambda name: api.placeholder(sqs, name))


def main() -> None:
    """Read the queues that are asked for."""
    module = AnsibleAWSModule(
        argument_spec={
            "names": {"type": "list", "elements": "str"},
            "name_prefix": {"type": "str"},
            "tags": {"type": "dict", "default": {}},
            **PLACEHOLDERS_OPTION,
        },
        required_one_of=[("names", "name_prefix")],
        mutually_exclusive=[("names", "name_prefix")],
        supports_check_mode=True,
    )
    exit_with(module, lambda: {"changed": False, "queues": queues(module, client(module, "sqs"))})


if __name__ == "__main__":
    main()
