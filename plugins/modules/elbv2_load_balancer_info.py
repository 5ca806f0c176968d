#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
---
module: elbv2_load_balancer_info
version_added: 0.1.0
short_description: Read an Application Load Balancer with its HTTPS listener
description:
  - Reads what M(sm2a.airflow.elbv2_load_balancer) manages, by name.
author:
  - SM2A contributors (@sm2a)
options:
  name:
    description:
      - Name of the load balancer.
    type: str
    required: true
  target_group_name:
    description:
      - Name of the target group whose ARN O(placeholders) makes up; without it, that of the load balancer.
      - Alarms show it, because metrics have it as a dimension.
    type: str
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - sm2a.airflow.attributes.info
  - sm2a.airflow.placeholders
"""

EXAMPLES = r"""
- name: Read the load balancer
  sm2a.airflow.elbv2_load_balancer_info:
    name: staging
  register: staging
"""

RETURN = r"""
load_balancers:
  description: The load balancer; no entry when there is none, unless O(placeholders).
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      returned: always
    exists:
      description: Whether it exists; V(false) for a placeholder.
      type: bool
      returned: always
    load_balancer_arn:
      description: Its ARN.
      type: str
      returned: always
    dns_name:
      description: Its DNS name.
      type: str
      returned: always
    canonical_hosted_zone_id:
      description: Hosted zone for alias records of it.
      type: str
      returned: always
    target_group_arns:
      description: Target groups of its HTTPS listeners and their rules.
      type: list
      elements: str
      returned: always
    certificate_arns:
      description: Certificates of its HTTPS listeners.
      type: list
      elements: str
      returned: always
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import client, exit_with
from ansible_collections.sm2a.airflow.plugins.module_utils.common.placeholders import (
    ID,
    PLACEHOLDERS_OPTION,
    placeholder_arn,
    single,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.elbv2.api import (
    describe_listeners,
    describe_load_balancer,
    load_balancer_placeholder_arn,
    target_group_placeholder_arn,
    target_groups_of,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.elbv2.rules import describe_rules


def actions_of(elbv2: Any, listener: dict[str, Any]) -> list[dict[str, Any]]:
    """Actions of a listener and of its rules."""
    rules = describe_rules(elbv2, listener["ListenerArn"]).values()
    return [*listener.get("DefaultActions", []), *(action for rule in rules for action in rule["Actions"])]


def read(elbv2: Any, name: str) -> dict[str, Any] | None:
    """The load balancer; None when there is none."""
    found = describe_load_balancer(elbv2, name)
    if not found:
        return None
    listeners = describe_listeners(elbv2, found["LoadBalancerArn"]).values()
    secure = [listener for listener in listeners if listener["Protocol"] == "HTTPS"]
    actions = [action for listener in secure for action in actions_of(elbv2, listener)]
    return {
        "name": name,
        "load_balancer_arn": found["LoadBalancerArn"],
        "dns_name": found["DNSName"],
        "canonical_hosted_zone_id": found["CanonicalHostedZoneId"],
        "target_group_arns": list(dict.fromkeys(target_groups_of(actions))),
        "certificate_arns": [one["CertificateArn"] for listener in secure for one in listener.get("Certificates", [])],
    }


def identifiers(elbv2: Any, name: str, target_group_name: str) -> dict[str, Any]:
    """Made-up ones of a load balancer, its target group and its certificate."""
    return {
        "name": name,
        "load_balancer_arn": load_balancer_placeholder_arn(elbv2, name),
        "dns_name": f"{name}-0.{elbv2.meta.region_name}.elb.amazonaws.com",
        "canonical_hosted_zone_id": "Z00000000000000000000",
        "target_group_arns": [target_group_placeholder_arn(elbv2, target_group_name)],
        "certificate_arns": [placeholder_arn(elbv2, f"certificate/{ID}", service="acm")],
    }


def main() -> None:
    """Read the load balancer."""
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "target_group_name": {"type": "str"},
            **PLACEHOLDERS_OPTION,
        },
        supports_check_mode=True,
    )

    def work() -> dict[str, Any]:
        elbv2, name = client(module, "elbv2"), module.params["name"]
        made_up = identifiers(elbv2, name, module.params["target_group_name"] or name)
        found = single(module, read(elbv2, name), made_up)
        return {"changed": False, "load_balancers": found}

    exit_with(module, work)


if __name__ == "__main__":
    main()
