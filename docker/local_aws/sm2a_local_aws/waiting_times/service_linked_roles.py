# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""IAM: a service cannot assume its service-linked role at once after it was made."""

from __future__ import annotations

from typing import Any

from sm2a_local_aws.iam import first_use, service_linked_roles
from sm2a_local_aws.waiting_times import states


def begin(role: dict[str, Any]) -> None:
    """The wait of one role."""
    role[first_use.PROPAGATING] = True
    states.begin("service_linked_role", role["RoleName"], lambda: role.pop(first_use.PROPAGATING))


service_linked_roles.after_creation.append(begin)
