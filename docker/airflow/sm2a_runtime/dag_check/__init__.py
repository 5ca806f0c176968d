# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the import test looks for in DAGs."""
