# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What extensions/awx/controller defines, with its variables resolved by Ansible itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.sm2a.airflow.tests.support.project import PROJECT

KINDS = ("controller_templates", "controller_workflows", "controller_credential_types")
TEXTS = ("text", "textarea")
PLAYBOOK = PROJECT / "tests/awx_jobs/read_definitions.yml"


@dataclass(frozen=True)
class Definitions:
    """Lists of the names of infra.aap_configuration."""

    lists: Mapping[str, list[dict[str, Any]]]

    def _named(self, kind: str, name: str) -> dict[str, Any]:
        [found] = [one for one in self.lists[kind] if one["name"] == name]
        return found

    @property
    def templates(self) -> list[dict[str, Any]]:
        """Every job template."""
        return self.lists["controller_templates"]

    def template(self, name: str) -> dict[str, Any]:
        """One job template."""
        return self._named("controller_templates", name)

    def workflow(self, name: str) -> dict[str, Any]:
        """One workflow."""
        return self._named("controller_workflows", name)

    def credential_type(self, name: str) -> dict[str, Any]:
        """One credential type."""
        return self._named("controller_credential_types", name)

    def survey_defaults(self, template: Mapping[str, Any]) -> dict[str, Any]:
        """The answers that the controller takes for unanswered questions: the defaults that are valid answers.

        An empty text is one for a question that wants a text, and none for a number or a choice.
        """
        questions = (template.get("survey_spec") or {}).get("spec", []) if template.get("survey_enabled") else []
        usable = [one for one in questions if one.get("default") is not None]
        return {one["variable"]: one["default"] for one in usable if one["default"] != "" or one["type"] in TEXTS}


def read_definitions(directory: Path) -> Definitions:
    """As apply.yml reads them."""
    output = directory / "definitions.json"
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", str(PLAYBOOK)]
    clean = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    done = subprocess.run(
        [*command, "-e", json.dumps({"output": str(output), "kinds": KINDS})],
        cwd=PROJECT,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Definitions(json.loads(output.read_text(encoding="utf-8")))
