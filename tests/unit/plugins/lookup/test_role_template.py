# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""role_template gives what ansible-core's lookup of templates gives."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT

TEMPLATE = """\
{# a comment #}
{% for name, size in groups_of_mine.items() %}
- {{ name | to_json }}: {{ size * factor }}  {{ '{{ not_a_template }}' }}
{% endfor %}
text: {{ said }}
"""
VARIABLES = {
    "groups_of_mine": {"a": 1, "b": "{{ factor }}"},
    "factor": 2,
    "said": "{{ 'Grüße' }}, {{ item | default('nobody') }}",
    "ours": "{{ lookup('sm2a.airflow.role_template', name) }}",
    "theirs": "{{ lookup('ansible.builtin.template', name) }}",
    "name": "one.yml.j2",
}


def play(directory: Path, *tasks: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Run tasks beside the template."""
    (directory / "templates").mkdir()
    (directory / "templates/one.yml.j2").write_text(TEMPLATE, encoding="utf-8")
    playbook = directory / "play.yml"
    document = {"hosts": "localhost", "gather_facts": False, "vars": VARIABLES, "tasks": list(tasks)}
    playbook.write_text(yaml.safe_dump([document]), encoding="utf-8")
    return subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", playbook],
        cwd=PROJECT,
        env={**os.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_text_is_that_of_the_other_lookup(tmp_path: Path) -> None:
    that = ["ours == theirs", "'Grüße, you' in ours", "': 4  {' in ours"]
    ran = play(tmp_path, {"ansible.builtin.assert": {"that": that}, "loop": ["you"]})
    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "other.yml.j2"}, "There is no template other.yml.j2"),
        ({"said": "{{ missing }}"}, "'missing' is undefined"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, change: dict[str, str], message: str) -> None:
    ran = play(tmp_path, {"ansible.builtin.debug": {"var": "ours"}, "vars": change})
    assert message in ran.stdout + ran.stderr
