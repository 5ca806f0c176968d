# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""MiniStack as it is, but for calls with parameters that AWS refuses: the local AWS's table of them counts here, too.

``python judged_ministack.py``, with the settings of MiniStack in the environment.
"""

from __future__ import annotations

from ministack import app
from sm2a_local_aws.http import parameters

if __name__ == "__main__":
    app.app = parameters.middleware(app.app)
    app.main()
