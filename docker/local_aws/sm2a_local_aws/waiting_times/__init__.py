# Copyright: SM2A contributors
# Apache License 2.0 (see LICENSE)
"""What takes AWS long, takes long: states between creation and use, and what AWS refuses until then.

Off unless `--waiting-times` names a file, and without an engine only: real containers take their own time.
"""

PATCHES_WITH_WAITING_TIMES = ("networks", "databases", "load_balancers", "certificates", "namespaces", "tasks")
