# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A task starts on the architecture of its task definition, and an image without it does not run there.

Fargate takes from an index the image of its architecture, or says that there is none:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_cannot_pull_image.html. A lone image it starts, which
then ends with "exec format error": https://repost.aws/knowledge-center/ecs-task-exec-format-error. This machine would
run it, so here both fail in the words of the former.
"""

from __future__ import annotations

from typing import Any

from ministack.services import ecs

# Architectures of ECS as images have them; a task definition without one has the first.
NAMES = {"X86_64": "amd64", "ARM64": "arm64"}


def of_task(task_arn: str) -> str:
    """The architecture of a task, as images have it."""
    task = ecs._tasks.get(task_arn) or {}
    definition = ecs._task_defs.get(str(task.get("taskDefinitionArn")).rpartition("/")[2]) or {}
    platform = definition.get("runtimePlatform") or {}
    return NAMES[platform.get("cpuArchitecture") or "X86_64"]


def refusal(image: dict[str, Any], wanted: str) -> str | None:
    """Why an image, as the engine describes it, does not run on this architecture."""
    found = image.get("Architecture") or wanted
    if found == wanted:
        return None
    return f"image Manifest does not contain descriptor matching platform 'linux/{wanted}'"
