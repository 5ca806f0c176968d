# Copyright: SM2A contributors
# Apache License 2.0 (see LICENSE)
"""Runs the containers of ECS tasks: from a container definition to the engine's options, and back to an exit code."""

PATCHES_WITH_ENGINE = ("images", "depends_on", "containers", "stop", "exit_watch", "awslogs")
