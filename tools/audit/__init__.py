# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""An audit of a deployed environment against AWS Foundational Security Best Practices: ``python -m tools.audit``."""
