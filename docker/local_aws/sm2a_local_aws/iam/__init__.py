# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""IAM of the local AWS: which rights a request needs, whether its caller has them, and the refusal when not."""

PATCHES = ("enforcement", "service_linked_roles")
