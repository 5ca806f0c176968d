# Copyright: SM2A contributors
# Apache License 2.0 (see LICENSE)
"""Which rights a call needs, on which resources, with which condition keys."""
