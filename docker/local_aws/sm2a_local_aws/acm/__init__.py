# Copyright: SM2A contributors
# Apache License 2.0 (see LICENSE)
"""ACM: certificates that are imported, or requested and validated."""

PATCHES = ("certificates", "key_algorithm", "validation")
