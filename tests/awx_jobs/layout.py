# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The private data directory of a job, file by file as AWX 24.6.1 writes it (awx/main/tasks/jobs.py)."""

from __future__ import annotations

import configparser
import json
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from jinja2.sandbox import ImmutableSandboxedEnvironment

# Where ansible-runner mounts the directory.
CONTAINER_ROOT = Path("/runner")
# What AWX adds to the environment of every job, and what its users put into the setting AWX_TASK_ENV: its own home.
ENVIRONMENT = {
    "ANSIBLE_FORCE_COLOR": "True",
    "ANSIBLE_HOST_KEY_CHECKING": "False",
    "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
    "ANSIBLE_PARAMIKO_RECORD_HOST_KEYS": "False",
    "ANSIBLE_RETRY_FILES_ENABLED": "False",
    "ANSIBLE_SSH_CONTROL_PATH_DIR": "/runner/cp",
    "AWX_HOST": "https://awx.example.com",
    "HOME": "/var/lib/awx",
    "MAX_EVENT_RES": "700000",
}
# Variable -> setting of ansible.cfg, folder of the job, what AWX has by itself.
SEARCH_PATHS = {
    "ANSIBLE_ROLES_PATH": (
        "roles_path",
        "requirements_roles",
        "~/.ansible/roles:/usr/share/ansible/roles:/etc/ansible/roles",
    ),
    "ANSIBLE_COLLECTIONS_PATH": (
        "collections_path",
        "requirements_collections",
        "~/.ansible/collections:/usr/share/ansible/collections",
    ),
}


class UnsafeText(yaml.SafeDumper):
    """Marks every text ``!unsafe``, keys as well, so that Ansible never templates it."""

    def represent_data(self, data: Any) -> yaml.Node:
        """As AWX does it for everything that a user has typed."""
        return self.represent_scalar("!unsafe", data) if isinstance(data, str) else super().represent_data(data)


@dataclass(frozen=True)
class Credential:
    """A credential of a type: ``injectors`` are those of the type, ``inputs`` what a person filled in."""

    injectors: Mapping[str, Any]
    inputs: Mapping[str, Any] = field(repr=False)

    def inject(self, directory: Path) -> dict[str, str]:
        """Write its files into ``env`` of the private data directory, and the variables of the environment."""
        sandbox = ImmutableSandboxedEnvironment()
        names: dict[str, str] = {}
        filled = {name: value for name, value in self.inputs.items() if value not in ("", None)}
        for label, template in self.injectors.get("file", {}).items():
            file = Path(tempfile.mkstemp(dir=directory / "env")[1])
            file.write_text(sandbox.from_string(template).render(**filled), encoding="utf-8")
            names[label.partition(".")[2]] = str(CONTAINER_ROOT / "env" / file.name)
        tower = {"filename": names.get("") or names}
        variables = self.injectors.get("env", {})
        return {name: sandbox.from_string(text).render(**filled, tower=tower) for name, text in variables.items()}


@dataclass(frozen=True)
class Job:
    """What a launch has come to; ``trusted`` are the variables of the template itself, which may have Jinja in them."""

    number: int
    playbook: str
    inventory: Mapping[str, Any]
    credentials: Sequence[Credential] = ()
    extra_vars: Mapping[str, Any] = field(default_factory=dict)
    trusted: Mapping[str, Any] = field(default_factory=dict)
    check: bool = False
    diff: bool = False
    limit: str = ""
    verbosity: int = 0
    timeout: int = 0

    def write(self, directory: Path) -> dict[str, str]:
        """Fill the private data directory, and the job's environment."""
        for folder in ("inventory", "env", "cp"):
            (directory / folder).mkdir(mode=0o700)
        copy_project(directory / "project")
        hosts = directory / "inventory/hosts"
        hosts.write_text(f"#! /usr/bin/env python3\nprint({json.dumps(self.inventory)!r})\n", encoding="utf-8")
        hosts.chmod(0o700)
        _private(directory / "env/extravars", extra_vars_text(self.extra_vars, self.trusted))
        _private(directory / "env/cmdline", shlex.join(self.command_line()))
        settings = {"job_timeout": self.timeout, "suppress_ansible_output": True, "suppress_output_file": True}
        _private(directory / "env/settings", json.dumps(settings))
        environment = {
            **ENVIRONMENT,
            "JOB_ID": str(self.number),
            "INVENTORY_ID": "1",
            "AWX_PRIVATE_DATA_DIR": str(directory),
        }
        environment |= search_paths(directory / "project")
        for credential in self.credentials:
            environment |= credential.inject(directory)
        return environment

    def command_line(self) -> list[str]:
        """Options of ansible-playbook."""
        options = ["--check"] if self.check else []
        options += ["-u", "root"]
        options += ["--diff"] if self.diff else []
        options += ["-l", self.limit] if self.limit else []
        return [*options, f"-{'v' * self.verbosity}"] if self.verbosity else options


def extra_vars_text(given: Mapping[str, Any], trusted: Mapping[str, Any]) -> str:
    """The file that is passed by ``-e @``: what the template itself says is YAML, the rest is unsafe."""
    parts = []
    for name, value in given.items():
        dumper = yaml.SafeDumper if name in trusted and trusted[name] == value else UnsafeText
        parts.append(yaml.dump({name: value}, Dumper=dumper, default_flow_style=False))
    return "".join(parts)


def search_paths(project: Path) -> dict[str, str]:
    """AWX reads ansible.cfg of the project and puts its own folders before what that says."""
    settings = configparser.ConfigParser()
    settings.read(project / "ansible.cfg")
    found = {}
    for variable, (setting, folder, usual) in SEARCH_PATHS.items():
        of_project = settings.get("defaults", setting, fallback="")
        found[variable] = ":".join(filter(None, (str(CONTAINER_ROOT / folder), of_project, usual)))
    return found


def copy_project(target: Path) -> None:
    """What Git has of this checkout, as it is on the disk now."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        source = PROJECT / name
        if source.is_symlink() or source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name, follow_symlinks=False)


def _private(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8")
