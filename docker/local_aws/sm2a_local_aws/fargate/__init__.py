# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the containers of ECS tasks: from a container definition to the engine's options, and back to an exit code."""

PATCHES_WITH_ENGINE = ("images", "depends_on", "containers", "stop", "exit_watch", "awslogs")
