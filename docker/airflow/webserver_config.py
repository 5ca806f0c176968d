# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Settings of the Flask application that serves sign-in (FabAuthManager)."""

from hashlib import sha256

from airflow.configuration import conf
from sm2a_runtime.front_door.security_manager import SecurityManager

# flask_appbuilder.const.AUTH_DB: users and passwords in the database.
AUTH_TYPE = 1
WTF_CSRF_ENABLED = True
# Limits how often a password is tried.
SECURITY_MANAGER_CLASS = SecurityManager

# Workers know [api] secret_key, because it signs requests for the logs of running tasks. Whoever has the key of this
# application can sign a "remember me" cookie for any user, so it must be another one: derived from a secret that
# workers do not have.
if _jwt_secret := conf.get("api_auth", "jwt_secret", fallback=""):
    SECRET_KEY = sha256(b"sm2a flask session\0" + _jwt_secret.encode()).hexdigest()
