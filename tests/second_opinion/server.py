# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""moto's server with what mended.py mends, and every call judged: ``python server.py PORT RESULTS``."""

from __future__ import annotations

import sys
from pathlib import Path

from ansible_collections.sm2a.airflow.tests.second_opinion.judged_calls import judging_application
from ansible_collections.sm2a.airflow.tests.second_opinion.mended import MENDS
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import run_simple

if __name__ == "__main__":
    for mend in MENDS:
        mend.apply()
    port, results = int(sys.argv[1]), Path(sys.argv[2])
    application = judging_application(DomainDispatcherApplication(create_backend_app), results)
    run_simple("127.0.0.1", port, application, threaded=True, request_handler=MotoRequestHandler)
