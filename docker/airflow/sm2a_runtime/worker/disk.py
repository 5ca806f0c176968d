# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Says in the worker's own log that its disk is nearly full: a task that fills it may be unable to log that itself."""

import logging
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

log = logging.getLogger(__name__)

# Shares of the disk: below the first it is nearly full, above the second it no longer is.
NEARLY_FULL = 0.05
ENOUGH = 0.10
GIB = 1 << 30
MIB = 1 << 20
# Bytes of a folder's disk: all, used and free.
Usage = Callable[[Path], tuple[int, int, int]]


class DiskWatch:
    """Speaks once when space runs out, and again only after there was enough of it in between."""

    def __init__(self, folder: Path | None = None, usage: Usage = shutil.disk_usage) -> None:
        self._folder = folder or Path(tempfile.gettempdir())
        self._usage = usage
        self._spoke = False

    def look(self) -> None:
        """Called from time to time. A disk that cannot be looked at must not stop the worker."""
        try:
            total, _used, free = self._usage(self._folder)
        except OSError as error:
            log.warning("Cannot look at the disk of %s: %s", self._folder, error)
            return
        if free < total * NEARLY_FULL and not self._spoke:
            log.warning(
                "The disk of this worker is nearly full: %d MiB of %d GiB are left. Tasks that write files, also to "
                "%s, fail with 'No space left on device', and the end of their logs may be missing. Let tasks delete "
                "their files, or give the worker group a larger disk: ephemeral_storage_gib in airflow_worker_groups.",
                free // MIB,
                total // GIB,
                self._folder,
            )
        self._spoke = free < total * (ENOUGH if self._spoke else NEARLY_FULL)
