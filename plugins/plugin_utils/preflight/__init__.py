# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What an inventory asks of AWS, before anything is made."""
