#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
---
module: wafv2_web_acl_association
version_added: 0.1.0
short_description: Protect an Application Load Balancer with an AWS WAF web ACL
description:
  - Associates a web ACL with a load balancer, or leaves the load balancer without one. A load balancer has one web ACL
    at most; another one takes its place without a gap.
author:
  - SM2A contributors (@sm2a)
options:
  load_balancer_name:
    description:
      - Name of the load balancer.
    type: str
    required: true
  web_acl_arn:
    description:
      - ARN of the web ACL. Required when O(state=present).
    type: str
  state:
    description:
      - Whether a web ACL protects the load balancer. A load balancer that is not there has none.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - sm2a.airflow.attributes
  - sm2a.airflow.state
"""

EXAMPLES = r"""
- name: Protect the load balancer
  sm2a.airflow.wafv2_web_acl_association:
    load_balancer_name: staging
    web_acl_arn: arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/company/01234567-89ab-cdef-0123-456789abcdef
"""

RETURN = r"""
association:
  description: The association; empty when there is none.
  returned: always
  type: dict
  contains:
    load_balancer_name:
      description: Name of the load balancer.
      type: str
      returned: when present
    web_acl_arn:
      description: Web ACL that protects it.
      type: str
      returned: when present
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils import wafv2 as api
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import STATE_OPTION, client, exit_with
from ansible_collections.sm2a.airflow.plugins.module_utils.common.results import Outcome
from ansible_collections.sm2a.airflow.plugins.module_utils.elbv2.api import describe_load_balancer


def view(name: str, web_acl_arn: str | None) -> dict[str, Any]:
    """An association for the result and the diff; {} when there is none."""
    return {"load_balancer_name": name, "web_acl_arn": web_acl_arn} if web_acl_arn else {}


def ensure(elbv2: Any, wafv2: Any, params: dict[str, Any], check_mode: bool) -> Outcome:
    """Associate or disassociate; in check mode, also with a load balancer that is to be created."""
    name, wanted = params["load_balancer_name"], params["web_acl_arn"] if params["state"] == "present" else None
    balancer = describe_load_balancer(elbv2, name)
    if balancer is None and wanted and not check_mode:
        raise AnsibleAWSError(message=f"Load balancer {name}, which the web ACL is to protect, does not exist")
    current = api.associated(wafv2, balancer["LoadBalancerArn"]) if balancer else None
    if balancer and not check_mode:
        if wanted and wanted != current:
            api.associate(wafv2, balancer["LoadBalancerArn"], wanted)
        if current and not wanted:
            api.disassociate(wafv2, balancer["LoadBalancerArn"])
    return Outcome(current != wanted, view(name, current), view(name, wanted))


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "load_balancer_name": {"type": "str", "required": True},
            "web_acl_arn": {"type": "str"},
            **STATE_OPTION,
        },
        required_if=[("state", "present", ("web_acl_arn",))],
        supports_check_mode=True,
    )
    elbv2, wafv2 = client(module, "elbv2"), client(module, "wafv2")
    exit_with(module, lambda: ensure(elbv2, wafv2, module.params, module.check_mode).result("association"))


if __name__ == "__main__":
    main()
