# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""How this AWS account differs from what AWS gives to all of them: the JSON file of `--account`, read at every look.

    {"quotas": {"L-F678F1CE": 1}, "endpoint_service_zones": {"ecr.api": ["eu-west-1a", "eu-west-1b"]}}

`quotas` are applied values by code (quotas/catalogue.py). `endpoint_service_zones` are the Availability Zones of a
service's interface endpoints, where these are not all of the Region's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sm2a_local_aws import settings
from sm2a_local_aws.errors import LocalAwsError

PARTS = ("quotas", "endpoint_service_zones")


def part(name: str) -> Mapping[str, Any]:
    """What the file says of one thing; nothing without a file."""
    file = settings.current().account
    return read(file).get(name, {}) if file else {}


def read(file: Path) -> dict[str, dict[str, Any]]:
    """The whole file; LocalAwsError when it is not one."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LocalAwsError(f"--account: {file} cannot be read ({error}): give a file of JSON") from error
    if not isinstance(found, dict) or not all(isinstance(found.get(name, {}), dict) for name in found):
        raise LocalAwsError(f"--account: {file} must be a JSON object of objects, by {' and '.join(PARTS)}")
    unknown = sorted(found.keys() - set(PARTS))
    if unknown:
        raise LocalAwsError(f"--account: {file} has {', '.join(unknown)}: only {' and '.join(PARTS)} are known")
    return found
