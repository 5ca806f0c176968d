#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
module: s3_run_lock_info
short_description: Say who holds a run lock in S3
version_added: 0.1.0
description:
  - Reads the lock that M(sm2a.airflow.s3_run_lock) takes, whichever run holds it, and also when it is stale.
author:
  - SM2A contributors (@sm2a)
options:
  bucket:
    description: Bucket of the lock. Without such a bucket nobody holds it.
    type: str
    required: true
  key:
    description: Key of the lock's object.
    type: str
    default: run-lock.json
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - sm2a.airflow.attributes.info
"""

EXAMPLES = r"""
- name: Ask who holds the lock
  sm2a.airflow.s3_run_lock_info:
    bucket: staging-run-lock-123456789012
  register: held
"""

RETURN = r"""
lock:
  description: The lock, as RV(sm2a.airflow.s3_run_lock#module:lock); empty when nobody holds it.
  returned: always
  type: dict
  sample:
    user: ada
    host: build7
    pid: 4711
    playbook: site.yml
    since: "2026-01-02T03:04:05+00:00"
    until: "2026-01-02T05:04:05+00:00"
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import client, exit_with
from ansible_collections.sm2a.airflow.plugins.module_utils.s3 import run_lock


def view(s3: Any, bucket: str, key: str) -> dict[str, Any]:
    """The lock, ``{}`` when nobody holds it."""
    lock = run_lock.read(s3, bucket, key)
    return lock.view() if lock else {}


def main() -> None:
    """Read the lock."""
    module = AnsibleAWSModule(
        argument_spec={**run_lock.PLACE_OPTIONS},
        supports_check_mode=True,
    )
    bucket, key = module.params["bucket"], module.params["key"]
    exit_with(module, lambda: {"changed": False, "lock": view(client(module, "s3"), bucket, key)})


if __name__ == "__main__":
    main()
