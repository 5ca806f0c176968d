# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What takes AWS long, takes long: states between creation and use, and what AWS refuses until then.

Off unless `--waiting-times` names a file, and without an engine only: real containers take their own time.
"""

PATCHES_WITH_WAITING_TIMES = (
    "networks",
    "databases",
    "load_balancers",
    "certificates",
    "namespaces",
    "tasks",
    "service_linked_roles",
)
