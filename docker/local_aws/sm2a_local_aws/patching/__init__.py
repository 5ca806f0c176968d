# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which of MiniStack's functions are replaced, by what, and in which order."""
