# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The options of roles: converted to their types, checked, and published."""
