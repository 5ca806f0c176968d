# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""``python -m sm2a_autoscaler``."""

import sys

from sm2a_autoscaler.cli import main

if __name__ == "__main__":
    sys.exit(main())
