# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ECS Exec: ExecuteCommand, and the data channel of its sessions, whose agent runs the command in the container."""

PATCHES = ("execute_command", "encryption", "recording")
