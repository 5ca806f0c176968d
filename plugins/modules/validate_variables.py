#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

# Virtual module: the work is done by the action plugin of the same name.

from __future__ import annotations

DOCUMENTATION = r"""
module: validate_variables
version_added: 0.1.0
short_description: Refuse wrong variables before the first change, and publish the others in their types
description:
  - Compares every variable of the host that starts with C(sm2a_) or with the name of a role of this collection with the
    argument specs of the roles and with the rules that AWS and Airflow have for them.
  - Fails with one sentence for each variable that no spec knows (also where its beginning is misspelt), that has no
    value or one of the wrong type, that breaks a rule, that does not fit to another one, or that is required for the
    whole stack and missing.
  - Fails as well for each variable that the playbook itself sets for a role, because the value would be lost.
  - Text is converted at every depth, as M(sm2a.airflow.role_inputs) does it. Text without content stands for a variable
    that is not given.
  - Ansible itself checks a role when that role starts, and does not notice a misspelt name.
  - A value that refers to something not yet known, such as the fact of a role that has yet to run, is left for
    that role, which checks it when it starts.
  - Sets the fact C(sm2a_inputs), a dictionary with every variable of every role and of the whole stack. Each has the
    value of the host in the type that its spec declares, the default of the spec, or V(none). So a playbook hands a
    variable of one role to another without its default.
  - Secret variables (C(no_log)) are not in the fact, nor are values that are not yet known.
options:
  renamed:
    description:
      - Variables that have another name in this playbook, old name to new. They are refused with the new name.
    type: dict
    default: {}
extends_documentation_fragment:
  - sm2a.airflow.attributes.action
author:
  - SM2A contributors (@sm2a)
"""

EXAMPLES = r"""
- name: Refuse wrong variables before anything is changed
  sm2a.airflow.validate_variables:

- name: Use a variable of a role elsewhere, with its type and its default
  ansible.builtin.debug:
    msg: "{{ sm2a_inputs.load_balancer_https_port }}"
"""

RETURN = r"""
checked:
  description: Number of variables that were compared.
  returned: success
  type: int
  sample: 12
ansible_facts:
  description: The fact C(sm2a_inputs).
  returned: success
  type: dict
  sample: {sm2a_inputs: {load_balancer_https_port: 443, network_nat: true}}
"""
