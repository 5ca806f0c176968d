# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""One reading of a request: which call it is, with which parameters, signed by whom."""
