# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What a container needs to use the metadata database, beside the URI, which it reads itself. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FILE, CERTIFICATES = "SM2A_DATABASE_CA_FILE", "SM2A_DATABASE_CA_CERTIFICATES"
# Drivers take certificate authorities from a file only. What the container is for takes the place of this shell.
WRITE = f'printf "%s\\n" "${CERTIFICATES}" > "${FILE}" && exec "$@"'


def database_client(container: Mapping[str, Any], database: Mapping[str, Any]) -> dict[str, Any]:
    """The container definition for a database as ``database_outputs`` has it; unchanged without one."""
    if not database:
        return dict(container)
    # Nothing reads the place: with it, the services start anew when the database is another one, whose URI is a secret.
    place = f"{database['address']}:{database['port']}/{database['database_name']}"
    environment = {"SM2A_DATABASE": place, **container["environment"]}
    own = database.get("ca_certificates")
    if not own:
        return {**container, "environment": environment}
    return {
        **container,
        "entry_point": ["/bin/sh", "-c", WRITE, "sh"],
        "environment": {**environment, FILE: own["file"], CERTIFICATES: own["pem"].strip()},
    }
