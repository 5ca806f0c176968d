# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Every control: importing this fills CONTROLS, a file for each service."""

from __future__ import annotations

from ..control import CONTROLS
from . import access, database, load_balancer, messages, network, observation, secrets, storage, tasks, workers

FILES = (network, load_balancer, tasks, database, messages, secrets, storage, access, workers, observation)
__all__ = ["CONTROLS", "FILES"]
