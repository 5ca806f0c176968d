# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the autoscaler's queries cost on a metadata database of a given size."""
