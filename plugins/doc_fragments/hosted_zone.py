# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations


class ModuleDocFragment:
    """ZONE_OPTIONS of module_utils/route53.py. A module describes what its zone is for."""

    DOCUMENTATION = r"""
options:
  hosted_zone_id:
    description: Id of the hosted zone.
    type: str
  hosted_zone_name:
    description: Name of that zone, instead of its id.
    type: str
  dns_role_arn:
    description:
      - Role that is assumed for the calls of Route 53, and for no others, because another account has the hosted zone.
        Its credentials stay inside the module.
    type: str
  dns_role_external_id:
    description: External ID that the trust policy of O(dns_role_arn) asks for.
    type: str
"""
