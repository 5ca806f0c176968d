# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations


class ModuleDocFragment:
    """ENGINE_OPTION of module_utils/containers/engine.py."""

    DOCUMENTATION = r"""
options:
  engine:
    description: Container engine. V(auto) takes Docker when its daemon answers, else Podman.
    type: str
    choices: [auto, docker, podman]
    default: auto
"""
