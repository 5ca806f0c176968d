# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which packages of the images are newest or behind, and what is known about them: ``python -m tools.packages``."""

import sys
from pathlib import Path

# The collection, as the tests find it: what it knows about mirrors and the base image counts here, too.
sys.path.append(str(Path(__file__).resolve().parents[2] / "collections"))
