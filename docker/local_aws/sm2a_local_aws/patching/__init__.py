# Copyright: SM2A contributors
# Apache License 2.0 (see LICENSE)
"""Which of MiniStack's functions are replaced, by what, and in which order."""
