#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

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
    description:
      - Full name of the image in its registry, by digest, because a tag can be moved to another image. V(debootstrap)
        as O(source) does without it.
    type: str
    default: docker.io/library/debian@sha256:a29215f6a35e51e22adffa17f89e9d2ef06214e64a2bad10d765c46aea49f11f
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
  minimum_free_gib:
    description: Free disk space, in GiB, without which nothing is begun.
    type: float
    default: 1.0
  log_path:
    description: File to which the output of the pull and of debootstrap is appended while they run.
    type: path
    required: true
extends_documentation_fragment:
  - sm2a.airflow.attributes
  - sm2a.airflow.attributes.platform
  - sm2a.airflow.container_engine
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
name:
  description: Name of the image in the engine.
  type: str
  returned: always
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

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.base_image import BASE_IMAGE_OPTIONS, BaseImage
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.engine import (
    ENGINE_OPTION,
    EngineError,
    find_engine,
    require_free_space,
)


def ensure_present(options: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Result with ``changed``, ``name``, ``image_id``, ``source``, ``engine`` and the diff."""
    base, engine = BaseImage.from_options(options), find_engine(options["engine"])
    found = base.find(engine)
    if found:
        name, image_id = found
        return {"changed": False, "name": name, "image_id": image_id, "source": "engine", "engine": engine.kind}
    source = options["source"]
    name, image_id = base.local_name if source == "debootstrap" else base.name, ""
    if not check_mode:
        require_free_space([engine.storage()], options["minimum_free_gib"], f"Getting {name}")
        source = base.obtain(engine, Path(options["log_path"]))
        name, image_id = base.find(engine) or (name, "")
    return {
        "changed": True,
        "name": name,
        "image_id": image_id,
        "source": source,
        "engine": engine.kind,
        "diff": {"before": {}, "after": {"image": name, "source": source}},
    }


def main() -> None:
    """Report the image that the engine has now."""
    module = AnsibleModule(
        argument_spec={
            **BASE_IMAGE_OPTIONS,
            **ENGINE_OPTION,
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
