# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The file by which a worker shows that its event loop runs. Its health check reads it."""

import os
from pathlib import Path


def liveness_file() -> Path:
    """SM2A_LIVENESS_FILE; the default is in /tmp, the only directory that is writable in every container."""
    return Path(os.environ.get("SM2A_LIVENESS_FILE", "/tmp/sm2a-worker-alive"))  # noqa: S108 (alone in its container)
