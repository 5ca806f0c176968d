# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""How a request gets in, and what it meets before MiniStack answers it."""

PATCHES = ("served",)
