# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Passwords are not tried without limit: every check of one in Airflow's sign-in passes here."""

import logging
import os
import time
from collections.abc import Callable
from functools import cached_property
from typing import Any, NoReturn

import flask
from airflow import settings
from airflow.providers.fab.auth_manager.security_manager.override import FabAirflowSecurityManagerOverride
from fastapi import HTTPException

from sm2a_runtime.front_door import requests
from sm2a_runtime.front_door.delays import Limits
from sm2a_runtime.front_door.failed_logins import FailedLogins
from sm2a_runtime.front_door.requests import Request

log = logging.getLogger(__name__)

# A wrong login takes at least so long, whether the user exists or not: longer than the check of a password.
FAILURE_SECONDS = 0.4
# Until the next attempt when attempts cannot be counted.
UNCOUNTED_SECONDS = 5


class SecurityManager(FabAirflowSecurityManagerOverride):  # type: ignore[misc]
    """Airflow's own, with a limit of attempts."""

    def auth_user_db(self, username: Any, password: Any, rotate_session_id: bool = True) -> Any:
        """The user, or None; raises "too many requests" for an attempt that comes too early."""
        return self._limited(
            username, lambda: super(SecurityManager, self).auth_user_db(username, password, rotate_session_id)
        )

    def auth_user_ldap(self, username: Any, password: Any, rotate_session_id: bool = True) -> Any:
        """The same for LDAP."""
        return self._limited(
            username, lambda: super(SecurityManager, self).auth_user_ldap(username, password, rotate_session_id)
        )

    def check_password(self, username: Any, password: Any) -> bool:
        """Whether the password is right, with the same limit."""
        return bool(self._limited(username, lambda: super(SecurityManager, self).check_password(username, password)))

    def _limited(self, username: Any, check: Callable[[], Any]) -> Any:
        request, name = requests.current.get(), str(username or "")
        if request is None or not self._failed_logins.limits.free:
            # The command line, or no limit is wanted.
            return check()
        started = time.monotonic()
        self._count(request, name)
        try:
            user = check()
        except Exception:
            self._failed_logins.take_back(name, request.client)
            request.attempts.discard(name)
            raise
        if user:
            self._failed_logins.succeeded(name, request.client, int(time.time()))
        else:
            time.sleep(max(0.0, started + FAILURE_SECONDS - time.monotonic()))
        return user

    def _count(self, request: Request, name: str) -> None:
        """Count the attempt. A password that cannot be counted is not checked: the user it belongs to is in the same
        database as the counts."""
        if name in request.attempts:
            return
        try:
            wait = self._failed_logins.attempt(name, request.client, int(time.time()))
        except Exception:
            log.exception("failed logins cannot be counted: no password is checked until they can")
            wait = UNCOUNTED_SECONDS
        if wait:
            log.warning("too many failed logins from %s: refused for %d s", request.client, wait)
            _refuse(wait)
        request.attempts.add(name)

    @cached_property
    def _failed_logins(self) -> FailedLogins:
        return failed_logins()


def failed_logins() -> FailedLogins:
    """The counts in Airflow's database, with the limits of the environment."""
    limits = Limits(
        free=int(os.environ.get("SM2A_LOGIN_FREE_FAILURES", Limits.free)),
        longest_seconds=int(os.environ.get("SM2A_LOGIN_LONGEST_DELAY_SECONDS", Limits.longest_seconds)),
    )
    return FailedLogins(settings.engine.raw_connection, settings.engine.dialect.name, limits)


def _refuse(seconds: int) -> NoReturn:
    message, headers = f"Too many failed logins: try again in {seconds} s", {"Retry-After": str(seconds)}
    if flask.has_request_context():
        flask.abort(flask.Response(f"{message}\n", 429, headers, mimetype="text/plain"))
    raise HTTPException(429, message, headers)
