#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
module: sqs_queue
short_description: Manage standard SQS queues
version_added: 0.1.0
description:
  - Creates, changes and deletes standard Amazon SQS queues, several in one task.
  - An option that is not set leaves the queue's value alone; an empty O(queues[].policy), O(queues[].redrive_policy) or
    O(queues[].redrive_allow_policy) removes it.
author:
  - SM2A contributors (@sm2a)
options:
  names:
    description: Names of queues that are to go, in place of O(queues); for O(state=absent) only.
    type: list
    elements: str
  queues:
    description:
      - The queues, managed in this order. Put a dead-letter queue before the queues that name it.
      - All get the same O(tags), and each those of its own.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the queue.
        type: str
        required: true
      visibility_timeout:
        description: Seconds for which a received message stays invisible, 0 to 43200.
        type: int
      message_retention_period:
        description: Seconds for which a message is kept, 60 to 1209600.
        type: int
      receive_message_wait_time:
        description: Seconds for which a receive call waits for a message (long poll), 0 to 20.
        type: int
      delay:
        description: Seconds after which a sent message becomes visible, 0 to 900.
        type: int
      maximum_message_size:
        description: Largest message in bytes, 1024 to 1048576.
        type: int
      kms_key_id:
        description:
          - Id, ARN or alias of the KMS key that encrypts messages, in place of a key of SQS's own.
          - An empty string removes it.
        type: str
      kms_data_key_reuse_period:
        description: Seconds for which SQS reuses a data key before it calls KMS again, 60 to 86400.
        type: int
      managed_sse:
        description: Whether SQS encrypts with a key of its own (SSE-SQS). V(true) removes a KMS key from the queue.
        type: bool
      policy:
        description:
          - Access policy, compared by meaning. V({}) removes it.
          - The text C(${queue_arn}) in it stands for the ARN of the queue.
        type: json
      redrive_policy:
        description: Where messages go that were received too often. V({}) removes it.
        type: dict
        suboptions:
          dead_letter_queue:
            description: Name (same account and region) or ARN of the dead-letter queue.
            type: str
          max_receive_count:
            description: How often a message may be received before it moves, 1 to 1000.
            type: int
            default: 10
      redrive_allow_policy:
        description: Which queues may use this one as their dead-letter queue. V({}) removes it.
        type: dict
        suboptions:
          redrive_permission:
            description: V(byQueue) allows the queues in O(queues[].redrive_allow_policy.source_queues).
            type: str
            choices: [allowAll, denyAll, byQueue]
          source_queues:
            description: Names (same account and region) or ARNs, at most 10.
            type: list
            elements: str
      tags:
        description: Tags of this queue, besides O(tags).
        type: dict
  when_not_empty:
    description:
      - What O(state=absent) does with a queue that holds messages, waiting or being worked on.
      - V(fail) ends in an error, V(keep) leaves the queue as it is with a warning, V(purge) deletes it with its
        messages.
      - SQS counts approximately, and as of about a minute ago.
    type: str
    choices: [fail, keep, purge]
    default: fail
  state:
    description: Whether the queues exist.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
  - sm2a.airflow.attributes
  - sm2a.airflow.state
notes:
  - SQS refuses to create a queue for 60 seconds after one of that name was deleted. The module tries again until then.
"""

EXAMPLES = r"""
- name: A work queue with its dead-letter queue
  sm2a.airflow.sqs_queue:
    queues:
      - name: airflow-dead-letter
        message_retention_period: 1209600
        managed_sse: true
        redrive_allow_policy:
          redrive_permission: byQueue
          source_queues: [airflow-default]
      - name: airflow-default
        visibility_timeout: 3600
        managed_sse: true
        redrive_policy:
          dead_letter_queue: airflow-dead-letter
          max_receive_count: 10
    tags:
      application: airflow

- name: Stop using the dead-letter queue
  sm2a.airflow.sqs_queue:
    queues:
      - name: airflow-default
        redrive_policy: {}

- name: Remove both
  sm2a.airflow.sqs_queue:
    state: absent
    queues:
      - name: airflow-default
      - name: airflow-dead-letter
"""

RETURN = r"""
queues:
  description: Each queue after the task, in the order of O(queues); only its name when it is absent.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the queue.
      type: str
      returned: always
    changed:
      description: Whether this queue changed.
      type: bool
      returned: always
    url:
      description: URL of the queue; in check mode a placeholder of the right shape for a queue to be created.
      type: str
      returned: when the queue exists
    arn:
      description: ARN of the queue; in check mode a placeholder of the right shape for a queue to be created.
      type: str
      returned: when the queue exists
    visibility_timeout:
      description: Seconds. The other numbers are named after their options as well.
      type: int
      returned: when the queue exists
    policy:
      description: Access policy, V({}) when there is none. O(queues[].redrive_policy) and the allow policy likewise.
      type: dict
      returned: when the queue exists
    tags:
      description: Tags of the queue.
      type: dict
      returned: when the queue exists
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils import sqs as api
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import (
    STATE_OPTION,
    TAG_OPTIONS,
    client,
    exit_with,
    joint_tags,
    tag_change,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.common.items import NAMES_OPTION, list_rules, listed_items
from ansible_collections.sm2a.airflow.plugins.module_utils.common.results import Outcome, list_result

Options = Mapping[str, Any]


def ensure_present(sqs: Any, options: Options, check_mode: bool) -> Outcome:
    """Create the queue, or change the attributes and tags that differ."""
    name = options["name"]
    found = api.read_queue(sqs, name)
    if found is None:
        return create(sqs, options, check_mode)
    current, current_tags = found
    attributes = api.differing_attributes(current, api.wanted_attributes(options, current["QueueArn"]))
    tagging = tag_change(current_tags, options["tags"], options["purge_tags"])
    if not check_mode:
        if attributes:
            api.set_attributes(sqs, current["QueueUrl"], attributes)
        if tagging.set:
            api.tag_queue(sqs, current["QueueUrl"], tagging.set)
        if tagging.remove:
            api.untag_queue(sqs, current["QueueUrl"], tagging.remove)
    before = api.describe(name, current, current_tags)
    after = api.describe(name, {**current, **attributes}, tagging.result)
    return Outcome(bool(attributes or tagging), before, after)


def create(sqs: Any, options: Options, check_mode: bool) -> Outcome:
    """Create the queue with its attributes in one call; the policies name queues by ARN, so they follow."""
    name, tags = options["name"], {key: str(value) for key, value in (options["tags"] or {}).items()}
    placeholder = api.placeholder(sqs, name)
    wanted = {key: value for key, value in api.wanted_attributes(options, placeholder["arn"]).items() if value}
    if check_mode:
        predicted = {**wanted, "QueueArn": placeholder["arn"], "QueueUrl": placeholder["url"]}
        return Outcome(True, {}, api.describe(name, predicted, tags))
    at_once = {key: value for key, value in wanted.items() if key not in api.POLICIES.values()}
    url = api.create_queue(sqs, name, at_once, tags)
    attributes = api.queue_attributes(sqs, url)
    if attributes is None:
        raise AnsibleAWSError(message=f"SQS does not know queue {name}, which was made just now: run again")
    made = {**attributes, "QueueUrl": url}
    policies = api.differing_attributes(made, api.wanted_attributes(options, made["QueueArn"]))
    if policies:
        api.set_attributes(sqs, url, policies)
    return Outcome(True, {}, api.describe(name, {**made, **policies}, tags))


def ensure_absent(sqs: Any, name: str, when_not_empty: str, check_mode: bool) -> Outcome:
    """Delete the queue when it exists; one that is not empty is kept (the outcome then says so), refused or deleted."""
    found = api.read_queue(sqs, name)
    if found is None:
        return Outcome(False)
    before = api.describe(name, *found)
    messages = api.message_count(found[0])
    if messages and when_not_empty == "keep":
        return Outcome(False, before, before)
    if messages and when_not_empty == "fail":
        raise AnsibleAWSError(message=f"Queue {name} holds {messages} messages: set when_not_empty to keep or purge")
    if not check_mode:
        api.delete_queue(sqs, found[0]["QueueUrl"])
    return Outcome(True, before)


def argument_spec() -> dict[str, Any]:
    """The options as AnsibleModule wants them."""
    queue = {
        "name": {"type": "str", "required": True},
        **{option: {"type": "int"} for option in api.NUMBERS if option != "kms_data_key_reuse_period"},
        "kms_key_id": {"type": "str"},
        "kms_data_key_reuse_period": {"type": "int", "no_log": False},
        "managed_sse": {"type": "bool"},
        "policy": {"type": "json"},
        "redrive_policy": {
            "type": "dict",
            "options": {"dead_letter_queue": {"type": "str"}, "max_receive_count": {"type": "int", "default": 10}},
        },
        "redrive_allow_policy": {
            "type": "dict",
            "options": {
                "redrive_permission": {"type": "str", "choices": ["allowAll", "denyAll", "byQueue"]},
                "source_queues": {"type": "list", "elements": "str"},
            },
            "required_if": [("redrive_permission", "byQueue", ["source_queues"])],
        },
        "tags": {"type": "dict"},
    }
    return {
        **NAMES_OPTION,
        "queues": {"type": "list", "elements": "dict", "options": queue},
        "when_not_empty": {"type": "str", "choices": ["fail", "keep", "purge"], "default": "fail"},
        **TAG_OPTIONS,
        **STATE_OPTION,
    }


def main() -> None:
    """Manage each queue of the list and report per queue."""
    module = AnsibleAWSModule(argument_spec=argument_spec(), supports_check_mode=True, **list_rules("queues"))
    sqs = client(module, "sqs")
    options = module.params

    def ensure(queue: dict[str, Any]) -> Outcome:
        if options["state"] == "absent":
            outcome = ensure_absent(sqs, queue["name"], options["when_not_empty"], module.check_mode)
            if outcome.after:
                module.warn(f"Queue {queue['name']} still holds messages and was kept")
            return outcome
        tagging = {"tags": joint_tags(options["tags"], queue["tags"]), "purge_tags": options["purge_tags"]}
        return ensure_present(sqs, {**queue, **tagging}, module.check_mode)

    exit_with(
        module,
        lambda: list_result({queue["name"]: ensure(queue) for queue in listed_items(options, "queues")}, "queues"),
    )


if __name__ == "__main__":
    main()
