# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Names and texts that give away a password, token or key. Pure; nothing here repeats a value."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

# Ends of the last word of a name whose value is a secret: PGPASSWORD, dbPassword, apikey.
PASSWORDS = ("password", "passwords", "passwd", "passphrase")
SECRETS = ("token", "tokens", "apikey", "privatekey", "secretkey", "accesskey")
# Whole last words. PWD alone is a folder, and DB_PASS is no bypass.
SHORT_PASSWORDS = {"pwd", "pass"}
SECRET_WORDS = {"secret", "credential", "credentials"}
# Words before "key" that make it a secret; a key without them may be that of a dictionary, a sort or a file.
KEYS = {"api", "access", "secret", "private", "fernet", "encryption", "signing", "account", "shared", "master", "auth"}
# First words of names such as max_tokens, which are numbers or switches.
HARMLESS_FIRST = {"max", "min", "num", "number", "use", "enable", "enabled", "has", "hide", "mask", "allow", "require"}
# What Airflow and providers know as sensitive, although the name does not end so.
SENSITIVE = {
    "sql_alchemy_conn",
    "sql_alchemy_conn_async",
    "result_backend",
    "broker_url",
    "flower_basic_auth",
    "sentry_dsn",
}
# A file or a switch by its value: /opt/key.pem, ~/.ssh/id_rsa, true.
HARMLESS_VALUE = re.compile(r"(/|~/|\.{1,2}/|file://)\S+|(?i:true|false|yes|no|on|off|none|null)|")
# Beginnings of tokens of GitHub, GitLab, AWS, Slack, PyPI, npm and Bitbucket, and of a private key.
TOKEN = re.compile(
    r"(?<![A-Za-z0-9])(gh[opsur]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|gl[a-z]{2,6}-[\w-]{20,}|"
    r"(AKIA|ASIA)[A-Z0-9]{16}|xox[abprs]-[\w-]{10,}|pypi-[\w-]{40,}|npm_[A-Za-z0-9]{30,}|ATBB[A-Za-z0-9]{20,})"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
URL_WITH_PASSWORD = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/@:]*:[^\s/@]+@")
QUERY_SECRET = re.compile(
    r"[?&;#](?:(?:[\w.-]*[_.-])?(?:token|accesstoken|privatetoken|password|passwd|pwd|secret|credentials?|signature)|"
    r"(?:api|access|private|secret|auth)?[_-]?key|auth|sig|jwt)=[^&;#\s]",
    re.IGNORECASE,
)
WEB = re.compile(r"(?:[a-z0-9]+\+)?(?:https?|ftps?)", re.IGNORECASE)


def words(name: str) -> list[str]:
    """``smtpPassword``, ``SMTP-PASSWORD`` and ``smtp_password`` -> ``["smtp", "password"]``."""
    apart = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return [word for word in re.split(r"[^a-z0-9]+", apart.lower()) if word]


def is_password_name(name: str) -> bool:
    """Whether the name says that its value is a password, which may begin as a path does."""
    parts = words(name)
    return bool(parts) and (parts[-1].endswith(PASSWORDS) or (len(parts) > 1 and parts[-1] in SHORT_PASSWORDS))


def is_secret_name(name: str) -> bool:
    """Whether the name says that its value is a secret: ``smtp_password``, but not ``token_expiry``."""
    parts = words(name)
    if not parts or is_password_name(name) or "_".join(parts) in SENSITIVE:
        return bool(parts)
    last, before = parts[-1], parts[:-1]
    # smtp_password_secret has the name of a secret, as Airflow reads it; client_secret has the secret.
    if parts[0] in HARMLESS_FIRST or (last == "secret" and is_secret_name("_".join(before))):
        return False
    if last == "key":
        return bool(before) and before[-1] in KEYS
    return last in SECRET_WORDS or last.endswith(SECRETS) or parts[-3:] == ["access", "key", "id"]


def holds_secret(name: str, value: Any) -> bool:
    """Whether an option of this name and value is a secret in plain text."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return words(name)[-1:] != ["pass"] and is_password_name(name)
    if not isinstance(value, str):
        return False
    harmless = HARMLESS_VALUE.fullmatch(value.strip()) and not (value.startswith("/") and is_password_name(name))
    return has_secret_text(value) or (is_secret_name(name) and not harmless)


def has_secret_text(value: str) -> bool:
    """Whether a text is a secret whatever its name: a URL with a password, a known token, a private key."""
    return bool(URL_WITH_PASSWORD.search(value) or TOKEN.search(value))


def url_holds_secret(url: str) -> bool:
    """Whether any part of a URL of Git or of a package index is a secret; ``git@host:folder`` and its like are none."""
    return any(_one_url_holds_secret(part) for part in url.replace("\\", "/").split())


def _one_url_holds_secret(url: str) -> bool:
    if TOKEN.search(url) or QUERY_SECRET.search(unquote(url)):
        return True
    scheme, apart, rest = url.partition(":/")
    if not apart:
        # host:folder of SSH, where only a user may come before the host.
        user, at, _host = unquote(url).partition("@")
        return bool(at) and ("/" not in user or ":" in user.partition("/")[0]) and (":" in user)
    rest = rest.lstrip("/")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    user, at, _host = unquote(authority).rpartition("@")
    if not at:
        # A password with "/" in it ends the host early: then what comes after the colon is no port.
        port = authority.rpartition("]")[2].partition(":")[2]
        return bool(port) and not port.isdigit() and "@" in unquote(rest)
    return ":" in user or bool(WEB.fullmatch(scheme))
