# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What a module that takes long is waiting for; whoever runs the module shows the last of it now and then.

A module prints nothing while it runs. Its action plugin reads this from a pipe; where there is none, nothing is said.
"""

from __future__ import annotations

import os
from contextlib import suppress

LONGEST = 300


class Outlet:
    """Where the lines of this process go: the writing end of a pipe, or nowhere."""

    def __init__(self) -> None:
        self._pipe: int | None = None

    def open(self, pipe: int) -> None:
        """Use a pipe. A full one loses lines: nobody waits for them."""
        os.set_blocking(pipe, False)
        self._pipe = pipe

    def say(self, state: str) -> None:
        """``state``, in a few words and without secrets: DB instance sm2a is creating."""
        if self._pipe is not None:
            line = " ".join(state.split())[:LONGEST]
            with suppress(OSError):
                os.write(self._pipe, f"{line}\n".encode())


OUTLET = Outlet()
say = OUTLET.say
