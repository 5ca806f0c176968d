# Copyright: SM2A contributors
# Apache License 2.0 (see LICENSE)
"""The API of ECS: services and their deployments, tasks, protection. Containers are run by `fargate`."""

PATCHES_WITHOUT_ENGINE = ("without_engine",)

PATCHES = ("control_plane", "deployments", "task_tags", "protection", "capacity")
