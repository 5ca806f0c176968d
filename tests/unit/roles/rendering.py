# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What a role makes of its variables, by Ansible itself and without running the role."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.specs import role_spec
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tests.support.role_files import defaults


def render(
    folder: Path, role: str, files: Sequence[str], expression: str, cases: Sequence[Mapping[str, Any]]
) -> list[Any]:
    """The value of ``expression`` for each of the ``cases``, which are variables, in one run of ansible-playbook.

    ``files`` are the role's files of variables, such as ``defaults/main.yml``; ``folder`` is an empty one.
    """
    source = PROJECT / "roles" / role
    if (source / "templates").is_dir():
        (folder / "templates").symlink_to(source / "templates")
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False}
    copy = {"content": f"{{{{ {expression} | to_json }}}}", "dest": "{{ rendered_to }}"}
    plays, targets = [], [folder / f"rendered-{number}.json" for number in range(len(cases))]
    for case, target in zip(cases, targets, strict=True):
        # The last of the files counts, as variables of a playbook do over a role's defaults.
        given = target.with_name(f"given-{target.name}")
        own = {"rendered_to": str(target), "ansible_python_interpreter": sys.executable, **_inputs(role, case)}
        given.write_text(json.dumps({**case, **own}), encoding="utf-8")
        variables = [*(str(source / name) for name in files), str(given)]
        plays.append({**play, "vars_files": variables, "tasks": [{"ansible.builtin.copy": copy}]})
    playbook = folder / "play.yml"
    playbook.write_text(json.dumps(plays), encoding="utf-8")
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    command = [program, "--inventory", "localhost,", str(playbook)]
    ran = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return [json.loads(target.read_text(encoding="utf-8")) for target in targets]


def _inputs(role: str, case: Mapping[str, Any]) -> dict[str, Any]:
    """The fact that the role's first task sets, each option by its variable."""
    spec = role_spec(role)
    named = {"sm2a_tags": {}, **{name: option["default"] for name, option in spec.items() if "default" in option}}
    named |= defaults(role) | {name: value for name, value in case.items() if name in spec}
    return {f"{role}_inputs": {name.removeprefix(f"{role}_"): value for name, value in named.items()}}
