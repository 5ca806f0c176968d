"""Ask the web server through the load balancer again and again, as its users do while a deployment is under way."""

from __future__ import annotations

import threading
import time
from types import TracebackType

import requests
from ansible_collections.sm2a.airflow.tests.integration.settings import URL

PAUSE_SECONDS = 0.5
# As long as the load balancer waits.
TIMEOUT_SECONDS = 60


class Availability:
    """Asks in a thread for as long as the ``with`` block lasts; nothing is asked twice.

    ``failures`` has the second and the reason of each request that was not answered with 200.
    """

    def __init__(self, certificate: str) -> None:
        self.requests = 0
        self.failures: list[tuple[float, str]] = []
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = certificate
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Availability:
        self._started = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join(timeout=TIMEOUT_SECONDS + 5)

    def _run(self) -> None:
        while not self._end.is_set():
            second = round(time.monotonic() - self._started, 1)
            try:
                answer = self._session.get(f"{URL}/api/v2/version", timeout=TIMEOUT_SECONDS)
                problem = "" if answer.status_code == requests.codes.ok else str(answer.status_code)
            except requests.RequestException as error:
                problem = type(error).__name__
            self.requests += 1
            if problem:
                self.failures.append((second, problem))
            self._end.wait(PAUSE_SECONDS)
