# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
