# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Keeps every Airflow worker group of SM2A as large as its queue needs.

A tick reads (``signals``), decides (``policy``, pure), acts (``actuator``) and reports (``journal``).
"""

__version__ = "0.1.0"
