# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Sessions of ECS Exec: the data channel of Session Manager, and a shell behind it that reports exit codes."""
