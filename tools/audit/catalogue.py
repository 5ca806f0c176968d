"""Every control: importing this fills CONTROLS, a file for each service."""

from __future__ import annotations

from . import access, database, load_balancer, messages, network, observation, secrets, storage, tasks
from .controls import CONTROLS

FILES = (network, load_balancer, tasks, database, messages, secrets, storage, access, observation)
__all__ = ["CONTROLS", "FILES"]
