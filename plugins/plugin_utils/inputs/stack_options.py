# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The variables of the whole stack (``sm2a_*``), in the form of a role's argument_specs."""

from __future__ import annotations

from typing import Any

STACK_OPTIONS: dict[str, dict[str, Any]] = {
    # Starts every resource name; short, because load balancer names end at 32 characters.
    "sm2a_name": {"type": "str", "required": True},
    "sm2a_region": {"type": "str", "required": True},
    "sm2a_tags": {"type": "dict", "default": {}},
    # One run at a time, and the seconds after which the lock of a run that died elsewhere expires.
    "sm2a_lock": {"type": "bool", "default": True},
    "sm2a_lock_timeout": {"type": "int", "default": 7200},
    # As in the job template of AWX. False: a job takes over the lock of an earlier, cancelled one of its template.
    "sm2a_lock_allow_simultaneous": {"type": "bool", "default": True},
    # Seconds between two lines of output while a module runs; 0 for none.
    "sm2a_progress_interval": {"type": "int", "default": 30},
    # What teardown.yml may remove: where it is given, it must be the name of the environment.
    "sm2a_destroy": {"type": "str"},
    # The alarm that remedy.yml looks at, such as production/scheduler-heartbeat.
    "sm2a_remedy_alarm": {"type": "str"},
    # Only for an AWS other than Amazon's own: the local one.
    "sm2a_endpoint_url": {"type": "str"},
    # Environment variables of every AWS call (credentials, proxies).
    "sm2a_aws_environment": {"type": "dict", "no_log": True},
    # False runs each module in a new Python, as Ansible does by default (docs/speed.md).
    "sm2a_forked_modules": {"type": "bool", "default": True},
}
