# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ACM: certificates that are imported, or requested and validated."""

PATCHES = ("certificates", "key_algorithm", "validation")
