# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What AWS refuses of the parameters of a call: names, sizes, ranges and tags. MiniStack takes most of it."""
