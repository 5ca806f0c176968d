"""Loads what the AWS modules import before the workers are forked: for the folder in_process, beside plugins."""

from __future__ import annotations

import boto3
from ansible.plugins.callback import CallbackBase
from ansible_collections.amazon.aws.plugins.module_utils import modules

DOCUMENTATION = """
name: loaded_libraries
type: aggregate
short_description: Loads boto3 and the code of amazon.aws before the workers are forked
description:
  - Workers that run modules themselves find the libraries in the memory that they share with the playbook.
"""
LOADED = (boto3, modules)


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Hears nothing; importing it is the purpose."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "sm2a.testing.loaded_libraries"
    CALLBACK_NEEDS_ENABLED = True
