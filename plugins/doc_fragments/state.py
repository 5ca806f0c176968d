# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations


class ModuleDocFragment:
    """STATE_OPTION of module_utils/common/aws.py. A module describes what its state means."""

    DOCUMENTATION = r"""
options:
  state:
    description: Whether it exists.
    type: str
    choices: [present, absent]
    default: present
"""
