# Copyright: SM2A contributors
# Apache License 2.0 (see LICENSE)
"""`python -m sm2a_local_aws <verb>`."""

import sys

from sm2a_local_aws.command_line import main

sys.exit(main())
