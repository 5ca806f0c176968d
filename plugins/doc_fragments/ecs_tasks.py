# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations


class ModuleDocFragment:
    """WATCH_OPTIONS of module_utils/ecs/options.py."""

    DOCUMENTATION = r"""
options:
  wait_delay:
    description: Seconds between two looks.
    type: int
    default: 5
  log_lines:
    description: How many of a task's last log lines to show.
    type: int
    default: 20
"""
