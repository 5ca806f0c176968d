# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The stack's secret values, and whether a text shows one of them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, unquote, urlsplit

# Members of JSON secrets that name things and protect nothing.
NOT_SECRET = {"username", "email", "host", "port", "dbname", "engine", "address", "firstname", "lastname"}
SHORTEST = 8


def secret_values(client: Any) -> dict[str, str]:
    """Every value that must stay hidden -> the name of its secret; read from Secrets Manager."""
    values: dict[str, str] = {}
    for page in client.get_paginator("list_secrets").paginate():
        for entry in page["SecretList"]:
            text = client.get_secret_value(SecretId=entry["ARN"])["SecretString"]
            for value in hidden_parts(text):
                values[value] = entry["Name"]
    return values


def hidden_parts(text: str) -> set[str]:
    """What is secret in one SecretString: the members of a JSON object, the password of a URI, else all of it."""
    try:
        document = json.loads(text)
    except ValueError:
        document = text
    if isinstance(document, dict):
        members = [str(value) for key, value in document.items() if key not in NOT_SECRET]
    else:
        members = [text]
    parts: set[str] = set()
    for member in members:
        password = urlsplit(member).password if "://" in member else None
        parts |= {unquote(password), quote(unquote(password), safe="")} if password else {member}
    return {part for part in parts if len(part) >= SHORTEST}


def leaks(text: str, secrets: dict[str, str]) -> list[str]:
    """Names of the secrets that ``text`` shows; the values stay out of the test's own output."""
    return sorted({name for value, name in secrets.items() if value in text})
