# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""TLS of Airflow's asynchronous database sessions.

Airflow makes the asynchronous URI from the synchronous one and keeps its query, but the asynchronous drivers do not
know the TLS options of psycopg2 (`sslmode`, `sslrootcert`) and mysqlclient (`ssl_mode`, `ssl_ca`): they want an
SSLContext. SQLAlchemy lets `async_creator_fn` open the connection.
"""

import importlib
import ssl
from typing import Any

VERIFYING = ("verify-full", "VERIFY_IDENTITY")


async def connect(*arguments: Any, **options: Any) -> Any:
    """A connection of asyncpg or aiomysql with what SQLAlchemy passes, its TLS options translated."""
    # SQLAlchemy passes the database's name as `db` to MySQL's drivers, as `database` to PostgreSQL's.
    if "db" in options:
        mode, ca = options.pop("ssl_mode", None), (options.pop("ssl", None) or {}).get("ca")
        driver = importlib.import_module("aiomysql")
    else:
        mode, ca = options.pop("sslmode", None), options.pop("sslrootcert", None)
        driver = importlib.import_module("asyncpg")
    if mode:
        options["ssl"] = tls_context(mode in VERIFYING, ca)
    return await driver.connect(*arguments, **options)


def tls_context(verify: bool, ca: str | None) -> ssl.SSLContext:
    """A client's context: certificate and host name are verified with the bundle `ca`, or nothing is."""
    context = ssl.create_default_context(cafile=ca if verify else None)
    # Python 3.13 wants extensions that certificate authorities of RDS lack.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
