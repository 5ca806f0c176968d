"""A worker attacks whoever reads what it writes: with rows of Celery's results, and with rights in the databases."""

from __future__ import annotations

import time

from ansible_collections.sm2a.airflow.tests.integration.airflow_api import AirflowApi
from ansible_collections.sm2a.airflow.tests.integration.conftest import Say, Stack
from ansible_collections.sm2a.airflow.tests.integration.engine import containers, run_python
from ansible_collections.sm2a.airflow.tests.integration.poll import wait_until
from ansible_collections.sm2a.airflow.tests.integration.settings import NAME

# The scheduler asks for the state of its tasks every second or so.
LOOK_SECONDS = 20
TASK_SECONDS = 45
MARK = "/tmp/sm2a-attacked"
CONNECT = """
import json
from airflow.configuration import conf
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

engine = create_engine(conf.get("celery", "result_backend").removeprefix("db+"), isolation_level="AUTOCOMMIT")

def refused(statement):
    try:
        with engine.connect() as connection:
            connection.execute(text(statement))
    except DBAPIError as error:
        return "denied" in str(error).lower() or "must be owner" in str(error)
    return False
"""
# A pickle that makes a file when it is loaded, in every row of a task that runs.
PLANT = """
running = "SELECT task_id FROM celery_taskmeta WHERE status = 'STARTED'"
crafted = "UPDATE celery_taskmeta SET result = :crafted WHERE status = 'STARTED'"
with engine.connect() as connection:
    found = connection.execute(text(running)).scalars().all()
    connection.execute(text(crafted), {"crafted": b"cos\\nsystem\\n(S'touch %s'\\ntR." % MARK.encode()})
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
AUTOSCALER = """
import json, os
import boto3, psycopg2, pymysql
from sm2a_autoscaler.credentials import DatabaseSecret

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


def test_a_crafted_result_runs_nowhere_and_stops_nothing(stack: Stack, airflow: AirflowApi, say: Say) -> None:
    airflow.wait_for_dag("sm2a_load")
    run = airflow.trigger("sm2a_load", {"tasks": 2, "seconds": TASK_SECONDS})

    def running() -> bool:
        return [task["state"] for task in airflow.tasks("sm2a_load", run)].count("running") == 2

    wait_until("both tasks run", running, 180)
    worker, *_ = containers(NAME, "worker-default")
    planted = run_python(worker, f"MARK = {MARK!r}\n{CONNECT}\n{PLANT}")
    assert len(planted) >= 2, planted
    say(f"{len(planted)} tasks that run have a crafted result")
    other = airflow.trigger("sm2a_smoke")
    time.sleep(LOOK_SECONDS)
    readers = [*containers(NAME, "scheduler"), *containers(NAME, "worker-default")]
    assert {reader: run_python(reader, WAS_LOADED) for reader in readers} == dict.fromkeys(readers, False)
    log = stack.container_logs()[f"/sm2a/{NAME}/scheduler"]
    # Of tasks that died with their worker there are rows, too; nobody reads these any more.
    seen = [task for task in planted if f"Stored result of task '{task}'" in log]
    assert len(seen) >= 2, "the scheduler did not read the rows"
    assert airflow.wait_for_run("sm2a_smoke", other, 180) == "success"
    assert airflow.wait_for_run("sm2a_load", run, 180) == "success"


def test_workers_write_results_and_nothing_else(stack: Stack) -> None:
    assert allowed("worker-default", CONNECT, WORKERS_STATEMENTS) == []


def test_the_scheduler_only_reads_results(stack: Stack) -> None:
    assert allowed("scheduler", CONNECT, SCHEDULERS_STATEMENTS) == []


def test_the_autoscaler_only_reads_what_it_needs(stack: Stack) -> None:
    assert allowed("autoscaler", AUTOSCALER, AUTOSCALER_STATEMENTS) == []
