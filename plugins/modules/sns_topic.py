#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
module: sns_topic
short_description: Manage a standard SNS topic and its subscriptions
version_added: 0.1.0
description:
  - Creates, changes and deletes a standard Amazon SNS topic.
  - An option that is not set leaves the topic's value alone.
  - A topic always has a policy, so a policy cannot be removed.
author:
  - SM2A contributors (@sm2a)
options:
  name:
    description: Name of the topic.
    type: str
    required: true
  display_name:
    description: Name that email and SMS notifications come from.
    type: str
  kms_key_id:
    description:
      - Id, ARN or alias of the KMS key that encrypts messages; an empty string ends the encryption.
      - CloudWatch alarms need a customer managed key whose policy admits C(cloudwatch.amazonaws.com).
    type: str
  signature_version:
    description: Hash of the signature of delivered messages, V(1) for SHA1 and V(2) for SHA256.
    type: str
    choices: ["1", "2"]
  policy:
    description:
      - Access policy, compared by meaning.
      - The text C(${topic_arn}) in it stands for the ARN of the topic.
    type: json
  subscriptions:
    description:
      - Who receives what is published. A subscriber outside of AWS has to confirm; until then nothing is sent again.
    type: list
    elements: dict
    suboptions:
      protocol:
        description: How messages are delivered.
        type: str
        required: true
        choices: [email, email-json, http, https, sms, sqs, lambda, firehose]
      endpoint:
        description: Address, URL, telephone number or ARN of the subscriber.
        type: str
        required: true
  purge_subscriptions:
    description:
      - Whether confirmed subscriptions that are not in O(subscriptions) are removed.
      - SNS itself removes those that nobody confirms.
    type: bool
    default: true
  state:
    description: Whether the topic exists. Its subscriptions go with it.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
  - sm2a.airflow.attributes
  - sm2a.airflow.state
"""

EXAMPLES = r"""
- name: A topic that CloudWatch publishes to
  sm2a.airflow.sns_topic:
    name: production-alarms
    kms_key_id: arn:aws:kms:eu-west-1:123456789012:key/0f6a7b5e-1111-2222-3333-444455556666
    policy:
      Version: "2012-10-17"
      Statement:
        - Effect: Allow
          Principal:
            Service: cloudwatch.amazonaws.com
          Action: sns:Publish
          Resource: ${topic_arn}
          Condition:
            StringEquals:
              aws:SourceAccount: "123456789012"
    subscriptions:
      - protocol: email
        endpoint: on-call@example.com

- name: No such topic
  sm2a.airflow.sns_topic:
    name: production-alarms
    state: absent
"""

RETURN = r"""
topic:
  description: The topic after the task, V({}) when it is absent.
  returned: always
  type: dict
  contains:
    name:
      description: Name of the topic.
      type: str
      returned: when the topic exists
    arn:
      description: ARN of the topic.
      type: str
      returned: when the topic exists
    display_name:
      description: Name that notifications come from.
      type: str
      returned: when the topic exists
    kms_key_id:
      description: The key as it was given, empty without encryption.
      type: str
      returned: when the topic exists
    signature_version:
      description: V(1) or V(2).
      type: str
      returned: when the topic exists
    policy:
      description: Access policy; in check mode V({}) when SNS has yet to write its own.
      type: dict
      returned: when the topic exists
    subscriptions:
      description: C(protocol) and C(endpoint) of each, sorted.
      type: list
      elements: dict
      returned: when the topic exists
    tags:
      description: Tags of the topic.
      type: dict
      returned: when the topic exists
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils import sns as api
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import (
    STATE_OPTION,
    TAG_OPTIONS,
    client,
    exit_with,
    tag_change,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.common.results import Outcome


def ensure_present(sns: Any, options: dict[str, Any], arn: str, check_mode: bool) -> Outcome:
    """Create the topic, or change the attributes, tags and subscriptions that differ."""
    found = api.read_topic(sns, arn)
    current = found or api.Topic({}, {}, {})
    wanted = api.wanted_attributes(options, arn)
    attributes = api.differing_attributes(current.attributes, wanted)
    tags = tag_change(current.tags, options["tags"], options["purge_tags"])
    subscriptions = api.subscription_change(current.subscriptions, options)
    if not check_mode:
        if found is None:
            api.create_topic(sns, options["name"], {key: value for key, value in wanted.items() if value}, tags.result)
        else:
            for name, value in attributes.items():
                api.set_attribute(sns, arn, name, value)
            if tags:
                api.set_tags(sns, arn, tags)
        for protocol, endpoint in subscriptions.add:
            api.subscribe(sns, arn, protocol, endpoint)
        for subscription in subscriptions.remove:
            api.unsubscribe(sns, subscription)
    after = api.Topic({**current.attributes, **attributes}, tags.result, subscriptions.result)
    before = api.describe(arn, found) if found else {}
    return Outcome(found is None or bool(attributes or tags or subscriptions), before, api.describe(arn, after))


def ensure_absent(sns: Any, _options: dict[str, Any], arn: str, check_mode: bool) -> Outcome:
    """Delete the topic when it exists."""
    found = api.read_topic(sns, arn)
    if found is None:
        return Outcome(False)
    if not check_mode:
        api.delete_topic(sns, arn)
    return Outcome(True, api.describe(arn, found))


def main() -> None:
    """Manage the topic."""
    subscription = {
        "protocol": {"type": "str", "required": True, "choices": list(api.PROTOCOLS)},
        "endpoint": {"type": "str", "required": True},
    }
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "display_name": {"type": "str"},
            "kms_key_id": {"type": "str"},
            "signature_version": {"type": "str", "choices": ["1", "2"]},
            "policy": {"type": "json"},
            "subscriptions": {"type": "list", "elements": "dict", "options": subscription},
            "purge_subscriptions": {"type": "bool", "default": True},
            **STATE_OPTION,
            **TAG_OPTIONS,
        },
        supports_check_mode=True,
    )
    ensure = ensure_present if module.params["state"] == "present" else ensure_absent

    def work() -> dict[str, Any]:
        arn = api.topic_arn(client(module, "sts"), module.region, module.params["name"])
        return ensure(client(module, "sns"), module.params, arn, module.check_mode).result("topic")

    exit_with(module, work)


if __name__ == "__main__":
    main()
