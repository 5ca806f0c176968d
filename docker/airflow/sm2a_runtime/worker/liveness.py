# Copyright: SM2A contributors
# Apache License 2.0
"""Where a worker shows that its event loop runs, and its health check looks."""

import os
from pathlib import Path


def liveness_file() -> Path:
    """SM2A_LIVENESS_FILE; /tmp is the one writable place that every container has."""
    return Path(os.environ.get("SM2A_LIVENESS_FILE", "/tmp/sm2a-worker-alive"))  # noqa: S108 (alone in its container)
