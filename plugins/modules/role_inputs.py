#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

# Virtual module: the work is done by the action plugin of the same name.

from __future__ import annotations

DOCUMENTATION = r"""
module: role_inputs
version_added: 0.2.0
short_description: Check the options of a role of this collection, and publish them in their types
description:
  - Is the first task of every entry point of the roles of this collection, and only for them.
  - Converts every option of the role to the type that its argument spec declares, at every depth. So text from
    a survey, from C(-e name=value) or from an INI inventory is right too - C("false") is a boolean, C("1024") a number,
    and text in YAML or JSON a list or a dictionary.
  - Text without content stands for an option that is not given.
  - Fails with one sentence for each option that is missing or wrong, also where options do not fit together.
  - Sets the fact C(<role>_inputs), a dictionary with every option that has a value or a default, by its name without
    the prefix of the role. The role reads nothing else.
  - Secret options (C(no_log)) are not in the fact.
options:
  entry_point:
    description: Entry point of the role, as in its argument specs.
    type: str
    default: main
extends_documentation_fragment:
  - sm2a.airflow.attributes.action
author:
  - SM2A contributors (@sm2a)
"""

EXAMPLES = r"""
- name: Check the inputs
  sm2a.airflow.role_inputs:

- name: Check the inputs of another entry point
  sm2a.airflow.role_inputs:
    entry_point: join
"""

RETURN = r"""
ansible_facts:
  description: The fact C(<role>_inputs).
  returned: success
  type: dict
  sample: {broker_inputs: {state: present, visibility_timeout: 300, queues: [default]}}
"""
