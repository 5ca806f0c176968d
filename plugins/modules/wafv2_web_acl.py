#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
---
module: wafv2_web_acl
version_added: 0.1.0
short_description: Manage an AWS WAF web ACL of managed rule groups and rate limits
description:
  - Manages a web ACL for load balancers (scope C(REGIONAL)). It allows what no rule blocks; its rules are managed rule
    groups and limits of requests by address.
  - Rules that somebody added by hand are removed.
author:
  - SM2A contributors (@sm2a)
options:
  name:
    description:
      - Name of the web ACL.
    type: str
    required: true
  managed_rule_groups:
    description:
      - Managed rule groups, in the order in which they apply.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the rule group, such as V(AWSManagedRulesCommonRuleSet).
        type: str
        required: true
      vendor:
        description: Who maintains it.
        type: str
        default: AWS
      count_only:
        description: Whether matching requests are counted instead of blocked.
        type: bool
        default: false
      count_rules:
        description: Rules of the group that count matching requests instead of blocking them.
        type: list
        elements: str
        default: []
  rate_limit:
    description:
      - Requests within five minutes after which an address is blocked, until it sends fewer. Unset means no limit.
    type: int
  login_rate_limit:
    description:
      - POST requests below C(/auth/) within five minutes after which an address is blocked from there, until it sends
        fewer; 10 or more. Unset means no limit besides O(rate_limit).
    type: int
  state:
    description:
      - Whether the web ACL exists. One that protects a load balancer cannot be removed.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
  - sm2a.airflow.attributes
  - sm2a.airflow.state
"""

EXAMPLES = r"""
- name: A web ACL
  sm2a.airflow.wafv2_web_acl:
    name: staging
    rate_limit: 2000
    login_rate_limit: 100
    managed_rule_groups:
      - name: AWSManagedRulesAmazonIpReputationList
      - name: AWSManagedRulesCommonRuleSet
        count_rules: [SizeRestrictions_BODY]
"""

RETURN = r"""
web_acl:
  description: The web ACL; empty when absent.
  returned: always
  type: dict
  contains:
    web_acl_arn:
      description: Its ARN; made of zeros in check mode when it is to be created.
      type: str
      returned: when present
    rules:
      description: Its rules by name.
      type: dict
      returned: when present
    tags:
      description: Its tags.
      type: dict
      returned: when present
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils import wafv2 as api
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import (
    STATE_OPTION,
    TAG_OPTIONS,
    client,
    manage,
    tag_change,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.common.placeholders import ID, placeholder_arn
from ansible_collections.sm2a.airflow.plugins.module_utils.common.results import Outcome


def view(arn: str, settings: dict[str, Any], tags: dict[str, str]) -> dict[str, Any]:
    """A web ACL for the result and the diff."""
    return {
        "web_acl_arn": arn,
        "default_action": settings["DefaultAction"],
        "rules": {rule["Name"]: api.readable(api.without_empty_lists(rule)) for rule in settings["Rules"]},
        "visibility": settings["VisibilityConfig"],
        "tags": tags,
    }


def ensure_present(wafv2: Any, params: dict[str, Any], check_mode: bool) -> Outcome:
    """Create the web ACL, or change what differs."""
    name = params["name"]
    settings = api.settings_of(name, params)
    summary = api.find_summary(wafv2, name)
    if summary is None:
        tags = tag_change({}, params["tags"], purge=False).result
        arn = placeholder_arn(wafv2, f"regional/webacl/{name}/{ID}")
        if not check_mode:
            arn = api.create_web_acl(wafv2, name, settings, tags)
        return Outcome(True, {}, view(arn, settings, tags))
    current, lock_token = api.get_web_acl(wafv2, summary)
    arn, held_tags = summary["ARN"], api.tags_of(wafv2, summary["ARN"])
    change = tag_change(held_tags, params["tags"], params["purge_tags"])
    before, after = view(arn, current, held_tags), view(arn, settings, change.result)
    if not check_mode:
        if {**before, "tags": {}} != {**after, "tags": {}}:
            api.update_web_acl(wafv2, summary, settings, lock_token)
        if change:
            api.write_tags(wafv2, arn, change)
    return Outcome(before != after, before, after)


def ensure_absent(wafv2: Any, params: dict[str, Any], check_mode: bool) -> Outcome:
    """Delete the web ACL."""
    summary = api.find_summary(wafv2, params["name"])
    if summary is None:
        return Outcome(False)
    current, _lock_token = api.get_web_acl(wafv2, summary)
    before = view(summary["ARN"], current, api.tags_of(wafv2, summary["ARN"]))
    if not check_mode:
        api.delete_web_acl(wafv2, summary)
    return Outcome(True, before, {})


def main() -> None:
    group = {
        "name": {"type": "str", "required": True},
        "vendor": {"type": "str", "default": "AWS"},
        "count_only": {"type": "bool", "default": False},
        "count_rules": {"type": "list", "elements": "str", "default": []},
    }
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "managed_rule_groups": {"type": "list", "elements": "dict", "options": group, "default": []},
            "rate_limit": {"type": "int"},
            "login_rate_limit": {"type": "int"},
            **STATE_OPTION,
            **TAG_OPTIONS,
        },
        supports_check_mode=True,
    )
    manage(module, client(module, "wafv2"), "web_acl", ensure_present, ensure_absent)


if __name__ == "__main__":
    main()
