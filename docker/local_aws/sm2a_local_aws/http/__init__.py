# Copyright: SM2A contributors
# Apache License 2.0 (see LICENSE)
"""How a request gets in, and what it meets before MiniStack answers it."""

PATCHES = ("served",)
