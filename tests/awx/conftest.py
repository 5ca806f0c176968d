# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The controller's configuration as Ansible reads it, and an ansible-playbook that has awx.awx."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.awx.stand_in.server import Controller, serving
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT

TOKEN = "a-token-of-the-tests"
IMAGE = f"registry.example.com/sm2a/execution-environment@sha256:{'5' * 64}"
# Secret values, each of which may be in one kind of request only.
SECRETS = {
    "SM2A_AWX_EXTERNAL_ID": "external-id-of-the-tests",
    "SM2A_AWX_SECRET_ACCESS_KEY": "secret-access-key-of-the-tests",
    "SM2A_AWX_MAIL_PASSWORD": "mail-password-of-the-tests",
    "SM2A_AWX_SLACK_TOKEN": "slack-token-of-the-tests",
    "SM2A_AWX_WEBHOOK_PASSWORD": "webhook-password-of-the-tests",
}
SETTINGS: dict[str, Any] = {
    "awx_execution_environment_image": IMAGE,
    "awx_aws_role_arn": "arn:aws:iam::123456789012:role/sm2a-deployer",
    "awx_aws_access_key_id": "an-access-key-id",
    "awx_mail_recipients": ["operators@example.com"],
    "awx_slack_channels": ["airflow"],
    "awx_webhook_url": "https://hooks.example.com/sm2a",
    "awx_webhook_username": "sm2a",
}
RENDER = """
- hosts: localhost
  gather_facts: false
  vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  tasks:
    - ansible.builtin.include_vars: {dir: %(folder)s, extensions: [yml], name: __configuration}
    - ansible.builtin.include_vars: {dir: %(folder)s, extensions: [yml]}
    - ansible.builtin.copy:
        content: "{{ dict(__names | zip(query('ansible.builtin.vars', *__names))) | to_json }}"
        dest: %(output)s
        mode: "0600"
      vars: {__names: "{{ __configuration | select('match', '(aap|controller|awx)_') }}"}
"""


@pytest.fixture(scope="session")
def tools() -> Path:
    """Where the programs of an environment are that has awx.awx: this one, or the locked one for it."""
    spec = importlib.util.find_spec("ansible_collections.awx.awx")
    if spec is not None:
        return Path(sys.executable).parent
    command = ["make", "--no-print-directory", "awx-tools"]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
    return PROJECT / ".venv-awx/bin"


@pytest.fixture(scope="session")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Every variable of controller/*.yml with its templates rendered, with all notifications."""
    folder = tmp_path_factory.mktemp("configuration")
    values = {"folder": str(PROJECT / "extensions/awx/controller"), "output": str(folder / "rendered.json")}
    (folder / "render.yml").write_text(RENDER % values, encoding="utf-8")
    play(Path(sys.executable).parent, folder / "render.yml", SETTINGS, SECRETS)
    rendered: dict[str, Any] = json.loads((folder / "rendered.json").read_text(encoding="utf-8"))
    return rendered


@pytest.fixture(scope="module")
def controller() -> Iterator[Controller]:
    """The stand-in, without anything in it."""
    with serving(TOKEN) as stand_in:
        yield stand_in


def play(
    tools: Path, playbook: Path, settings: Mapping[str, Any], environment: Mapping[str, str], fails: bool = False
) -> str:
    """Run a playbook as a person would; its output."""
    command = [str(tools / "ansible-playbook"), str(playbook), "-e", json.dumps(settings)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CONTROLLER_", "TOWER_"))}
    done = subprocess.run(
        command,
        cwd=PROJECT,
        env={**kept, "ANSIBLE_NOCOLOR": "1", "no_proxy": "127.0.0.1", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return done.stdout + done.stderr
