# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which architectures the given images of an environment are needed for."""

from __future__ import annotations

DOCUMENTATION = r"""
name: image_architectures
version_added: 0.1.0
short_description: Which architectures the given images of an environment are needed for
description:
  - Lists the images that the options O(_input.images_airflow_image) and O(_input.images_autoscaler_image) give, with
    the architecture of every component and worker group that runs them, for
    M(sm2a.airflow.container_image_platforms).
author:
  - SM2A contributors (@sm2a)
options:
  _input:
    description: The variables of the environment, as the action M(sm2a.airflow.validate_variables) publishes them.
    type: dict
    required: true
    suboptions:
      images_airflow_image:
        description: The given image of Airflow.
        type: str
      images_autoscaler_image:
        description: The given image of the autoscaler.
        type: str
"""

EXAMPLES = r"""
- name: Show what the given images are needed for
  ansible.builtin.debug:
    msg: "{{ sm2a_inputs | sm2a.airflow.image_architectures }}"
"""

RETURN = r"""
_value:
  description: The images, each with C(option), C(image) and C(architectures). Images that are built are not among them.
  type: list
  elements: dict
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.architectures import architectures


def image_architectures(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The given images."""
    return [
        {"option": option, "image": str(values[option]), "architectures": needs}
        for option, needs in architectures(values).items()
        if values.get(option)
    ]


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"image_architectures": image_architectures}
