# Copyright: SM2A contributors
# Apache License 2.0 (see LICENSE)
"""IAM of the local AWS: which rights a request needs, whether its caller has them, and the refusal when not."""

PATCHES = ("enforcement",)
