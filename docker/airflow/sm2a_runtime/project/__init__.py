# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the build of the image makes of a project: its lists of Debian and Python packages, its further environments."""
