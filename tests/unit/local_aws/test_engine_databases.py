# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""DB instances as real PostgreSQL and MySQL containers; needs the images of docker/postgres and docker/mysql."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import docker

POSTGRES = "docker.io/library/postgres:17-alpine"
MYSQL = "docker.io/library/mysql:8.4"
DATABASE = {
    "DBInstanceClass": "db.t4g.medium",
    "Engine": "postgres",
    "EngineVersion": "17",
    "AllocatedStorage": 20,
    "MasterUsername": "master",
}

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def engine(engine_socket: str) -> Any:
    client = docker.DockerClient(base_url=engine_socket)
    try:
        client.images.get(POSTGRES)
    except docker.errors.ImageNotFound:
        pytest.skip(f"the engine has no image {POSTGRES}: build docker/postgres")
    return client


def _parameter_group(local_aws: Any, name: str, family: str = "postgres17", **parameters: str) -> str:
    rds = local_aws.client("rds")
    rds.create_db_parameter_group(DBParameterGroupName=name, DBParameterGroupFamily=family, Description=name)
    _set_parameters(local_aws, name, **parameters)
    return name


def _set_parameters(local_aws: Any, name: str, **parameters: str) -> None:
    changes = [
        {"ParameterName": key, "ParameterValue": value, "ApplyMethod": "pending-reboot"}
        for key, value in parameters.items()
    ]
    local_aws.client("rds").modify_db_parameter_group(DBParameterGroupName=name, Parameters=changes)


def _settled(local_aws: Any, identifier: str) -> dict[str, Any]:
    def settled() -> Any:
        answer = local_aws.client("rds").describe_db_instances(DBInstanceIdentifier=identifier)
        instance = answer["DBInstances"][0]
        return instance if instance["DBInstanceStatus"] in ("available", "failed") else None

    instance: dict[str, Any] = local_aws.wait(f"{identifier} to settle", settled)
    return instance


def _query(local_aws: Any, instance: dict[str, Any], sql: str, tls: str = "prefer") -> str:
    """What SQL returns that a task runs as the master user, by the instance's name."""
    code, said = _client(local_aws, instance, sql, tls)
    assert code == 0, said
    return said


def _client(local_aws: Any, instance: dict[str, Any], sql: str, tls: str) -> tuple[int, str]:
    """Exit code and output of the client of PostgreSQL (`tls`: sslmode) or MySQL (`tls`: --ssl-mode)."""
    endpoint, secret = instance["Endpoint"], f"{instance['MasterUserSecret']['SecretArn']}:password::"
    mysql = instance["Engine"] == "mysql"
    address = [f"--host={endpoint['Address']}", f"--port={endpoint['Port']}", "--user=master"]
    environment = {
        "PGHOST": endpoint["Address"],
        "PGPORT": str(endpoint["Port"]),
        "PGUSER": "master",
        "PGDATABASE": "airflow",
        "PGSSLMODE": tls,
    }
    definition = local_aws.task_definition(
        "query",
        image=MYSQL if mysql else POSTGRES,
        entryPoint=["mysql" if mysql else "psql"],
        command=[*address, f"--ssl-mode={tls}", "--skip-column-names", "--batch", "--execute", sql, "airflow"]
        if mysql
        else ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--command", sql],
        secrets=[{"name": "MYSQL_PWD" if mysql else "PGPASSWORD", "valueFrom": secret}],
        environment=[] if mysql else [{"name": name, "value": value} for name, value in environment.items()],
    )
    arn = local_aws.run_task(definition)
    task = local_aws.wait_for_task(arn, "STOPPED")
    return task["containers"][0]["exitCode"], "\n".join(local_aws.log_lines("query", arn))


def _counted_connections(local_aws: Any, container: Any, instance: dict[str, Any]) -> float:
    """DatabaseConnections while a client of this test is connected; databases are measured once a minute."""
    (network,) = container.attrs["NetworkSettings"]["Networks"].values()
    now = datetime.now(UTC)
    with socket.create_connection((network["IPAddress"], instance["Endpoint"]["Port"]), timeout=10):
        (point,) = local_aws.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/RDS",
            MetricName="DatabaseConnections",
            Dimensions=[{"Name": "DBInstanceIdentifier", "Value": instance["DBInstanceIdentifier"]}],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(hours=1),
            Period=7200,
            Statistics=["Maximum"],
        )["Datapoints"]
    return float(point["Maximum"])


def test_database_by_name_with_parameters_through_restarts(local_aws: Any, engine: Any) -> None:
    rds = local_aws.client("rds")
    group = _parameter_group(local_aws, "tuned", max_connections="77", **{"rds.force_ssl": "1"})
    rds.create_db_instance(
        DBInstanceIdentifier="metadata",
        DBName="airflow",
        ManageMasterUserPassword=True,
        Port=5433,
        DBParameterGroupName=group,
        **DATABASE,
    )
    instance = _settled(local_aws, "metadata")
    assert instance["DBInstanceStatus"] == "available"
    assert instance["Endpoint"]["Address"] == f"metadata.rds.{local_aws.name}.local"
    assert _query(local_aws, instance, "show max_connections") == "77"
    code, said = _client(local_aws, instance, "select 1", "disable")
    assert code != 0
    assert "no encryption" in said
    _query(local_aws, instance, "create table kept as select 5 as value")
    container = engine.containers.get(f"{local_aws.name}-rds-metadata")
    assert not any((container.attrs["HostConfig"]["PortBindings"] or {}).values())
    container.restart()
    local_aws.wait("an answer", lambda: engine.containers.get(container.id).exec_run("pg_isready -p 5433")[0] == 0)
    assert _query(local_aws, instance, "select value from kept") == "5"

    _set_parameters(local_aws, group, max_connections="88")
    rds.reboot_db_instance(DBInstanceIdentifier="metadata")
    assert _settled(local_aws, "metadata")["DBInstanceStatus"] == "available"
    assert _query(local_aws, instance, "show max_connections") == "88"
    secrets = local_aws.client("secretsmanager")
    secret = instance["MasterUserSecret"]["SecretArn"]
    before = json.loads(secrets.get_secret_value(SecretId=secret)["SecretString"])
    rds.modify_db_instance(DBInstanceIdentifier="metadata", RotateMasterUserPassword=True, ApplyImmediately=True)
    assert json.loads(secrets.get_secret_value(SecretId=secret)["SecretString"]) != before
    assert _query(local_aws, instance, "select value from kept") == "5"

    rds.delete_db_instance(DBInstanceIdentifier="metadata", SkipFinalSnapshot=True)
    assert engine.volumes.list(filters={"label": f"sm2a.local-aws={local_aws.name}"}) == []


def test_mysql_takes_encrypted_sessions_only(local_aws: Any, engine: Any) -> None:
    try:
        engine.images.get(MYSQL)
    except docker.errors.ImageNotFound:
        pytest.skip(f"the engine has no image {MYSQL}: build docker/mysql")
    rds = local_aws.client("rds")
    group = _parameter_group(
        local_aws, "mine", "mysql8.4", require_secure_transport="ON", collation_server="utf8mb4_unicode_ci"
    )
    mysql = {**DATABASE, "Engine": "mysql", "EngineVersion": "8.4", "DBParameterGroupName": group, "DBName": "airflow"}
    rds.create_db_instance(DBInstanceIdentifier="mine", ManageMasterUserPassword=True, Port=3307, **mysql)
    instance = _settled(local_aws, "mine")
    assert (instance["DBInstanceStatus"], instance["Endpoint"]["Port"]) == ("available", 3307)
    assert _query(local_aws, instance, "select @@port, @@collation_server", "REQUIRED") == "3307\tutf8mb4_unicode_ci"
    code, said = _client(local_aws, instance, "select 1", "DISABLED")
    assert code != 0
    assert "secure transport" in said
    assert _counted_connections(local_aws, engine.containers.get(f"{local_aws.name}-rds-mine"), instance) >= 1
    rds.delete_db_instance(DBInstanceIdentifier="mine", SkipFinalSnapshot=True)


def test_database_whose_server_ends_is_failed(local_aws: Any, engine: Any) -> None:
    group = _parameter_group(local_aws, "broken", work_mem="nonsense")
    rds = local_aws.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="broken", MasterUserPassword="long-enough", DBParameterGroupName=group, **DATABASE
    )
    assert _settled(local_aws, "broken")["DBInstanceStatus"] == "failed"
    events = rds.describe_events(SourceIdentifier="broken", SourceType="db-instance")["Events"]
    assert any("work_mem" in event["Message"] for event in events), events
    rds.delete_db_instance(DBInstanceIdentifier="broken", SkipFinalSnapshot=True)


def test_database_without_an_image_is_failed(local_aws: Any, engine: Any) -> None:
    rds = local_aws.client("rds")
    missing = {**DATABASE, "EngineVersion": "9.9"}
    rds.create_db_instance(DBInstanceIdentifier="missing", MasterUserPassword="long-enough", **missing)
    assert _settled(local_aws, "missing")["DBInstanceStatus"] == "failed"
    rds.delete_db_instance(DBInstanceIdentifier="missing", SkipFinalSnapshot=True)
