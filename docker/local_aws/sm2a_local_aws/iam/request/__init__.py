# Copyright: SM2A contributors
# Apache License 2.0 (see LICENSE)
"""One reading of a request: which call it is, with which parameters, signed by whom."""
