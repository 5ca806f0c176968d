#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)

# Virtual module: the work is done by the action plugin of the same name.

from __future__ import annotations

DOCUMENTATION = r"""
module: validate_variables
version_added: 0.1.0
short_description: Refuse unknown and ill-typed variables before the first change
description:
  - Compares every variable of the host that starts with C(sm2a_) or with the name of a role of this collection with the
    argument specs of the roles.
  - Fails with one sentence for each variable that no spec knows, that has a value of the wrong type, or that is
    required for the whole stack and has no value.
  - Ansible itself checks a role when that role starts, and does not notice a misspelt name.
  - A value that refers to something not yet known, such as the fact of a role that has yet to run, is left for
    Ansible's own check of that role.
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
author:
  - SM2A contributors (@sm2a)
"""

EXAMPLES = r"""
- name: Refuse wrong variables before anything is changed
  sm2a.airflow.validate_variables:
"""

RETURN = r"""
checked:
  description: Number of variables that were compared.
  returned: success
  type: int
  sample: 12
"""
