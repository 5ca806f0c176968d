# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Users of Airflow's database on a real MySQL, as the migration makes them; PostgreSQL's: unit/airflow_runtime."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pymysql
import pytest
from ansible_collections.sm2a.airflow.tests.unit.local_aws.conftest import LocalAws
from sm2a_runtime.database import mysql_setup
from sm2a_runtime.database import users as database_users
from sm2a_runtime.database.setup import Database, Login, Server

import docker

pytestmark = pytest.mark.engine

# Names with what means something in a grant, a pattern or a text.
OWNER, DAG_PROCESSOR, TRIGGERER = Login("flow", "o1"), Login("flow_dag'processor", "d1"), Login("flow_triggerer", "t1")
PREFIXES = ["DAG:", "DAG Run:"]
TABLES = """
CREATE TABLE ab_view_menu (id int AUTO_INCREMENT PRIMARY KEY, name varchar(250));
CREATE TABLE ab_permission_view (id int AUTO_INCREMENT PRIMARY KEY, view_menu_id int);
CREATE TABLE ab_permission_view_role (id int AUTO_INCREMENT PRIMARY KEY, permission_view_id int, role_id int);
INSERT INTO ab_view_menu (name) VALUES ('Users'), ('DAG:mine'), ('DAG Run:mine'), ('dag:other');
INSERT INTO ab_permission_view (view_menu_id) SELECT id FROM ab_view_menu;
INSERT INTO ab_permission_view_role (permission_view_id, role_id) VALUES (1, 1), (2, 1);
CREATE TABLE ab_user (id int);
CREATE TABLE session (id int);
CREATE TABLE connection (id int);
CREATE TABLE task_instance (id int);
CREATE TABLE `new in 4` (id int)
"""
GIVE = "INSERT INTO ab_permission_view_role (permission_view_id, role_id) VALUES (%d, 9)"


@pytest.fixture(scope="module")
def metadata(engine_socket: str, local_aws: LocalAws) -> Iterator[Database]:
    """Airflow's database, as far as names go, on a DB instance."""
    rds = local_aws.client("rds")
    rds.create_db_parameter_group(
        DBParameterGroupName="users", DBParameterGroupFamily="mysql8.4", Description="as the role database sets them"
    )
    parameters = {"require_secure_transport": "ON", "log_bin_trust_function_creators": "1"}
    rds.modify_db_parameter_group(
        DBParameterGroupName="users",
        Parameters=[
            {"ParameterName": name, "ParameterValue": value, "ApplyMethod": "pending-reboot"}
            for name, value in parameters.items()
        ],
    )
    created = rds.create_db_instance(
        DBInstanceIdentifier="users",
        DBInstanceClass="db.t4g.medium",
        Engine="mysql",
        EngineVersion="8.4",
        AllocatedStorage=20,
        MasterUsername="master",
        ManageMasterUserPassword=True,
        Port=3307,
        DBParameterGroupName="users",
    )["DBInstance"]

    def available() -> bool:
        found = rds.describe_db_instances(DBInstanceIdentifier="users")["DBInstances"][0]
        return bool(found["DBInstanceStatus"] == "available")

    local_aws.wait("the DB instance", available)
    container = docker.DockerClient(base_url=engine_socket).containers.get(f"{local_aws.name}-rds-users")
    (network,) = container.attrs["NetworkSettings"]["Networks"].values()
    secret = rds.describe_db_instances(DBInstanceIdentifier="users")["DBInstances"][0]["MasterUserSecret"]["SecretArn"]
    master = json.loads(local_aws.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"])
    server = Server(network["IPAddress"], created.get("Endpoint", {}).get("Port", 3307), verify=False)
    database = Database(server, Login(master["username"], master["password"]), OWNER, "flow")
    mysql_setup.ensure_database(database)
    for statement in TABLES.strip().split(";\n"):
        run(database, OWNER, statement)
    assert share(database)
    yield database
    rds.delete_db_instance(DBInstanceIdentifier="users", SkipFinalSnapshot=True)


def share(database: Database) -> bool:
    """What the migration does for those who run DAG code; whether that changed anything."""
    relations = mysql_setup.relations(database)
    users = {TRIGGERER: database_users.TRIGGERER, DAG_PROCESSOR: database_users.DAG_PROCESSOR}
    changed = [
        mysql_setup.ensure_rights(database, user, database_users.rights_of(known, relations))
        for user, known in users.items()
    ]
    return any([*changed, mysql_setup.ensure_dag_access(database, DAG_PROCESSOR, PREFIXES)])


def run(database: Database, login: Login, statement: str) -> list[tuple[Any, ...]]:
    """Rows of a statement."""
    with (
        closing(mysql_setup.connect(database.server, login, database.name)) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
        return list(cursor.fetchall())


def refused(database: Database, login: Login, statement: str) -> bool:
    """Whether the user has no right to it."""
    try:
        run(database, login, statement)
    except pymysql.err.MySQLError as error:
        return "denied" in str(error)
    return False


def test_rights_are_given_once(metadata: Database) -> None:
    assert not share(metadata)


@pytest.mark.parametrize("user", [DAG_PROCESSOR, TRIGGERER], ids=["dag processor", "triggerer"])
def test_who_runs_dag_code_changes_not_who_may_do_what(metadata: Database, user: Login) -> None:
    for statement in (
        "UPDATE task_instance SET id = 2",
        "SELECT * FROM `new in 4`",
        "SELECT * FROM connection",
    ):
        run(metadata, user, statement)
    forbidden = [
        "SELECT * FROM session",
        "SELECT * FROM ab_user",
        "UPDATE connection SET id = 1",
        "INSERT INTO `new in 4` VALUES (1)",
        "UPDATE ab_view_menu SET name = 'DAG:x'",
        "UPDATE ab_permission_view_role SET role_id = 9",
        "DROP TRIGGER sm2a_dag_access_insert",
        "CREATE TABLE mine (id int)",
        GIVE % 1,
        GIVE % 4,
    ]
    assert [statement for statement in forbidden if not refused(metadata, user, statement)] == []


def test_the_dag_processor_gives_and_takes_rights_on_dags_only(metadata: Database) -> None:
    for row in (2, 3):
        run(metadata, DAG_PROCESSOR, GIVE % row)
    assert refused(metadata, DAG_PROCESSOR, "DELETE FROM ab_permission_view_role WHERE permission_view_id = 1")
    run(metadata, DAG_PROCESSOR, "DELETE FROM ab_permission_view_role WHERE role_id = 9")
    assert run(metadata, OWNER, "SELECT permission_view_id FROM ab_permission_view_role ORDER BY 1") == [(1,), (2,)]
    run(metadata, OWNER, GIVE % 1)
