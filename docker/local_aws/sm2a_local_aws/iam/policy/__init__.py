# Copyright: SM2A contributors
# Apache License 2.0 (see LICENSE)
"""Policy documents, and what they say about a request."""
