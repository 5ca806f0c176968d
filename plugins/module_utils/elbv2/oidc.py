# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""OpenID Connect authentication on a listener. The client secret goes from Secrets Manager to ELB, and nowhere else.

ELB never tells a client secret. A tag of the listener names the version of the secret that it was given, so that
another version is noticed.
"""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils.secretsmanager.api import describe_secret, secret_value

ACTION = "authenticate-oidc"
VERSION_TAG = "sm2a:client-secret-version"
# option -> name in the API
FIELDS = {
    "issuer": "Issuer",
    "authorization_endpoint": "AuthorizationEndpoint",
    "token_endpoint": "TokenEndpoint",
    "user_info_endpoint": "UserInfoEndpoint",
    "client_id": "ClientId",
    "scope": "Scope",
    "session_cookie_name": "SessionCookieName",
    "session_timeout_seconds": "SessionTimeout",
    "on_unauthenticated_request": "OnUnauthenticatedRequest",
}
# The suboptions of ``authenticate_oidc``; the defaults are ELB's own.
OPTIONS: dict[str, dict[str, Any]] = {
    **{option: {"type": "str", "required": True} for option in list(FIELDS)[:5]},
    # Addresses and names, not secrets.
    "token_endpoint": {"type": "str", "required": True, "no_log": False},
    "client_secret_name": {"type": "str", "required": True, "no_log": False},
    "client_secret_key": {"type": "str", "no_log": False},
    "scope": {"type": "str", "default": "openid"},
    "session_cookie_name": {"type": "str", "default": "AWSELBAuthSessionCookie"},
    "session_timeout_seconds": {"type": "int", "default": 604800},
    "on_unauthenticated_request": {
        "type": "str",
        "choices": ["authenticate", "deny", "allow"],
        "default": "authenticate",
    },
}


def action(options: dict[str, Any]) -> dict[str, Any]:
    """The action as the API wants it, without the client secret."""
    config = {name: options[option] for option, name in FIELDS.items()}
    return {"Type": ACTION, "AuthenticateOidcConfig": config}


def view(config: dict[str, Any]) -> dict[str, Any]:
    """What is compared of an AuthenticateOidcConfig, whether of a request or of an answer."""
    return {option: config.get(name) for option, name in FIELDS.items()}


def config_of(actions: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The AuthenticateOidcConfig among actions of a listener; None when it does not authenticate."""
    return next((one["AuthenticateOidcConfig"] for one in actions if one["Type"] == ACTION), None)


def secret_version(secrets: Any, options: dict[str, Any]) -> str:
    """Id of the current version of the client secret; AnsibleAWSError when there is none. Its value is not read."""
    name = options["client_secret_name"]
    versions = (describe_secret(secrets, name) or {}).get("VersionIdsToStages", {})
    current = [version for version, stages in versions.items() if "AWSCURRENT" in stages]
    if not current:
        raise AnsibleAWSError(
            message=f"Secret {name} must hold the client secret of the identity provider, but has no value"
        )
    return str(current[0])


def client_secret(secrets: Any, options: dict[str, Any]) -> str:
    """The client secret itself; AnsibleAWSError, without its value, when the secret has another form."""
    name, key = options["client_secret_name"], options["client_secret_key"]
    text = secret_value(secrets, name) or ""
    if not key:
        return text
    try:
        return str(json.loads(text)[key])
    except (ValueError, TypeError, KeyError):
        # The cause may quote the secret: leave it out.
        raise AnsibleAWSError(message=f"Secret {name} must be a JSON object with the key {key}") from None
