# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""moto's server with what mended.py mends: ``python server.py -H 127.0.0.1 -p PORT``."""

from __future__ import annotations

from ansible_collections.sm2a.airflow.tests.second_opinion.mended import MENDS
from moto.server import main

if __name__ == "__main__":
    for mend in MENDS:
        mend.apply()
    main()
