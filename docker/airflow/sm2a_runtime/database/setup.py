# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What making Airflow's database takes, whatever the engine: logins, the server, waiting for it."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sm2a_runtime.database.connection import ERRORS, DatabaseError, reason

RETRY_SECONDS = 3.0
# Certificate authorities of Amazon RDS, part of the image.
CA_BUNDLE = "/usr/share/sm2a/rds-ca-bundle.pem"


@dataclass(frozen=True)
class Login:
    """A database user. The password stays out of the representation."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Server:
    """Where the database server listens, and whether its certificate is verified, with which authorities.

    TLS is used in any case.
    """

    address: str
    port: int
    verify: bool = True
    ca_file: str = CA_BUNDLE


@dataclass(frozen=True)
class Database:
    """A database on a server, its owner, and the user who may make both."""

    server: Server
    master: Login
    owner: Login
    name: str


@dataclass(frozen=True)
class Relations:
    """Names of what there is in a database. MySQL has no sequences."""

    tables: frozenset[str]
    sequences: frozenset[str] = frozenset()


# Table or sequence -> what a user may do with it.
Rights = Mapping[str, frozenset[str]]


class Engine(Protocol):
    """A kind of server. Each of `ensure_...` and `take_over` returns whether it changed anything."""

    def connect(self, server: Server, login: Login, database: str | None = None) -> Any:
        """A connection in autocommit mode; without a database to the one that every server has."""

    def is_temporary(self, error: Exception) -> bool:
        """Whether a refused connection may succeed later."""

    def ensure_database(self, database: Database) -> bool:
        """Make the owner able to log in, and the database his and closed to others."""

    def take_over(self, database: Database, former: Login, rights: Rights) -> bool:
        """Let the database and its plain tables belong to its owner, and a former owner keep these rights only."""

    def ensure_tables(self, database: Database, metadata: Any) -> bool:
        """Create the tables that are missing, as the owner's."""

    def ensure_rights(self, database: Database, user: Login, rights: Rights) -> bool:
        """Make the user able to log in, with these rights in the database and no other."""

    def relations(self, database: Database) -> Relations:
        """The tables and sequences of the database."""

    def ensure_dag_access(self, database: Database, user: Login, prefixes: Sequence[str]) -> bool:
        """Let this user give and take rights on DAGs only: those whose names begin with one of the prefixes.

        It concerns the table in which FAB keeps what each role may do. Who owns the table may do all.
        """


def wait_for_server(
    engine: Engine, server: Server, login: Login, wait_seconds: float, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Return when the server accepts this login; while it is still starting, try again and again."""
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            engine.connect(server, login).close()
        except ERRORS as error:
            if not engine.is_temporary(error) or time.monotonic() >= deadline:
                raise DatabaseError(reason(error)) from error
            print(f"database not ready yet: {reason(error)}")
            sleep(RETRY_SECONDS)
        else:
            return
