# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""rds_parameter_group and rds_subnet_group; creates of RDS whose reply is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.rds import groups as api
from ansible_collections.sm2a.airflow.plugins.module_utils.rds import instances
from ansible_collections.sm2a.airflow.plugins.module_utils.rds import parameters as rds_parameters
from ansible_collections.sm2a.airflow.tests.support import modules as support
from botocore.exceptions import ConnectionClosedError

Aws = Callable[[str], Any]
FAMILY = "postgres17"


@pytest.fixture(scope="session")
def aws_endpoint(local_aws_endpoint: str) -> str:
    """MiniStack as it is lists few parameters."""
    return local_aws_endpoint


@pytest.fixture
def subnet_ids(aws: Aws) -> list[str]:
    """Three subnets of the default VPC."""
    subnets = aws("ec2").describe_subnets()["Subnets"]
    return [subnet["SubnetId"] for subnet in subnets][:3]


def group(name: str, **more: Any) -> dict[str, Any]:
    """A parameter group."""
    return {
        "name": name,
        "family": FAMILY,
        "description": "PostgreSQL of Airflow",
        "parameters": {"rds.force_ssl": True, "log_lock_waits": 1},
        "tags": {"team": "data"},
        **more,
    }


def settings(aws: Aws, name: str) -> dict[str, tuple[str, str]]:
    """Value and apply method of the parameters that were set."""
    return {
        each["ParameterName"]: (each["ParameterValue"], each["ApplyMethod"])
        for each in api.describe_parameters(aws("rds"), name, Source="user")
    }


def test_parameter_group_ladder(ladder: Callable[..., support.Ladder], aws: Aws, unique_name: str) -> None:
    def read() -> Any:
        return api.describe_parameter_group(aws("rds"), unique_name) and settings(aws, unique_name)

    rungs = ladder("rds_parameter_group", group(unique_name), {"name": unique_name, "state": "absent"}, read)
    assert rungs.applied["parameter_group"]["parameters"] == {"rds.force_ssl": "1", "log_lock_waits": "1"}
    assert rungs.applied["pending_reboot"] == [], "nothing uses a new group"


def test_parameters_are_set_and_reset(run_module: support.RunModule, aws: Aws, unique_name: str) -> None:
    run_module("rds_parameter_group", group(unique_name))
    change = {"name": unique_name, "parameters": {"rds.force_ssl": "on", "work_mem": 8192, "shared_buffers": 65536}}
    result = support.change_once(run_module, "rds_parameter_group", change, lambda: settings(aws, unique_name))
    assert result["pending_reboot"] == ["shared_buffers"]
    assert settings(aws, unique_name) == {
        "rds.force_ssl": ("1", "pending-reboot"),
        "work_mem": ("8192", "immediate"),
        "shared_buffers": ("65536", "pending-reboot"),
    }
    kept = {"name": unique_name, "parameters": {"work_mem": 8192}, "purge_parameters": False}
    assert not run_module("rds_parameter_group", kept)["changed"]
    assert not run_module("rds_parameter_group", {"name": unique_name})["changed"], "unset leaves them alone"


def test_many_parameters_are_set_in_several_calls(run_module: support.RunModule, aws: Aws, unique_name: str) -> None:
    many = {f"auto_explain.parameter_{number}": number for number in range(45)}
    run_module("rds_parameter_group", group(unique_name, parameters=many))
    assert settings(aws, unique_name).keys() == many.keys()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"family": None}, "to create it set family"),
        ({"family": None, "description": None}, "to create it set family, description"),
    ],
)
def test_creation_names_what_it_needs(
    run_module: support.RunModule, unique_name: str, options: dict[str, Any], reason: str
) -> None:
    given = {key: value for key, value in {**group(unique_name), **options}.items() if value is not None}
    with pytest.raises(support.ModuleFailedError, match=reason):
        run_module("rds_parameter_group", given)


def test_a_family_is_for_life(run_module: support.RunModule, unique_name: str) -> None:
    run_module("rds_parameter_group", group(unique_name))
    with pytest.raises(support.ModuleFailedError, match=f"cannot change the family {FAMILY}"):
        run_module("rds_parameter_group", group(unique_name, family="postgres18"))


def test_groups_of_other_families_go_by_prefix_and_tags(
    run_module: support.RunModule, aws: Aws, unique_name: str
) -> None:
    for end, tags in (("postgres16", {"team": "data"}), ("postgres17", {"team": "data"}), ("mysql84", {})):
        run_module("rds_parameter_group", group(f"{unique_name}-{end}", tags=tags))
    absent = {
        "name": f"{unique_name}-postgres17",
        "purge_name_prefix": f"{unique_name}-",
        "purge_where_tagged": {"team": "data"},
        "state": "absent",
    }
    expected = [f"{unique_name}-postgres17", f"{unique_name}-postgres16"]
    assert run_module("rds_parameter_group", absent, check=True)["deleted"] == expected
    assert run_module("rds_parameter_group", absent)["deleted"] == expected
    assert not run_module("rds_parameter_group", absent)["changed"]
    assert list(api.parameter_group_names(aws("rds"), f"{unique_name}-")) == [f"{unique_name}-mysql84"]


@pytest.mark.parametrize(
    ("current", "wanted", "same"),
    [
        ("ON", "1", True),
        ("off", "0", True),
        ("1", "0", False),
        ("10", "1", False),
        (None, "0", False),
        ("a", "a", True),
    ],
)
def test_switches_are_compared_by_meaning(current: str | None, wanted: str, same: bool) -> None:
    assert rds_parameters.same_value(current, wanted) is same


@pytest.mark.parametrize(
    ("value", "allowed", "spelled"),
    [
        ("1", "ON,OFF", "ON"),
        ("ON", "0, 1", "1"),
        ("5", "1-100", "5"),
        ("1", None, "1"),
        ("utf8mb4", "utf8,utf8mb4", "utf8mb4"),
    ],
)
def test_switches_are_spelled_as_aws_wants(value: str, allowed: str | None, spelled: str) -> None:
    assert rds_parameters.spelled(value, allowed) == spelled


def test_subnet_group_ladder(
    ladder: Callable[..., support.Ladder], aws: Aws, unique_name: str, subnet_ids: list[str]
) -> None:
    present = {"name": unique_name, "description": "d", "subnet_ids": subnet_ids[:2], "tags": {"team": "data"}}
    rungs = ladder(
        "rds_subnet_group",
        present,
        {"name": unique_name, "state": "absent"},
        lambda: api.describe_subnet_group(aws("rds"), unique_name),
    )
    assert rungs.applied["subnet_group"] == {**present, "subnet_ids": sorted(subnet_ids[:2])}


@pytest.mark.parametrize("change", [{"description": "other"}, {"subnet_ids": [1, 2]}, {"tags": {"team": "platform"}}])
def test_subnet_group_changes_once(
    run_module: support.RunModule, aws: Aws, unique_name: str, subnet_ids: list[str], change: dict[str, Any]
) -> None:
    present = {"name": unique_name, "description": "d", "subnet_ids": subnet_ids[:2], "tags": {"team": "data"}}
    run_module("rds_subnet_group", present)
    if "subnet_ids" in change:
        change = {"subnet_ids": [subnet_ids[number] for number in change["subnet_ids"]]}
    client = aws("rds")

    def read() -> Any:
        made = api.describe_subnet_group(client, unique_name) or {}
        return made, api.read_tags(client, made["DBSubnetGroupArn"])

    support.change_once(run_module, "rds_subnet_group", {"name": unique_name, **change}, read)


def test_subnet_group_names_what_it_needs(run_module: support.RunModule, unique_name: str) -> None:
    with pytest.raises(support.ModuleFailedError, match="to create it set description, subnet_ids"):
        run_module("rds_subnet_group", {"name": unique_name})


def lose_reply(client: Any, action: str) -> list[str]:
    """Drop the connection after AWS did the first ``action``; returns the bodies that were sent for it."""
    session = client._endpoint.http_session
    send, sent = session.send, []

    def send_once(request: Any) -> Any:
        response = send(request)
        if f"Action={action}&" in str(request.body):
            sent.append(str(request.body))
            if len(sent) == 1:
                raise ConnectionClosedError(endpoint_url=request.url)
        return response

    session.send = send_once
    return sent


def test_a_lost_reply_makes_no_second_one_and_no_failure(aws: Aws, unique_name: str, subnet_ids: list[str]) -> None:
    client = aws("rds")
    instance = {"DBInstanceIdentifier": unique_name, "Engine": "postgres", "DBInstanceClass": "db.t4g.micro"}
    restored = {"DBInstanceIdentifier": f"{unique_name}-new", "DBSnapshotIdentifier": unique_name}
    creates: list[tuple[str, Callable[[], dict[str, Any]], str]] = [
        (
            "CreateDBParameterGroup",
            lambda: api.create_parameter_group(client, unique_name, FAMILY, "d", {}),
            "DBParameterGroupName",
        ),
        (
            "CreateDBSubnetGroup",
            lambda: api.create_subnet_group(client, unique_name, "d", subnet_ids, {}),
            "DBSubnetGroupName",
        ),
        ("CreateDBInstance", lambda: instances.create_instance(client, instance), "DBInstanceIdentifier"),
        (
            "RestoreDBInstanceFromDBSnapshot",
            lambda: instances.create_instance(client, restored),
            "DBInstanceIdentifier",
        ),
    ]
    for action, create, name in creates:
        if action.startswith("Restore"):
            client.create_db_snapshot(DBInstanceIdentifier=unique_name, DBSnapshotIdentifier=unique_name)
        sent = lose_reply(client, action)
        assert create()[name].startswith(unique_name), action
        assert len(sent) == 1, f"{action} was repeated"
