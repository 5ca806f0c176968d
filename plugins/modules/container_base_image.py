#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)

from __future__ import annotations

DOCUMENTATION = r"""
module: container_base_image
short_description: Make sure that a Debian base image is in the container engine
version_added: 0.1.0
description:
  - Pulls the image from its registry, or makes it with debootstrap from a Debian mirror where no registry is reachable.
  - An image that the engine already has is left alone.
author:
  - SM2A contributors (@sm2a)
options:
  name:
    description: Full name of the image.
    type: str
    default: docker.io/library/debian:trixie-slim
  source:
    description:
      - V(registry) pulls and fails when the registry is not reachable.
      - V(debootstrap) makes the image here, which needs root and the program debootstrap.
      - V(auto) pulls when the registry answers, else uses debootstrap.
    type: str
    choices: [auto, registry, debootstrap]
    default: auto
  suite:
    description: Debian release that debootstrap installs.
    type: str
    default: trixie
  mirror:
    description:
      - Debian mirror for debootstrap, also written into the image.
      - Without it the mirrors of this machine's own apt configuration are used, on other systems Debian's own.
    type: str
  registry_timeout:
    description: Seconds within which the registry must answer to be used by V(auto).
    type: int
    default: 5
  engine:
    description: Container engine. V(auto) takes Docker when its daemon answers, else Podman.
    type: str
    choices: [auto, docker, podman]
    default: auto
  minimum_free_gib:
    description: Free disk space, in GiB, without which nothing is begun.
    type: float
    default: 1.0
  log_path:
    description: File to which the output of the pull and of debootstrap is appended while they run.
    type: path
    required: true
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  platform:
    support: full
    platforms: posix
"""

EXAMPLES = r"""
- name: Have a Debian to build on
  sm2a.airflow.container_base_image:
    log_path: /var/log/base_image.log

- name: Make it from the company's mirror
  sm2a.airflow.container_base_image:
    source: debootstrap
    mirror: https://mirror.example.com/debian
    log_path: /var/log/base_image.log
"""

RETURN = r"""
image_id:
  description: Id of the image in the engine; empty in check mode for an image that would be made.
  type: str
  returned: always
source:
  description: Where the image came from; V(engine) when it was there already, V(auto) when check mode cannot know.
  type: str
  returned: always
engine:
  description: The engine that has the image, V(docker) or V(podman).
  type: str
  returned: always
"""

import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.sm2a.airflow.plugins.module_utils import debian_rootfs
from ansible_collections.sm2a.airflow.plugins.module_utils.apt_sources import Mirrors, machine_mirrors
from ansible_collections.sm2a.airflow.plugins.module_utils.container_engine import (
    Engine,
    EngineError,
    find_engine,
    require_free_space,
    run_logged,
)

# Names without a registry, and docker.io, are served from here.
DOCKER_HUB = "registry-1.docker.io"


def registry_of(name: str) -> str:
    """Host (and port) that serves the image ``name``."""
    first, slash, _rest = name.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost") or first == "docker.io":
        return DOCKER_HUB
    return first


def registry_answers(host: str, timeout: int) -> bool:
    """Whether a registry answers at ``host``; a refusal for want of a login is an answer."""
    try:
        with urllib.request.urlopen(f"https://{host}/v2/", timeout=timeout):
            return True
    except urllib.error.HTTPError as error:
        return error.code in (401, 403)
    except (urllib.error.URLError, OSError):
        return False


def obtain(engine: Engine, options: dict[str, Any]) -> str:
    """Pull or make the image and return which it was, ``registry`` or ``debootstrap``."""
    name, source, log = options["name"], options["source"], Path(options["log_path"])
    require_free_space([engine.storage(), debian_rootfs.WORK_DIRECTORY], options["minimum_free_gib"], f"Getting {name}")
    if source == "registry" or (source == "auto" and registry_answers(registry_of(name), options["registry_timeout"])):
        try:
            run_logged(f"Pulling {name}", [engine.kind, "pull", name], log, engine.environment)
            return "registry"
        except EngineError:
            if source == "registry":
                raise
    mirrors = Mirrors(options["mirror"].rstrip("/"), "", False) if options["mirror"] else machine_mirrors()
    debian_rootfs.make_image(engine, name, options["suite"], mirrors, log)
    return "debootstrap"


def ensure_present(options: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Result with ``changed``, ``image_id``, ``source``, ``engine`` and the diff."""
    engine, name = find_engine(options["engine"]), options["name"]
    found = engine.image(name)
    if found:
        return {"changed": False, "image_id": found[0], "source": "engine", "engine": engine.kind}
    source = options["source"] if check_mode else obtain(engine, options)
    made = None if check_mode else engine.image(name)
    return {
        "changed": True,
        "image_id": made[0] if made else "",
        "source": source,
        "engine": engine.kind,
        "diff": {"before": {}, "after": {"image": name, "source": source}},
    }


def main() -> None:
    """Report the image that the engine has now."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "default": "docker.io/library/debian:trixie-slim"},
            "source": {"type": "str", "choices": ["auto", "registry", "debootstrap"], "default": "auto"},
            "suite": {"type": "str", "default": "trixie"},
            "mirror": {"type": "str"},
            "registry_timeout": {"type": "int", "default": 5},
            "engine": {"type": "str", "choices": ["auto", "docker", "podman"], "default": "auto"},
            "minimum_free_gib": {"type": "float", "default": 1.0},
            "log_path": {"type": "path", "required": True},
        },
        supports_check_mode=True,
    )
    try:
        module.exit_json(**ensure_present(module.params, module.check_mode))
    except EngineError as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
