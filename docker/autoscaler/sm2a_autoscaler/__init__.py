# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Scales every Airflow worker group of SM2A to the size that its queue needs.

A tick reads (``signals``), decides (``decision.policy``, pure), acts (``fleet.actuator``) and reports (``journal``).
"""

__version__ = "0.1.0"
