# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Policy documents, and what they say about a request."""
