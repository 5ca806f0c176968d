# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""End with the parent process, however that one ends.

ansible-playbook tells its workers of SIGINT and SIGTERM. After SIGKILL, which is how AWX cancels a job, they would go
on with their task, in sessions of their own, while the next run begins.
"""

from __future__ import annotations

import ctypes
import os
import signal
from contextlib import suppress

PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int, number: signal.Signals) -> None:
    """Have Linux send this process the signal when ``parent``, which started it, ends; elsewhere nothing happens."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(number))
    if os.getppid() != parent:  # It has ended already.
        os.kill(os.getpid(), number)
