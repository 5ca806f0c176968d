# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Airflow's sign-in (FabAuthManager) behind a public load balancer, with a sign-out that ends the session.

Upstream, `/auth/logout` only asks the browser to forget its cookies: whoever kept them is still signed in. Here it
removes the session from the database, and a token that was made for a page ends with the session that it was made in.
"""

import os
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import flask
from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
from airflow.configuration import conf
from airflow.providers.fab.auth_manager.api_fastapi.routes import login
from airflow.providers.fab.auth_manager.fab_auth_manager import FabAuthManager
from airflow.utils.session import create_session
from fastapi import FastAPI
from fastapi.routing import APIRoute
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import Response

from sm2a_runtime.front_door.client_address import networks
from sm2a_runtime.front_door.middleware import FrontDoor

# Claim of a token that names the session in which it was made.
SESSION_CLAIM = "sid"
# They load from a content delivery network. Airflow asks its option about its own such pages only.
API_PAGES = ("/docs", "/docs/oauth2-redirect", "/redoc")
# The table of Flask-Session; a session that has ended may still be in it.
SESSION_EXPIRY = text("SELECT expiry FROM session WHERE session_id = :session_id")


# Airflow looks for "FabAuthManager" in the name of the class.
class PublicFabAuthManager(FabAuthManager):  # type: ignore[misc]
    """FabAuthManager for a web server that anybody can reach."""

    def get_fastapi_middlewares(self) -> list[tuple[Any, dict[str, Any]]]:
        """Those of Airflow, and ours, which comes before them."""
        own = {"host_names": host_names(), "trusted_proxies": networks(os.environ.get("SM2A_TRUSTED_PROXIES", ""))}
        return [*super().get_fastapi_middlewares(), (FrontDoor, own)]

    def get_fastapi_app(self) -> FastAPI | None:
        """The application below `/auth`, with our way to sign out instead of both of Airflow's."""
        app = super().get_fastapi_app()
        if app is not None:
            routes = app.router.routes
            if not conf.getboolean("api", "enable_swagger_ui"):
                routes[:] = [route for route in routes if getattr(route, "path", None) not in API_PAGES]
            routes[:0] = [APIRoute(path, self._log_out, methods=["GET"]) for path in ("/logout", "/logout/")]
        return app

    def serialize_user(self, user: Any) -> dict[str, Any]:
        """Claims of a token; one that is made for a page names the session."""
        claims: dict[str, Any] = super().serialize_user(user)
        session_id = getattr(flask.session, "sid", None) if flask.has_request_context() else None
        return {**claims, SESSION_CLAIM: session_id} if session_id else claims

    def generate_jwt(self, user: Any, *, expiration_time_in_seconds: int | None = None) -> str:
        """A token. One for a page lasts half as long as an idle session: when it ends, the page comes back for another
        one, which is the activity that keeps the session."""
        seconds = expiration_time_in_seconds or conf.getint("api_auth", "jwt_expiration_time")
        if flask.has_request_context():
            seconds = min(seconds, conf.getint("fab", "session_lifetime_minutes") * 60 // 2)
        return str(super().generate_jwt(user, expiration_time_in_seconds=seconds))

    def deserialize_user(self, token: dict[str, Any]) -> Any:
        """The user of a token; ValueError when the session that it was made in has ended."""
        session_id = token.get(SESSION_CLAIM)
        if session_id is not None and not is_open(session_id):
            raise ValueError("The session of this token has ended")
        return super().deserialize_user(token)

    def _log_out(self, request: Request) -> Response:
        """End the session and the token that the browser sent, then answer as Airflow does."""
        if token := request.cookies.get(COOKIE_NAME_JWT_TOKEN):
            self.revoke_token(token)
        app: flask.Flask = self.flask_app
        with app.test_request_context(headers={"Cookie": request.headers.get("cookie", "")}):
            flask.session.clear()
            app.session_interface.save_session(app, flask.session, app.response_class())
        response: Response = login.logout(request)
        return response


def host_names() -> list[str]:
    """Names under which people reach this server."""
    further = os.environ.get("SM2A_HOST_NAMES", "").split(",")
    own = urlsplit(conf.get("api", "base_url", fallback="")).hostname
    return [name for name in (own, *further) if name]


def is_open(session_id: str) -> bool:
    """Whether the session is in the database, and its time is not over."""
    with create_session() as session:
        row = session.execute(SESSION_EXPIRY, {"session_id": session_id}).first()
    if row is None:
        return False
    expiry = row[0] if row[0] is None or isinstance(row[0], datetime) else datetime.fromisoformat(str(row[0]))
    # Flask-Session writes UTC, without saying so.
    return expiry is None or expiry.replace(tzinfo=UTC) > datetime.now(UTC)
