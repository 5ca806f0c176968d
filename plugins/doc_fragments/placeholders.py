# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations


class ModuleDocFragment:
    """PLACEHOLDERS_OPTION of module_utils/common/placeholders.py."""

    DOCUMENTATION = r"""
options:
  placeholders:
    description:
      - In check mode, what does not exist yet is returned too, with identifiers of the right shape and C(exists=false),
        so that later tasks can be checked. Nothing but its name and its identifiers is returned then.
      - What exists and lacks an identifier, such as the address of a database that is being created, gets that one.
      - A real run never returns any.
    type: bool
    default: false
"""
