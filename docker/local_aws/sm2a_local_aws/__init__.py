# Copyright: SM2A contributors
# Apache License 2.0 (see LICENSE)
"""The local AWS: MiniStack with the behaviour of ECS, ELB and RDS that real containers need."""
