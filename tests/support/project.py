# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Where this checkout is."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
