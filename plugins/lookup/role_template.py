# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Render a template of a role without copying every variable first, which takes longer than the rendering."""

from __future__ import annotations

DOCUMENTATION = """
name: role_template
author:
  - SM2A contributors (@sm2a)
short_description: Render a template of a role
description:
  - Like P(ansible.builtin.template#lookup) without options, in a tenth of its time.
  - The variables are not copied.
  - There are no C(template_*) variables and no C(ansible_managed).
options:
  _terms:
    description: Names of files in C(templates) of the role.
    required: true
"""

EXAMPLES = """
- name: Slots of each worker group
  ansible.builtin.debug:
    msg: "{{ lookup('sm2a.airflow.role_template', 'slots.yml.j2') | from_yaml }}"
"""

RETURN = """
_raw:
  description: The text of each file.
  type: list
  elements: str
"""

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

try:
    from ansible.template import trust_as_template
except ImportError:  # ansible-core before 2.19 trusts all text that is not marked.

    def trust_as_template(value: str) -> str:
        """The same text."""
        return value


class LookupModule(LookupBase):  # type: ignore[misc]
    """Templates see the variables of the task."""

    def run(self, terms: list[str], variables: Mapping[str, Any] | None = None, **kwargs: Any) -> list[Any]:
        """Text of each file."""
        self.set_options(var_options=variables, direct=kwargs)
        return [self._render(str(term), variables) for term in terms]

    def _render(self, name: str, variables: Mapping[str, Any] | None) -> Any:
        """What one file becomes."""
        path = self.find_file_in_search_path(variables, "templates", name)
        if not path:
            raise AnsibleLookupError(f"There is no template {name}")
        # As the lookup of ansible-core reads it; it keeps what it has read.
        text = self._loader.get_text_file_contents(path)
        return self._templar.template(trust_as_template(text))
