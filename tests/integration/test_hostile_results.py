# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Whoever runs DAG authors' code attacks those with more rights: with rows that they read, and in the databases."""

from __future__ import annotations

import time

import pytest
from ansible_collections.sm2a.airflow.tests.integration.visitor import ask
from ansible_collections.sm2a.airflow.tests.support.stack.airflow_api import AirflowApi
from ansible_collections.sm2a.airflow.tests.support.stack.engine import containers, run_python
from ansible_collections.sm2a.airflow.tests.support.stack.fixtures import Say, Stack
from ansible_collections.sm2a.airflow.tests.support.stack.poll import wait_until
from ansible_collections.sm2a.airflow.tests.support.stack.settings import NAME
from sm2a_runtime.database import users as database_users

pytestmark = pytest.mark.chain("stack")

# The scheduler asks for the state of its tasks every second or so.
OBSERVATION_SECONDS = 20
TASK_SECONDS = 45
MARK = "/tmp/sm2a-attacked"
# Of a container, the connection that it has by this section and option.
CONNECT = """
import json
from airflow.configuration import conf
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

engine = create_engine(conf.get(*OPTION).removeprefix("db+"), isolation_level="AUTOCOMMIT")

def refused(statement):
    try:
        with engine.connect() as connection:
            connection.execute(text(statement))
    except DBAPIError as error:
        words = ("denied", "must be owner", "violates row-level security")
        return any(word in str(error).lower() for word in words)
    return False
"""
CRAFTED = """
crafted = b"cos\\nsystem\\n(S'touch %s'\\ntR." % MARK.encode()
"""
# A pickle that makes a file when it is loaded, in every row of a task that runs.
PLANT_RESULT = """
running = "SELECT task_id FROM celery_taskmeta WHERE status = 'STARTED'"
update = "UPDATE celery_taskmeta SET result = :crafted WHERE status = 'STARTED'"
with engine.connect() as connection:
    found = connection.execute(text(running)).scalars().all()
    connection.execute(text(update), {"crafted": crafted})
print(json.dumps(found))
"""
PLANT_CONFIG = """
update = "UPDATE task_instance SET executor_config = :crafted WHERE dag_id = 'sm2a_load' AND run_id = :run"
with engine.connect() as connection:
    changed = connection.execute(text(update), {"crafted": crafted, "run": RUN}).rowcount
print(json.dumps(changed))
"""
PLANT_SESSION = """
import datetime
row = "INSERT INTO session (session_id, data, expiry) VALUES (:id, :crafted, :expiry)"
later = datetime.datetime.now() + datetime.timedelta(days=1)
with engine.connect() as connection:
    connection.execute(text("DELETE FROM session WHERE session_id = :id"), {"id": SESSION})
    connection.execute(text(row), {"id": SESSION, "crafted": crafted, "expiry": later})
    found = connection.execute(text("SELECT count(*) FROM session WHERE session_id = :id"), {"id": SESSION}).scalar()
print(json.dumps(found))
"""
WAS_LOADED = f"import json, os; print(json.dumps(os.path.exists({MARK!r})))"
REFUSALS = """
print(json.dumps([statement for statement in STATEMENTS if not refused(statement)]))
"""
WORKERS_STATEMENTS = [
    "DELETE FROM celery_taskmeta",
    "DROP TABLE celery_taskmeta",
    "ALTER TABLE celery_taskmeta ADD COLUMN mine int",
    "CREATE TABLE mine (id int)",
    "CREATE VIEW mine AS SELECT 1 AS one",
    "CREATE INDEX mine ON celery_taskmeta (status)",
]
SCHEDULERS_STATEMENTS = [
    "UPDATE celery_taskmeta SET status = 'SUCCESS'",
    "DELETE FROM celery_taskmeta",
    "CREATE TABLE mine (id int)",
]
# Of those who run DAG authors' code beside Airflow's database; in the triggerer, a task runs any function by a trigger.
DAG_CODE_STATEMENTS = [
    "SELECT * FROM session",
    "INSERT INTO session (session_id) VALUES ('mine')",
    "SELECT * FROM ab_user",
    "UPDATE ab_user SET password = 'x'",
    "INSERT INTO ab_user_role (user_id, role_id) VALUES (1, 1)",
    "UPDATE ab_view_menu SET name = 'DAG:mine'",
    "INSERT INTO ab_permission_view_role (permission_view_id, role_id)"
    " SELECT p.id, 1 FROM ab_permission_view p JOIN ab_view_menu m ON m.id = p.view_menu_id WHERE m.name = 'Users'",
    "UPDATE connection SET host = 'mine'",
    "DELETE FROM log",
    "INSERT INTO log_template (filename, elasticsearch_id) VALUES ('{{ cycler.__init__.__globals__ }}', '')",
    "UPDATE log_template SET filename = '{{ cycler.__init__.__globals__ }}'",
    "CREATE TABLE mine (id int)",
]
# As the DAG processor does with the `access_control` of a DAG that it has parsed.
GIVE_ACCESS = """
import json
from airflow import settings
from airflow.providers.fab.www.security_appless import ApplessAirflowSecurityManager
from airflow.utils.session import create_session

settings.initialize()
found = []
for access in ({"Viewer": {"can_edit"}}, {"Viewer": {"DAG Runs": {"can_create"}}}, {}):
    with create_session() as session:
        ApplessAirflowSecurityManager(session=session).sync_perm_for_dag("sm2a_smoke", access)
    with create_session() as session:
        permissions = ApplessAirflowSecurityManager(session=session).find_role("Viewer").permissions
        found.append([str(permission) for permission in permissions if "sm2a_smoke" in str(permission)])
print(json.dumps(found))
"""
RESULTS = 'OPTION = ("celery", "result_backend")\n'
METADATA = 'OPTION = ("database", "sql_alchemy_conn")\n'
AUTOSCALER = """
import json, os
import boto3, psycopg2, pymysql
from sm2a_autoscaler.metadata.credentials import DatabaseSecret

secret = DatabaseSecret(boto3.client("secretsmanager"), os.environ["SM2A_AUTOSCALER_DATABASE_SECRET"])
driver = pymysql if secret.dialect() == "mysql" else psycopg2
connection = driver.connect(**secret.parameters())

def refused(statement):
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    except Exception as error:
        connection.rollback()
        return "denied" in str(error).lower()
    return False
"""
AUTOSCALER_STATEMENTS = [
    "SELECT * FROM connection",
    "SELECT * FROM variable",
    "SELECT * FROM ab_user",
    "UPDATE task_instance SET state = 'success'",
    "DELETE FROM dag_run",
    "INSERT INTO job (id) VALUES (0)",
    "CREATE TABLE mine (id int)",
]


def allowed(service: str, prelude: str, statements: list[str]) -> list[str]:
    """Which statements are not refused to the database user of a service."""
    container, *_ = containers(NAME, service)
    found: list[str] = run_python(container, f"{prelude}\nSTATEMENTS = {statements!r}\n{REFUSALS}")
    return found


def loaded_in(*services: str) -> list[str]:
    """The containers of these services in which the crafted value ran."""
    return [found for service in services for found in containers(NAME, service) if run_python(found, WAS_LOADED)]


def test_a_crafted_result_runs_nowhere_and_stops_nothing(stack: Stack, airflow: AirflowApi, say: Say) -> None:
    airflow.wait_for_dag("sm2a_load")
    run = airflow.trigger("sm2a_load", {"tasks": 2, "seconds": TASK_SECONDS})

    def running() -> bool:
        return [task["state"] for task in airflow.tasks("sm2a_load", run)].count("running") == 2

    wait_until("both tasks run", running, 180)
    worker, *_ = containers(NAME, "worker-default")
    planted = run_python(worker, f"MARK = {MARK!r}\n{RESULTS}{CONNECT}{CRAFTED}{PLANT_RESULT}")
    assert len(planted) >= 2, planted
    say(f"{len(planted)} tasks that run have a crafted result")
    other = airflow.trigger("sm2a_smoke")
    time.sleep(OBSERVATION_SECONDS)
    assert loaded_in("scheduler", "worker-default") == []
    log = stack.container_logs()[f"/sm2a/{NAME}/scheduler"]
    # Of tasks that died with their worker there are rows, too; nobody reads these any more.
    seen = [task for task in planted if f"Stored result of task '{task}'" in log]
    assert len(seen) >= 2, "the scheduler did not read the rows"
    assert airflow.wait_for_run("sm2a_smoke", other, 180) == "success"
    assert airflow.wait_for_run("sm2a_load", run, 180) == "success"


def test_workers_write_results_and_nothing_else(stack: Stack) -> None:
    assert allowed("worker-default", RESULTS + CONNECT, WORKERS_STATEMENTS) == []


def test_the_scheduler_only_reads_results(stack: Stack) -> None:
    assert allowed("scheduler", RESULTS + CONNECT, SCHEDULERS_STATEMENTS) == []


def test_the_autoscaler_only_reads_what_it_needs(stack: Stack) -> None:
    assert allowed("autoscaler", AUTOSCALER, AUTOSCALER_STATEMENTS) == []


@pytest.mark.parametrize("service", ["dag-processor", "triggerer"])
def test_dag_code_beside_the_database_changes_not_who_may_sign_in(stack: Stack, service: str) -> None:
    assert allowed(service, METADATA + CONNECT, DAG_CODE_STATEMENTS) == []


def test_a_crafted_executor_config_runs_nowhere_and_stops_nothing(stack: Stack, airflow: AirflowApi) -> None:
    run = airflow.trigger("sm2a_load", {"tasks": 1, "seconds": TASK_SECONDS})

    def running() -> bool:
        return "running" in [task["state"] for task in airflow.tasks("sm2a_load", run)]

    wait_until("the task runs", running, 180)
    plant = f"MARK, RUN = {MARK!r}, {run!r}\n{METADATA}{CONNECT}{CRAFTED}{PLANT_CONFIG}"
    for attacker in (*containers(NAME, "dag-processor"), *containers(NAME, "triggerer")):
        assert run_python(attacker, plant) >= 1
    assert airflow.wait_for_run("sm2a_load", run, 180) == "success"
    assert airflow.tasks("sm2a_load", run)
    assert loaded_in("scheduler", "api-server") == []

    def read() -> bool:
        ignored = "a pickled value in the database is ignored: it names os.system"
        return ignored in stack.container_logs()[f"/sm2a/{NAME}/scheduler"]

    wait_until("the scheduler has read the row", read, 30)


def test_a_crafted_session_does_not_run(stack: Stack) -> None:
    """Only who owns the tables can make one; a session must not be more than data, whatever a later version stores."""
    web_server, *_ = containers(NAME, "api-server")
    settings = f"MARK, SESSION = {MARK!r}, 'sm2a-crafted'\n"
    assert run_python(web_server, settings + METADATA + CONNECT + CRAFTED + PLANT_SESSION) == 1
    for _ in containers(NAME, "api-server"):
        ask("/auth/login/", headers={"Cookie": "session=sm2a-crafted"})
    assert loaded_in("api-server") == []
    assert ask("/auth/login/").status == 200


def test_the_dag_processor_gives_and_takes_rights_on_a_dag(stack: Stack) -> None:
    dag_processor, *_ = containers(NAME, "dag-processor")
    given = run_python(dag_processor, GIVE_ACCESS)
    assert given == [["can edit on DAG:sm2a_smoke"], ["can create on DAG Run:sm2a_smoke"], []]


def test_the_rights_on_every_table_of_this_airflow_are_decided(stack: Stack) -> None:
    """A new version brings tables; somebody looks whether what is in them is code for who reads it."""
    web_server, *_ = containers(NAME, "api-server")
    tables = "from sqlalchemy import inspect\nprint(json.dumps(inspect(engine).get_table_names()))"
    assert set(run_python(web_server, METADATA + CONNECT + tables)) == set(database_users.DAG_PROCESSOR)
