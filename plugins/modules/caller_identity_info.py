#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
module: caller_identity_info
short_description: Which account, partition and region the AWS credentials lead to
version_added: 0.1.0
description:
  - Returns what ARNs and resource policies are built from, so that no role needs to be told its region.
  - Unlike M(amazon.aws.aws_caller_info) it returns region and partition, and says what to do about wrong credentials.
author:
  - SM2A contributors (@sm2a)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - sm2a.airflow.attributes.info
"""

EXAMPLES = r"""
- name: Read account and region
  sm2a.airflow.caller_identity_info:
  register: identity
"""

RETURN = r"""
account_id:
  description: Id of the account.
  returned: always
  type: str
  sample: "123456789012"
arn:
  description: ARN of the user or role that calls.
  returned: always
  type: str
  sample: arn:aws:sts::123456789012:assumed-role/deploy/session
partition:
  description: Partition of the account, such as V(aws), V(aws-cn) or V(aws-us-gov).
  returned: always
  type: str
  sample: aws
region:
  description: Region that the task's options or the environment select.
  returned: always
  type: str
  sample: eu-west-1
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call, client, exit_with


@call("read the caller's identity")
def caller_identity(sts: Any) -> dict[str, str]:
    """``{Account, Arn, UserId}`` of the credentials."""
    identity: dict[str, str] = sts.get_caller_identity()
    return identity


def view(sts: Any) -> dict[str, Any]:
    """What the module returns."""
    identity = caller_identity(sts)
    return {
        "changed": False,
        "account_id": identity["Account"],
        "arn": identity["Arn"],
        "partition": identity["Arn"].split(":")[1],
        "region": sts.meta.region_name,
    }


def main() -> None:
    """Read the identity."""
    module = AnsibleAWSModule(argument_spec={}, supports_check_mode=True)
    # A wrong region has no address, and this is the read that finds out: it does not keep one waiting.
    exit_with(module, lambda: view(client(module, "sts", connection_attempts=4)))


if __name__ == "__main__":
    main()
