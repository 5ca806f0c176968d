# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the default deployment does not meet, each with the reason. ``--all`` reports it as well.

A key is the id of a control, or an id and a part of the resource's name: then only such resources are let through.
"""

from __future__ import annotations

EXCEPTIONS: dict[str, str] = {
    "ELB.16": "A web ACL costs by request, and its rules are the company's: load_balancer_web_acl* adds one.",
    "S3.9 run-lock": "The bucket of the run lock exists before the bucket for access logs, and holds one object "
    "that says who deploys.",
    "SecretsManager.1": "Airflow's own keys cannot be rotated while it runs without two keys at a time; the master "
    "password of the database is rotated by RDS.",
}


def reason(control: str, resource: str) -> str:
    """Why this resource may fail this control; "" when it may not."""
    for key, text in EXCEPTIONS.items():
        identity, _space, part = key.partition(" ")
        if identity == control and part in resource:
            return text
    return ""
