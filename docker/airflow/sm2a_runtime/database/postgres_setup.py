# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Create Airflow's users and databases in PostgreSQL, with the rights of the RDS master user (who is no superuser)."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import encrypt_password

from sm2a_runtime.celery.result_tables import create_missing
from sm2a_runtime.database.connection import CONNECT_SECONDS, DatabaseError, reason
from sm2a_runtime.database.setup import Database, Login, Relations, Rights, Server

MAINTENANCE_DATABASE = "postgres"
# What is a table or a sequence and nothing more: no rule, trigger, policy, default, expression, type or parent of its
# owner's making, all of which are code that runs when others use the table.
PLAIN = """
SELECT c.relname, c.relkind::text,
       NOT c.relhastriggers AND NOT c.relhasrules AND NOT c.relrowsecurity
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_policy WHERE polrelid = c.oid)
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_attrdef WHERE adrelid = c.oid)
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE c.oid IN (inhrelid, inhparent))
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = c.oid AND contype NOT IN ('p', 'u', 'n'))
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_index
                       WHERE indrelid = c.oid AND (indexprs IS NOT NULL OR indpred IS NOT NULL))
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute JOIN pg_catalog.pg_type t ON t.oid = atttypid
                       WHERE attrelid = c.oid AND t.typnamespace <> 'pg_catalog'::regnamespace)
FROM pg_catalog.pg_class c
WHERE c.relowner = %s::regrole AND c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'S')
  AND c.relname = ANY(%s)
"""
OWNS_SOMETHING = """
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_shdepend s, pg_catalog.pg_database d
    WHERE refclassid = 'pg_catalog.pg_authid'::regclass AND refobjid = %(role)s::regrole AND deptype = 'o'
      AND datname = %(database)s AND (dbid = d.oid OR classid = 'pg_catalog.pg_database'::regclass AND objid = d.oid)
)
"""
RIGHTS = """
SELECT c.relname, x.privilege_type
FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) x
WHERE x.grantee = %s::regrole AND c.relnamespace = 'public'::regnamespace
"""
RELATIONS = """
SELECT relname, relkind = 'S' FROM pg_catalog.pg_class
WHERE relkind IN ('r', 'p', 'S') AND relnamespace = 'public'::regnamespace
"""
# Rows of what a role may do, by the name of what they are about.
ABOUT_A_DAG = """EXISTS (
    SELECT FROM public.ab_permission_view p JOIN public.ab_view_menu m ON m.id = p.view_menu_id
    WHERE p.id = permission_view_id AND ({})
)"""
# Statement -> whether the condition is about rows that are read, or that are written; SELECT has none.
POLICIES = {"SELECT": "USING (true)", "INSERT": "WITH CHECK ({})", "DELETE": "USING ({})"}
DAG_ACCESS = "sm2a_dag_access"
DAG_ACCESS_NOW = """
SELECT c.relrowsecurity, array(
    SELECT obj_description(p.oid, 'pg_policy') FROM pg_catalog.pg_policy p
    WHERE p.polrelid = c.oid AND p.polroles = ARRAY[%s::regrole::oid] AND starts_with(p.polname, %s) ORDER BY 1
)
FROM pg_catalog.pg_class c WHERE c.oid = 'public.ab_permission_view_role'::regclass
"""


def connect(server: Server, login: Login, database: str | None = None) -> Any:
    """A connection in autocommit mode: CREATE DATABASE allows no transaction."""
    connection = psycopg2.connect(
        host=server.address,
        port=server.port,
        user=login.username,
        password=login.password,
        dbname=database or MAINTENANCE_DATABASE,
        connect_timeout=CONNECT_SECONDS,
        **({"sslmode": "verify-full", "sslrootcert": server.ca_file} if server.verify else {"sslmode": "require"}),
    )
    connection.autocommit = True
    return connection


def is_temporary(error: Exception) -> bool:
    """Whether a refused connection may succeed later. libpq gives no code before a session exists, only words."""
    permanent = ("authentication failed", "does not exist", "certificate verify failed", "root certificate file")
    return not any(words in str(error) for words in permanent)


def ensure_database(database: Database) -> bool:
    """Make the owner able to log in, and the database his and closed to others. Returns whether anything changed."""
    try:
        with closing(connect(database.server, database.master)) as connection, connection.cursor() as cursor:
            changed = [
                _ensure_user(cursor, database.server, database.owner),
                _ensure_owned_database(cursor, database.owner.username, database.name),
            ]
    except psycopg2.Error as error:
        raise DatabaseError(reason(error)) from error
    return any(changed)


def _ensure_user(cursor: Any, server: Server, user: Login) -> bool:
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (user.username,))
    exists = cursor.fetchone() is not None
    if exists and _can_log_in(server, user):
        return False
    # The server gets and logs a SCRAM verifier, never the password.
    verifier = encrypt_password(user.password, user.username, cursor.connection, "scram-sha-256")
    statement = "ALTER ROLE {} LOGIN PASSWORD {}" if exists else "CREATE ROLE {} LOGIN PASSWORD {}"
    cursor.execute(sql.SQL(statement).format(sql.Identifier(user.username), sql.Literal(verifier)))
    print(f"database user {user.username}: {'password updated' if exists else 'created'}")
    return True


def _can_log_in(server: Server, user: Login) -> bool:
    try:
        connect(server, user).close()
    except psycopg2.OperationalError as error:
        if "authentication failed" in str(error) or "not permitted to log in" in str(error):
            return False
        raise
    return True


def _ensure_owned_database(cursor: Any, owner: str, database: str) -> bool:
    cursor.execute(
        "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s",
        (database,),
    )
    row = cursor.fetchone()
    if row is not None and row[0] == owner:
        return False
    # Only who may act as a role may give it something. From PostgreSQL 16 on, having created it is not enough.
    cursor.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(owner)))
    statement = "CREATE DATABASE {} OWNER {}" if row is None else "ALTER DATABASE {} OWNER TO {}"
    cursor.execute(sql.SQL(statement).format(sql.Identifier(database), sql.Identifier(owner)))
    cursor.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database)))
    print(f"database {database}: {'created for' if row is None else 'now belongs to'} {owner}")
    return True


def take_over(database: Database, former: Login, rights: Rights) -> bool:
    """Let a database and its plain tables belong to its owner, and drop what else a former owner made in it.

    Nothing of the former owner is run for that: he may have left code in wait for somebody with more rights. It is one
    transaction, so that those who use the tables notice nothing.
    """
    try:
        with closing(connect(database.server, database.master)) as connection, connection.cursor() as cursor:
            names = (former.username, database.name)
            cursor.execute("SELECT 1 FROM pg_roles, pg_database WHERE rolname = %s AND datname = %s", names)
            if cursor.fetchone() is None:
                return False
            _ensure_user(cursor, database.server, database.owner)
        with (
            closing(connect(database.server, database.master, database.name)) as connection,
            connection.cursor() as cursor,
        ):
            connection.autocommit = False
            cursor.execute("SET LOCAL search_path = pg_catalog")
            changed = _take_over(cursor, database, former.username, rights)
            changed = _close_schema(cursor, former.username) or changed
            connection.commit()
    except psycopg2.Error as error:
        raise DatabaseError(reason(error)) from error
    if changed:
        print(f"database {database.name}: nothing in it belongs to {former.username} any more")
    return changed


def _take_over(cursor: Any, database: Database, former: str, rights: Rights) -> bool:
    owner, name = database.owner.username, database.name
    cursor.execute(OWNS_SOMETHING, {"role": _role(former), "database": name})
    if not cursor.fetchone()[0]:
        return False
    for role in (former, owner):
        cursor.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(role)))
    cursor.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(name), sql.Identifier(owner)))
    cursor.execute(PLAIN, (_role(former), list(rights)))
    # Locked first, so that they are still plain when they are given away.
    for table in [table for table, kind, _ in cursor.fetchall() if kind == "r"]:
        cursor.execute(sql.SQL("LOCK TABLE ONLY {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier("public", table)))
    cursor.execute(PLAIN, (_role(former), list(rights)))
    kinds = {table: kind for table, kind, plain in cursor.fetchall() if plain}
    for table, kind in kinds.items():
        statement = "ALTER SEQUENCE {} OWNER TO {}" if kind == "S" else "ALTER TABLE {} OWNER TO {}"
        cursor.execute(sql.SQL(statement).format(sql.Identifier("public", table), sql.Identifier(owner)))
    cursor.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(sql.Identifier(former)))
    _ensure_entry(cursor, former, name)
    _ensure_exact(cursor, former, {table: rights[table] for table in kinds})
    return True


def _close_schema(cursor: Any, user: str) -> bool:
    """Databases that PostgreSQL 14 or earlier made let everybody create functions and operators for others to run."""
    cursor.execute("SELECT has_schema_privilege(%s, 'public', 'CREATE')", (user,))
    if not cursor.fetchone()[0]:
        return False
    cursor.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    cursor.execute("SELECT has_schema_privilege(%s, 'public', 'CREATE')", (user,))
    if cursor.fetchone()[0]:
        raise DatabaseError(f"{user} may create objects in the schema public: revoke CREATE on it from PUBLIC")
    return True


def ensure_tables(database: Database, metadata: Any) -> bool:
    """Create the tables that are missing. Returns whether any was."""
    return create_missing(
        metadata, "postgresql+psycopg2", lambda: connect(database.server, database.owner, database.name)
    )


def ensure_rights(database: Database, user: Login, rights: Rights) -> bool:
    """Make the user able to log in, with these rights in the database and no other. Returns whether that changed."""
    server, name = database.server, database.name
    try:
        with closing(connect(server, database.master)) as connection, connection.cursor() as cursor:
            changed = _ensure_user(cursor, server, user)
        with closing(connect(server, database.owner, name)) as connection, connection.cursor() as cursor:
            granted = [_ensure_entry(cursor, user.username, name), _ensure_exact(cursor, user.username, rights)]
    except psycopg2.Error as error:
        raise DatabaseError(reason(error)) from error
    if any(granted):
        print(f"database {name}: {user.username} has the rights that it needs")
    return changed or any(granted)


def _ensure_entry(cursor: Any, user: str, database: str) -> bool:
    cursor.execute("SELECT has_database_privilege(%s, %s, 'CONNECT')", (user, database))
    if cursor.fetchone()[0]:
        return False
    cursor.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(database), sql.Identifier(user)))
    return True


def _ensure_exact(cursor: Any, user: str, rights: Rights) -> bool:
    cursor.execute(RIGHTS, (_role(user),))
    found: dict[str, set[str]] = {}
    for name, privilege in cursor.fetchall():
        found.setdefault(name, set()).add(privilege)
    sequences = _relations(cursor).sequences
    wanted = {name: set(privileges) for name, privileges in rights.items()}
    for name in sorted(found.keys() | wanted.keys()):
        target = (sql.SQL("SEQUENCE" if name in sequences else "TABLE"), sql.Identifier("public", name))
        for template, privileges in (
            ("GRANT {} ON {} {} TO {}", wanted.get(name, set()) - found.get(name, set())),
            ("REVOKE {} ON {} {} FROM {}", found.get(name, set()) - wanted.get(name, set())),
        ):
            if privileges:
                names = sql.SQL(", ".join(sorted(privileges)))
                cursor.execute(sql.SQL(template).format(names, *target, sql.Identifier(user)))
    return found != wanted


def relations(database: Database) -> Relations:
    """The tables and sequences of the schema public."""
    try:
        with closing(connect(database.server, database.owner, database.name)) as connection:
            return _relations(connection.cursor())
    except psycopg2.Error as error:
        raise DatabaseError(reason(error)) from error


def _relations(cursor: Any) -> Relations:
    cursor.execute(RELATIONS)
    found = cursor.fetchall()
    names = [frozenset(name for name, is_sequence in found if is_sequence is wanted) for wanted in (False, True)]
    return Relations(tables=names[0], sequences=names[1])


def ensure_dag_access(database: Database, user: Login, prefixes: Sequence[str]) -> bool:
    """By policies on rows, each with its condition as comment: PostgreSQL writes a condition anew in its own way."""
    condition = ABOUT_A_DAG.format(" OR ".join(f"starts_with(m.name, '{prefix}')" for prefix in prefixes))
    policies = {verb: template.format(condition) for verb, template in POLICIES.items()}
    try:
        with closing(connect(database.server, database.owner, database.name)) as connection:
            connection.autocommit = False
            with connection, connection.cursor() as cursor:
                cursor.execute(DAG_ACCESS_NOW, (_role(user.username), DAG_ACCESS))
                if cursor.fetchone() == (True, sorted(policies.values())):
                    return False
                _set_policies(cursor, user.username, policies)
    except psycopg2.Error as error:
        raise DatabaseError(reason(error)) from error
    print(f"database {database.name}: {user.username} gives rights on DAGs only")
    return True


def _set_policies(cursor: Any, user: str, policies: Mapping[str, str]) -> None:
    cursor.execute("ALTER TABLE public.ab_permission_view_role ENABLE ROW LEVEL SECURITY")
    for verb, rule in policies.items():
        place = sql.SQL("{} ON public.ab_permission_view_role").format(sql.Identifier(f"{DAG_ACCESS}_{verb.lower()}"))
        cursor.execute(sql.SQL("DROP POLICY IF EXISTS {}").format(place))
        statement = sql.SQL("CREATE POLICY {} FOR {} TO {} {}")
        cursor.execute(statement.format(place, sql.SQL(verb), sql.Identifier(user), sql.SQL(rule)))
        cursor.execute(sql.SQL("COMMENT ON POLICY {} IS {}").format(place, sql.Literal(rule)))


def _role(user: str) -> str:
    """As `regrole` reads a name."""
    return '"' + user.replace('"', '""') + '"'
