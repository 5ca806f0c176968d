# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Forms of connections that Airflow cannot read, or reads otherwise than meant. Sentences never repeat a value. Pure.

A URI is read by Airflow (https://airflow.apache.org/docs/apache-airflow/stable/howto/connection.html#uri-format), a
dictionary or its JSON text by the secrets backend of the Amazon provider, which drops fields that it does not know:
https://airflow.apache.org/docs/apache-airflow-providers-amazon/stable/secrets-backends/aws-secrets-manager.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.conversion import likely

# Fields of a connection -> the other names that the backend takes for them.
FIELDS = {
    "conn_type": ("conn_id", "connection_type", "engine"),
    "host": ("remote_host", "server"),
    "login": ("user", "username", "user_name"),
    "password": ("pass", "key"),
    "schema": ("database",),
    "port": (),
    "extra": (),
    "description": (),
}
NAMES = {name: field for field, others in FIELDS.items() for name in (field, *others)}
HIGHEST_PORT = 65535
# As urlsplit takes a scheme; other characters end in a connection without a type.
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
HALF_ENCODED = re.compile(r"%(?![0-9A-Fa-f]{2})")
ENCODE = "percent-encode it, or write the connection as a dictionary"


def connection_problem(value: Any) -> str | None:
    """Why Airflow could not use this connection: a URI, JSON or a dictionary."""
    if isinstance(value, Mapping):
        return _fields_problem(value)
    # Airflow does not mind space around it.
    written = value.strip()
    return _json_problem(written) if written.startswith("{") else _uri_problem(written)


def _json_problem(value: str) -> str | None:
    try:
        fields = json.loads(value)
    except (ValueError, RecursionError):
        return "must be JSON, as it begins with '{', and is none; write a dictionary instead, of which SM2A makes JSON"
    return _fields_problem(fields)


def _fields_problem(fields: Mapping[Any, Any]) -> str | None:
    for name in fields:
        if name == "uri":
            return "must have no field uri, which Airflow drops; write the URI itself in place of the dictionary"
        if name not in NAMES:
            known = f"must have only the fields {', '.join(FIELDS)}, not {name}, which Airflow drops"
            return f"{known}{likely(str(name), list(NAMES)) or '; what is meant for the provider belongs into extra'}"
    given = {NAMES[name]: (name, value) for name, value in fields.items()}
    if not given.get("conn_type", ("", ""))[1]:
        return "must have a conn_type, such as postgres, http or aws"
    return next((sentence for field, one in given.items() if (sentence := _field_problem(field, *one))), None)


def _field_problem(field: str, name: str, value: Any) -> str | None:
    if value is None:
        return None
    if field in ("port", "extra"):
        return _port_problem(value) if field == "port" else _extra_problem(value)
    return None if isinstance(value, str) else f"{name} must be text; put it in quotes"


def _port_problem(value: Any) -> str | None:
    digits = "" if isinstance(value, (bool, float)) else str(value)
    # Airflow takes 0 and empty text for no port.
    if value == "" or (re.fullmatch(r"[0-9]{1,5}", digits) and int(digits) <= HIGHEST_PORT):
        return None
    return f"port must be a whole number, at most {HIGHEST_PORT}"


def _extra_problem(value: Any) -> str | None:
    if isinstance(value, str) and value:
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = None
    return (
        None if isinstance(value, Mapping) or value == "" else "extra must be a dictionary, or text that is one in JSON"
    )


def _uri_problem(uri: str) -> str | None:
    scheme, apart, rest = uri.partition("://")
    if not apart:
        return "must be a URI with conn_type://, such as postgres://login:password@host:5432/schema, or a dictionary"
    if not SCHEME.fullmatch(scheme):
        return "must begin with its conn_type, of letters, digits and hyphens, as google-cloud-platform://"
    if re.search(r"[\s\x00-\x1f\x7f]", uri):
        return f"must have no space and no line end; {ENCODE}"
    if HALF_ENCODED.search(uri):
        return "must have two hexadecimal digits after each '%'; write %25 for a percent sign"
    if "#" in uri:
        return "must have no '#', where Airflow takes the URI to end; write %23"
    return _authority_problem(rest)


def _authority_problem(rest: str) -> str | None:
    """What is wrong with what comes after the type: login, password, host and port."""
    protocol, second, host = rest.partition("://")
    if second and ("@" in protocol or ":" in protocol or "://" in host):
        return f"must not have '://' in a login, password or host but for http://https://host; {ENCODE}"
    try:
        port = urlsplit(rest if second else f"//{rest}").port
    except ValueError:
        return f"its host or port must be one that can be read; where a password has one of '/:@?[]', {ENCODE}"
    return _port_problem(port) if port is not None else None
