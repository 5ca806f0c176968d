# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The local AWS: MiniStack with the behaviour of ECS, ELB and RDS that real containers need."""
