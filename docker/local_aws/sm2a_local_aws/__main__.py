# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""`python -m sm2a_local_aws <verb>`."""

import sys

from sm2a_local_aws.command_line import main

sys.exit(main())
