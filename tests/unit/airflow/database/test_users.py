# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Users of the databases on a real PostgreSQL: what an attacker left as owner of the results, and what he may do."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from ansible_collections.sm2a.airflow.tests.support.postgres import Postgres, postgres_server
from celery.backends.database.models import ResultModelBase
from sm2a_runtime import migrate
from sm2a_runtime.celery.result_tables import Base
from sm2a_runtime.database import postgres_setup
from sm2a_runtime.database import users as database_users
from sm2a_runtime.database.setup import Database, Login, Server

__all__ = ["postgres_server"]

MASTER, OWNER = Login("rds_master", "m"), Login("flow", "o")
WORKERS, SCHEDULER, AUTOSCALER = Login("results", "w"), Login("results_reader", "s"), Login("flow autoscaler", "a")
TRIGGERER, DAG_PROCESSOR = Login("flow_triggerer", "t"), Login('flow "dag" processor', "d")
LOGINS = {
    **{"master": MASTER, "owner": OWNER, "workers": WORKERS, "scheduler": SCHEDULER},
    **{"autoscaler": AUTOSCALER, "triggerer": TRIGGERER, "dag processor": DAG_PROCESSOR},
}
RESULTS = "results"


@pytest.fixture
def server(postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """With a master user as RDS has it, who is no superuser; without TLS."""
    connect = psycopg2.connect
    monkeypatch.setattr(psycopg2, "connect", lambda **values: connect(**values | {"sslmode": "disable"}))
    postgres_server.execute("CREATE ROLE rds_master LOGIN CREATEROLE CREATEDB PASSWORD 'm'")
    yield Server("127.0.0.1", postgres_server.port, verify=False)
    for database in ("metadata", RESULTS):
        postgres_server.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
    for login in (*LOGINS.values(), Login("stranger", "")):
        postgres_server.execute("DROP ROLE IF EXISTS {}".format('"' + login.username.replace('"', '""') + '"'))


@pytest.fixture
def settings(server: Server, monkeypatch: pytest.MonkeyPatch) -> migrate.Settings:
    """Of a migration on this server."""
    monkeypatch.setattr(migrate, "read_login", lambda secret: LOGINS[secret])
    return migrate.Settings(
        engine=postgres_setup,
        server=server,
        master_secret="master",
        admin_secret="admin",
        wait_seconds=0,
        database="metadata",
        result_database=RESULTS,
        owner_secret="owner",
        workers_secret="workers",
        scheduler_secret="scheduler",
        autoscaler_secret="autoscaler",
        triggerer_secret="triggerer",
        dag_processor_secret="dag processor",
    )


@pytest.fixture
def upgraded(server: Server, settings: migrate.Settings) -> migrate.Settings:
    """An environment of an earlier release: Celery made its tables as the workers' user, who owns the database."""
    assert postgres_setup.ensure_database(Database(server, MASTER, WORKERS, RESULTS))
    assert postgres_setup.ensure_tables(Database(server, MASTER, WORKERS, RESULTS), ResultModelBase.metadata)
    run(server, WORKERS, "INSERT INTO celery_taskmeta (id, task_id, status) VALUES (1, 'in flight', 'STARTED')")
    return settings


def metadata_of(server: Server) -> Database:
    return Database(server, MASTER, OWNER, "metadata")


def run(server: Server, login: Login, statement: str, database: str = RESULTS) -> list[tuple[Any, ...]]:
    """Rows of a statement."""
    with closing(postgres_setup.connect(server, login, database)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


def refused(server: Server, login: Login, statement: str, database: str) -> bool:
    """Whether the user has no right to it."""
    try:
        run(server, login, statement, database)
    except psycopg2.errors.InsufficientPrivilege:
        return True
    return False


def prepare(settings: migrate.Settings) -> bool:
    """The part of the migration that is about results; whether it changed anything."""
    return any(migrate.prepare_results(settings, Database(settings.server, MASTER, OWNER, RESULTS)))


def test_a_new_environment(settings: migrate.Settings, server: Server) -> None:
    postgres_setup.ensure_database(metadata_of(server))
    assert prepare(settings)
    assert not prepare(settings)
    run(server, WORKERS, "INSERT INTO celery_taskmeta (id, task_id) VALUES (nextval('task_id_sequence'), 'a')")
    run(server, WORKERS, "UPDATE celery_taskmeta SET status = 'SUCCESS'")
    assert run(server, SCHEDULER, "SELECT task_id, status FROM celery_taskmeta") == [("a", "SUCCESS")]


def test_an_upgrade_keeps_the_tasks_in_flight_and_disturbs_no_session(
    upgraded: migrate.Settings, server: Server
) -> None:
    with closing(postgres_setup.connect(server, WORKERS, RESULTS)) as old, old.cursor() as cursor:
        assert prepare(upgraded)
        cursor.execute("UPDATE celery_taskmeta SET status = 'SUCCESS' WHERE task_id = 'in flight'")
    assert run(server, SCHEDULER, "SELECT task_id, status FROM celery_taskmeta") == [("in flight", "SUCCESS")]
    assert not prepare(upgraded)


# What the workers' user may do as the owner of a table, so that it runs in the session of whoever uses that, with his
# rights. Each notes who ran it.
FUNCTION = """
CREATE TABLE ran (who text);
GRANT ALL ON ran TO PUBLIC;
CREATE FUNCTION trap(value varchar) RETURNS varchar LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO public.ran VALUES (current_user); RETURN value; END $$;
CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO public.ran VALUES (current_user); RETURN new; END $$;
"""
TRAPS = {
    "view": "ALTER TABLE celery_taskmeta RENAME TO hidden;"
    " CREATE VIEW celery_taskmeta AS"
    " SELECT id, trap(task_id) AS task_id, status, result, date_done, traceback FROM hidden",
    "trigger": "CREATE TRIGGER trap BEFORE INSERT OR UPDATE ON celery_taskmeta FOR EACH ROW EXECUTE FUNCTION trap()",
    "policy": "ALTER TABLE celery_taskmeta ENABLE ROW LEVEL SECURITY;"
    " CREATE POLICY trap ON celery_taskmeta USING (trap(task_id) IS NOT NULL)",
    "default": "ALTER TABLE celery_taskmeta ALTER traceback SET DEFAULT trap('')",
    "check": "ALTER TABLE celery_taskmeta ADD CHECK (trap(task_id) IS NOT NULL)",
    "rule": "CREATE RULE trap AS ON INSERT TO celery_taskmeta DO ALSO SELECT trap('')",
    "child": "CREATE TABLE child () INHERITS (celery_taskmeta)",
    "type": "CREATE DOMAIN trapped AS text CHECK (trap(value) IS NOT NULL);"
    " ALTER TABLE celery_taskmeta ALTER status TYPE trapped",
    "operator": "CREATE FUNCTION same(varchar, varchar) RETURNS bool LANGUAGE sql AS 'SELECT trap($1) IS NOT NULL';"
    " CREATE OPERATOR = (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = same)",
    "definer": "ALTER FUNCTION trap(varchar) SECURITY DEFINER",
}


@pytest.mark.parametrize("kind", TRAPS)
def test_a_trap_that_the_former_owner_left_catches_nobody(
    upgraded: migrate.Settings, server: Server, postgres_server: Postgres, kind: str
) -> None:
    run(server, WORKERS, FUNCTION + TRAPS[kind])
    prepare(upgraded)
    run(server, SCHEDULER, "SELECT * FROM celery_taskmeta WHERE task_id = 'x'")
    run(server, SCHEDULER, "SELECT * FROM celery_taskmeta")
    run(server, WORKERS, "INSERT INTO celery_taskmeta (id, task_id) VALUES (7, 'x')")
    run(server, WORKERS, "UPDATE celery_taskmeta SET status = 'y'")
    left = "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    assert run(server, MASTER, left) == []
    owners = "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    assert run(server, MASTER, owners) == [(OWNER.username,)]
    assert not prepare(upgraded)


def test_a_view_runs_code_of_its_owner_as_the_scheduler(upgraded: migrate.Settings, server: Server) -> None:
    """That the traps above are traps."""
    run(server, WORKERS, FUNCTION + TRAPS["view"])
    run(server, MASTER, "CREATE ROLE stranger LOGIN PASSWORD 's'", "postgres")
    run(server, WORKERS, "GRANT CONNECT ON DATABASE results TO stranger; GRANT SELECT ON celery_taskmeta TO stranger")
    run(server, WORKERS, "GRANT SELECT ON hidden TO stranger")
    run(server, Login("stranger", "s"), "SELECT * FROM celery_taskmeta")
    assert run(server, WORKERS, "SELECT who FROM ran") == [("stranger",)]


WORKERS_FORBIDDEN = [
    "DELETE FROM celery_taskmeta",
    "TRUNCATE celery_taskmeta",
    "DROP TABLE celery_taskmeta",
    "ALTER TABLE celery_taskmeta RENAME TO mine",
    "ALTER TABLE celery_taskmeta OWNER TO results",
    "ALTER TABLE celery_taskmeta ALTER status SET DEFAULT 'x'",
    "CREATE INDEX ON celery_taskmeta (lower(status))",
    "CREATE RULE r AS ON UPDATE TO celery_taskmeta DO INSTEAD NOTHING",
    "ALTER TABLE celery_taskmeta ENABLE ROW LEVEL SECURITY",
    "CREATE TABLE mine (a int)",
    "CREATE VIEW mine AS SELECT 1",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE SCHEMA mine",
    "CREATE TEMP TABLE mine (a int)",
    "ALTER DATABASE results SET search_path = pg_temp",
    "ALTER ROLE results_reader SET search_path = pg_temp",
    "SET ROLE flow",
]


def test_workers_write_rows_and_nothing_else(upgraded: migrate.Settings, server: Server) -> None:
    prepare(upgraded)
    assert [statement for statement in WORKERS_FORBIDDEN if not refused(server, WORKERS, statement, RESULTS)] == []
    # PostgreSQL only warns that nothing was granted.
    run(server, WORKERS, "GRANT SELECT ON celery_taskmeta TO PUBLIC")
    assert run(server, MASTER, "SELECT has_table_privilege('public', 'celery_taskmeta', 'SELECT')") == [(False,)]


SCHEDULERS_FORBIDDEN = [
    "UPDATE celery_taskmeta SET status = 'x'",
    "INSERT INTO celery_taskmeta (id) VALUES (9)",
    "DELETE FROM celery_taskmeta",
]


def test_the_scheduler_reads_results_and_writes_none(upgraded: migrate.Settings, server: Server) -> None:
    prepare(upgraded)
    assert [statement for statement in SCHEDULERS_FORBIDDEN if not refused(server, SCHEDULER, statement, RESULTS)] == []


def give_autoscaler(server: Server) -> bool:
    return postgres_setup.ensure_rights(metadata_of(server), AUTOSCALER, database_users.AUTOSCALER)


@pytest.fixture
def metadata(server: Server) -> Server:
    """Airflow's database, as far as names go, and the autoscaler's user."""
    postgres_setup.ensure_database(metadata_of(server))
    for table in (*database_users.AUTOSCALER, "connection", "variable", "ab_user"):
        run(server, OWNER, f"CREATE TABLE {table} (id int)", "metadata")
    assert give_autoscaler(server)
    return server


def test_the_autoscaler_reads_its_tables_and_takes_its_lock(metadata: Server) -> None:
    for table in database_users.AUTOSCALER:
        assert run(metadata, AUTOSCALER, f"TABLE {table}", "metadata") == []
    assert run(metadata, AUTOSCALER, "SELECT pg_try_advisory_lock(1)", "metadata") == [(True,)]
    assert not give_autoscaler(metadata)


AUTOSCALERS_FORBIDDEN = [
    "TABLE connection",
    "TABLE variable",
    "TABLE ab_user",
    "INSERT INTO job VALUES (1)",
    "UPDATE task_instance SET id = 1",
    "DELETE FROM dag_run",
    "TRUNCATE dag",
    "DROP TABLE dag",
    "CREATE TABLE mine (a int)",
    "SELECT id FROM dag FOR UPDATE",
    "BEGIN; LOCK TABLE task_instance",
]


def test_the_autoscaler_may_do_nothing_else(metadata: Server) -> None:
    assert [text for text in AUTOSCALERS_FORBIDDEN if not refused(metadata, AUTOSCALER, text, "metadata")] == []


def test_rights_are_made_exact_again(metadata: Server) -> None:
    """After a migration has made a table anew, and after somebody gave too much."""
    run(metadata, OWNER, "DROP TABLE dag; CREATE TABLE dag (id int)", "metadata")
    run(metadata, OWNER, f'GRANT DELETE ON job TO "{AUTOSCALER.username}"', "metadata")
    run(metadata, OWNER, f'GRANT SELECT ON connection TO "{AUTOSCALER.username}"', "metadata")
    assert give_autoscaler(metadata)
    run(metadata, AUTOSCALER, "SELECT * FROM dag", "metadata")
    for statement in ("DELETE FROM job", "SELECT * FROM connection"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            run(metadata, AUTOSCALER, statement, "metadata")
    assert not give_autoscaler(metadata)


# Tables of the sign-in as FAB makes them, some of Airflow's, and one that a later version may bring.
AIRFLOW = """
CREATE TABLE ab_view_menu (id serial PRIMARY KEY, name text);
CREATE TABLE ab_permission_view (id serial PRIMARY KEY, view_menu_id int REFERENCES ab_view_menu);
CREATE TABLE ab_permission_view_role (
    id serial PRIMARY KEY, permission_view_id int REFERENCES ab_permission_view ON DELETE CASCADE, role_id int
);
INSERT INTO ab_view_menu (name) VALUES ('Users'), ('DAG:mine'), ('DAG Run:mine'), ('DAGs');
INSERT INTO ab_permission_view (view_menu_id) SELECT id FROM ab_view_menu;
INSERT INTO ab_permission_view_role (permission_view_id, role_id) VALUES (1, 1), (2, 1);
"""
PLAIN_TABLES = (
    *("ab_permission", "ab_role", "ab_user", "ab_user_role", "ab_group_role", "ab_user_group", "ab_register_user"),
    *("session", "sm2a_failed_login", "revoked_token", "connection_test_request", "connection", "alembic_version_fab"),
    *("variable", "log", "log_template", "slot_pool", "trigger", "new_in_4"),
)
USERS = {"triggerer": TRIGGERER, "dag processor": DAG_PROCESSOR}


@pytest.fixture
def shared(metadata: Server, settings: migrate.Settings) -> Server:
    """Airflow's database with the users who run code of DAG authors."""
    missing = [table for table in PLAIN_TABLES if table not in ("connection", "variable", "ab_user")]
    for table in missing:
        run(metadata, OWNER, f"CREATE TABLE {table} (id int)", "metadata")
    run(metadata, OWNER, AIRFLOW, "metadata")
    assert any(migrate.share_metadata(settings, metadata_of(metadata), ["DAG:", "DAG Run:"]))
    return metadata


def test_rights_of_those_who_run_dag_code_are_given_once(shared: Server, settings: migrate.Settings) -> None:
    assert not any(migrate.share_metadata(settings, metadata_of(shared), ["DAG:", "DAG Run:"]))
    assert any(migrate.share_metadata(settings, metadata_of(shared), ["DAG:", "DAG Run:", "DAG Version:"]))
    run(shared, OWNER, "ALTER TABLE ab_permission_view_role DISABLE ROW LEVEL SECURITY", "metadata")
    assert any(migrate.share_metadata(settings, metadata_of(shared), ["DAG:", "DAG Run:", "DAG Version:"]))


WORK = [
    "INSERT INTO task_instance VALUES (1); UPDATE task_instance SET id = 2; DELETE FROM task_instance",
    "INSERT INTO trigger VALUES (1); DELETE FROM trigger",
    "TABLE new_in_4",
    "TABLE log_template",
    "UPDATE variable SET id = 2",
    "TABLE connection",
    "TABLE alembic_version_fab",
    "INSERT INTO log VALUES (1)",
    "SELECT id FROM dag_run FOR UPDATE",
]
FORBIDDEN = [
    "TABLE session",
    "INSERT INTO session VALUES (1)",
    "TABLE ab_user",
    "INSERT INTO ab_user VALUES (1)",
    "INSERT INTO ab_user_role VALUES (1)",
    "INSERT INTO ab_group_role VALUES (1)",
    "INSERT INTO ab_user_group VALUES (1)",
    "INSERT INTO ab_register_user VALUES (1)",
    "INSERT INTO ab_role VALUES (1)",
    "UPDATE ab_view_menu SET name = 'DAG:x'",
    "UPDATE ab_permission_view SET view_menu_id = 1",
    "UPDATE ab_permission_view_role SET role_id = 9",
    "DELETE FROM sm2a_failed_login",
    "DELETE FROM revoked_token",
    "TABLE connection_test_request",
    "UPDATE connection SET id = 1",
    "INSERT INTO new_in_4 VALUES (1)",
    "INSERT INTO log_template VALUES (1)",
    "UPDATE log_template SET id = 1",
    "UPDATE slot_pool SET id = 1",
    "DELETE FROM log",
    "UPDATE alembic_version_fab SET id = 1",
    "DROP TABLE dag",
    "ALTER TABLE ab_permission_view_role DISABLE ROW LEVEL SECURITY",
    "CREATE TABLE mine (a int)",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "SET ROLE flow",
]


@pytest.mark.parametrize("user", USERS)
def test_who_runs_dag_code_does_the_work_of_airflow_and_changes_not_who_may_do_what(shared: Server, user: str) -> None:
    for statement in WORK:
        run(shared, USERS[user], statement, "metadata")
    assert [statement for statement in FORBIDDEN if not refused(shared, USERS[user], statement, "metadata")] == []


# %d: the row of ab_permission_view.
GIVE = "INSERT INTO ab_permission_view_role (permission_view_id, role_id) VALUES (%d, 9)"


def test_only_the_dag_processor_changes_what_dags_are(shared: Server) -> None:
    for statement in ("INSERT INTO serialized_dag VALUES (1)", "SELECT id FROM dag FOR UPDATE"):
        run(shared, DAG_PROCESSOR, statement, "metadata")
        assert refused(shared, TRIGGERER, statement, "metadata")


@pytest.mark.parametrize("row", [1, 4])
def test_the_dag_processor_gives_no_rights_on_anything_but_dags(shared: Server, row: int) -> None:
    assert refused(shared, DAG_PROCESSOR, GIVE % row, "metadata")
    run(shared, DAG_PROCESSOR, "DELETE FROM ab_permission_view_role", "metadata")
    assert run(shared, OWNER, "SELECT permission_view_id FROM ab_permission_view_role", "metadata") == [(1,)]


@pytest.mark.parametrize("row", [2, 3])
def test_the_dag_processor_gives_and_takes_rights_on_dags(shared: Server, row: int) -> None:
    run(shared, DAG_PROCESSOR, GIVE % row, "metadata")
    assert run(shared, DAG_PROCESSOR, "SELECT count(*) FROM ab_permission_view_role", "metadata") == [(3,)]
    run(shared, DAG_PROCESSOR, "DELETE FROM ab_permission_view_role WHERE role_id = 9", "metadata")
    assert run(shared, OWNER, "SELECT count(*) FROM ab_permission_view_role", "metadata") == [(2,)]
    run(shared, OWNER, GIVE % 1, "metadata")


def test_nobody_enters_the_database_of_another(metadata: Server, settings: migrate.Settings) -> None:
    prepare(settings)
    for login, database in ((WORKERS, "metadata"), (SCHEDULER, "metadata"), (AUTOSCALER, RESULTS)):
        with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
            run(metadata, login, "SELECT 1", database)


def test_our_tables_are_celerys(server: Server, settings: migrate.Settings) -> None:
    """Workers of an earlier release write into ours, and the other way round."""
    prepare(settings)
    columns = (
        "SELECT table_name, column_name, data_type, character_maximum_length, is_nullable FROM"
        " information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"
    )
    ours = run(server, OWNER, columns)
    postgres_setup.ensure_database(metadata_of(server))
    postgres_setup.ensure_tables(metadata_of(server), ResultModelBase.metadata)
    # Celery's further columns are for a setting that is off.
    assert set(ours) < set(run(server, OWNER, columns, "metadata"))
    assert {table for table, *_ in ours} == set(Base.metadata.tables) == set(database_users.RESULT_TABLES)
