# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""``python -m sm2a_autoscaler``."""

import sys

from sm2a_autoscaler.cli import main

if __name__ == "__main__":
    sys.exit(main())
