# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Ask the web server through the load balancer again and again, as its users do while a deployment is under way."""

from __future__ import annotations

import requests
from ansible_collections.sm2a.airflow.tests.integration.background import Background
from ansible_collections.sm2a.airflow.tests.support.stack.settings import URL

PAUSE_SECONDS = 0.5
# As long as the load balancer waits.
TIMEOUT_SECONDS = 60


class Availability(Background):
    """Asks in a thread for as long as the ``with`` block lasts; nothing is asked twice.

    ``failures`` has the second and the reason of each request that was not answered with 200.
    """

    def __init__(self, certificate: str) -> None:
        super().__init__(PAUSE_SECONDS, TIMEOUT_SECONDS + 5)
        self.requests = 0
        self.failures: list[tuple[float, str]] = []
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = certificate

    def step(self, second: float) -> None:
        """One request."""
        try:
            answer = self._session.get(f"{URL}/api/v2/version", timeout=TIMEOUT_SECONDS)
            problem = "" if answer.status_code == requests.codes.ok else str(answer.status_code)
        except requests.RequestException as error:
            problem = type(error).__name__
        self.requests += 1
        if problem:
            self.failures.append((second, problem))
