# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ec2_flow_logs against the local AWS: the ladder, replacement of what cannot change, a role that is too new."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2.resources import Run
from ansible_collections.sm2a.airflow.plugins.modules import ec2_flow_logs
from ansible_collections.sm2a.airflow.tests.support import modules as support

MODULE = "ec2_flow_logs"
ROLE = f"arn:aws:iam::{support.ACCOUNT}:role/flow-logs"


@pytest.fixture(scope="session")
def aws_endpoint(local_aws_endpoint: str) -> str:
    return local_aws_endpoint


@pytest.fixture
def vpc_id(aws: Callable[[str], Any]) -> Iterator[str]:
    ec2 = aws("ec2")
    made = ec2.create_vpc(CidrBlock="10.6.0.0/16")["Vpc"]["VpcId"]
    yield made
    ec2.delete_vpc(VpcId=made)


@pytest.fixture
def present(unique_name: str, vpc_id: str) -> dict[str, Any]:
    return {
        "name": unique_name,
        "lookup_tags": {"sm2a:environment": unique_name},
        "vpc_id": vpc_id,
        "log_group_name": f"/sm2a/{unique_name}/flow-logs",
        "role_arn": ROLE,
        "tags": {"team": "data"},
    }


@pytest.fixture
def absent(present: dict[str, Any]) -> dict[str, Any]:
    return {"name": present["name"], "lookup_tags": present["lookup_tags"], "state": "absent"}


@pytest.fixture
def read_state(aws: Callable[[str], Any], vpc_id: str) -> Callable[[], list[dict[str, Any]]]:
    """The flow logs of the VPC."""
    ec2 = aws("ec2")
    return lambda: list(ec2.describe_flow_logs(Filter=[{"Name": "resource-id", "Values": [vpc_id]}])["FlowLogs"])


def test_ladder(own_ladder: Callable[..., support.Ladder]) -> None:
    rungs = own_ladder()
    assert rungs.predicted["diff"] == rungs.applied["diff"]
    assert rungs.predicted["flow_log"]["flow_log_id"] == "fl-00000000000000000"
    assert rungs.applied["flow_log"]["flow_log_id"] == rungs.repeated["flow_log"]["flow_log_id"]
    assert rungs.removed["flow_log"] == {}


@pytest.mark.parametrize(
    "change",
    [
        {"traffic_type": "REJECT"},
        {"log_group_name": "/other"},
        {"role_arn": f"{ROLE}-other"},
        {"max_aggregation_interval": 60},
    ],
)
def test_what_cannot_change_is_replaced(
    run_module: support.RunModule,
    present: dict[str, Any],
    made: support.Result,
    read_state: Callable[[], list[dict[str, Any]]],
    change: dict[str, Any],
) -> None:
    support.change_once(run_module, MODULE, {**present, **change}, read_state)
    [flow_log] = read_state()
    assert flow_log["FlowLogId"] != made["flow_log"]["flow_log_id"]
    [(option, value)] = change.items()
    assert flow_log[ec2_flow_logs.FIELDS[option]] == value


@pytest.mark.usefixtures("made")
def test_tags_change_in_place(
    run_module: support.RunModule, present: dict[str, Any], read_state: Callable[[], list[dict[str, Any]]]
) -> None:
    before = read_state()[0]["FlowLogId"]
    support.change_once(run_module, MODULE, {**present, "tags": {"team": "other"}}, read_state)
    assert read_state()[0]["FlowLogId"] == before
    assert {"Key": "team", "Value": "other"} in read_state()[0]["Tags"]


@pytest.mark.usefixtures("made")
def test_a_second_one_of_the_name_is_removed(
    run_module: support.RunModule,
    aws: Callable[[str], Any],
    present: dict[str, Any],
    read_state: Callable[[], list[dict[str, Any]]],
) -> None:
    [one] = read_state()
    aws("ec2").create_flow_logs(
        ResourceIds=[present["vpc_id"]],
        ResourceType="VPC",
        TrafficType="ACCEPT",
        LogGroupName="/other",
        DeliverLogsPermissionArn=ROLE,
        TagSpecifications=[{"ResourceType": "vpc-flow-log", "Tags": one["Tags"]}],
    )
    support.change_once(run_module, MODULE, present, lambda: len(read_state()))
    assert [left["FlowLogId"] for left in read_state()] == [one["FlowLogId"]]


WANTED = {
    "vpc_id": "vpc-1",
    "log_group_name": "/logs",
    "role_arn": ROLE,
    "traffic_type": "ALL",
    "max_aggregation_interval": 60,
}


def test_a_refused_flow_log_is_an_error() -> None:
    class Refusing:
        def create_flow_logs(self, **_request: Any) -> dict[str, Any]:
            error = {"Code": "FlowLogAlreadyExists", "Message": "There is one"}
            return {"FlowLogIds": [], "Unsuccessful": [{"ResourceId": "vpc-1", "Error": error}]}

    with pytest.raises(AnsibleAWSError, match="flow log of vpc-1: FlowLogAlreadyExists: There is one"):
        ec2_flow_logs.create_flow_log(Run(Refusing(), check_mode=False), "name", WANTED)
