# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations


class ModuleDocFragment:
    """What modules support. A module that has more to say about one attribute overrides its description."""

    # Modules that change something.
    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Predicts the change without making it.
    support: full
  diff_mode:
    description: Shows what changes, before and after.
    support: full
"""

    # Modules that only read.
    INFO = r"""
attributes:
  check_mode:
    description: Only reads.
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
"""

    # Modules that are an action plugin only.
    ACTION = r"""
attributes:
  action:
    description: Runs on the controller, as an action plugin.
    support: full
  check_mode:
    description: Changes nothing, with or without check mode.
    support: full
  diff_mode:
    description: Has nothing to show.
    support: none
"""

    # Modules that work on the machine itself.
    PLATFORM = r"""
attributes:
  platform:
    description: Systems on which the module works.
    support: full
    platforms: posix
"""
