# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Scales every Airflow worker group of SM2A to the size that its queue needs.

A tick reads (``signals``), decides (``decision.policy``, pure), acts (``fleet.actuator``) and reports (``journal``).
"""

__version__ = "0.1.0"
