# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What is in the execution environment, and what is not."""

from __future__ import annotations

import json
import subprocess
import tomllib
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.awx_jobs.controller import worker_environment
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT

pytestmark = pytest.mark.engine

# The trial's was 853 MB.
LARGEST_MB = 400
# What a build leaves behind, and what would let a job build or install.
ABSENT = ("pip", "pip3", "gcc", "cc", "make", "podman", "docker", "buildah")
SITE_PACKAGES = "/opt/ansible/lib/python3.13/site-packages"
VERSIONS = "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions()}))"


def in_image(image: str, *command: str, user: str = "root") -> str:
    """What a command says in a container of the image."""
    options = ["--rm", "--network=none", f"--user={user}"]
    done = subprocess.run(
        ["podman", "run", *options, image, *command],
        capture_output=True,
        text=True,
        check=False,
        env=worker_environment(),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def inspected(image: str) -> dict[str, Any]:
    told = subprocess.run(["podman", "image", "inspect", image], check=True, capture_output=True, text=True).stdout
    return dict(json.loads(told)[0])


def test_it_is_small(image: str, capsys: pytest.CaptureFixture[str]) -> None:
    megabytes = inspected(image)["Size"] / 1e6
    with capsys.disabled():
        print(f"\nexecution environment: {megabytes:.0f} MB")
    assert megabytes < LARGEST_MB


def test_nothing_builds_or_installs_in_it(image: str) -> None:
    programs = f"for name in {' '.join(ABSENT)}; do command -v $name; done; true"
    assert in_image(image, "bash", "-c", programs) == ""
    modules = "import importlib.util as u; print([n for n in ('pip', 'setuptools') if u.find_spec(n)])"
    assert in_image(image, "python", "-c", modules).strip() == "[]"
    # Nothing gives a process more rights than it has.
    assert in_image(image, "find", "/", "-xdev", "-type", "f", "-perm", "/6000") == ""
    assert in_image(image, "git", "--version").startswith("git version 2.")
    in_image(image, "ssh", "-V")


def test_its_packages_are_those_of_the_lock(image: str) -> None:
    lock = tomllib.loads((PROJECT / "uv.lock").read_text(encoding="utf-8"))
    locked: dict[str, set[str]] = {}
    for package in lock["package"]:
        locked.setdefault(package["name"], set()).add(package["version"])
    installed = json.loads(in_image(image, "python", "-c", VERSIONS))
    assert {"ansible-core", "ansible-runner", "boto3", "botocore", "cryptography", "dnspython"} <= set(installed)
    assert {name: version for name, version in installed.items() if version not in locked[name.lower()]} == {}


def test_only_the_collections_that_are_used(image: str) -> None:
    listed = json.loads(in_image(image, "ansible-galaxy", "collection", "list", "--format", "json"))
    # The other one is of ansible-core itself.
    found = {folder: set(collections) for folder, collections in listed.items() if "/_internal/" not in folder}
    assert found == {f"{SITE_PACKAGES}/ansible_collections": {"amazon.aws", "ansible.posix"}}


def test_its_bill_of_materials_is_in_it(image: str) -> None:
    bill = json.loads(in_image(image, "cat", "/usr/share/sm2a/sbom.cdx.json"))
    listed = {one["name"] for one in bill["components"]}
    assert {"ansible-core", "amazon.aws", "git", "openssh-client", "python3", "dumb-init"} <= listed
    # What only the build needed is in neither.
    assert listed & {"pip", "bindep", "python3-venv", "python3-pip-whl", "cyclonedx-python-lib"} == set()


def test_its_labels(image: str) -> None:
    labels = inspected(image)["Config"]["Labels"]
    assert labels["ansible-execution-environment"] == "true"
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert labels["org.opencontainers.image.base.name"]
    revision = labels["org.opencontainers.image.revision"]
    command = ["git", "merge-base", "--is-ancestor", revision, "HEAD"]
    assert subprocess.run(command, cwd=PROJECT, check=False).returncode == 0


def test_it_runs_under_a_number_without_a_name(image: str) -> None:
    """As OpenShift runs pods: the worker of a container group unpacks the job in /runner."""
    script = "ansible-runner --version && whoami && touch /runner/written && ansible localhost -m ansible.builtin.ping"
    assert '"ping": "pong"' in in_image(image, "bash", "-c", script, user="1000640000:0")
