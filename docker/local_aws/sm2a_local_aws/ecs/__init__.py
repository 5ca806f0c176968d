# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The API of ECS: services and their deployments, tasks, protection. Containers are run by `fargate`."""

PATCHES_WITHOUT_ENGINE = ("without_engine",)

PATCHES = ("control_plane", "deployments", "task_tags", "protection", "capacity")
