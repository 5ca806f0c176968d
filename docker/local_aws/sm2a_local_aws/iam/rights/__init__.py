# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which rights a call needs, on which resources, with which condition keys."""
