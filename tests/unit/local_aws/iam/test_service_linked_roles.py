# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A new account has no service-linked roles; the first use of a service makes its own, not to be assumed at once."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support.ports import free_port
from ansible_collections.sm2a.airflow.tests.unit.local_aws.conftest import LocalAws
from ansible_collections.sm2a.airflow.tests.unit.local_aws.iam.conftest import TRUST, allow, client_with
from botocore.exceptions import ClientError

ROLES = {
    "ecs.amazonaws.com": "AWSServiceRoleForECS",
    "elasticloadbalancing.amazonaws.com": "AWSServiceRoleForElasticLoadBalancing",
    "rds.amazonaws.com": "AWSServiceRoleForRDS",
}
# Long enough for a busy machine to see the refusal.
SECONDS = 3.0
SUBNETS = {"DBSubnetGroupDescription": "a", "SubnetIds": ["subnet-00000001", "subnet-00000002"]}
DATABASE = {"Engine": "postgres", "DBInstanceClass": "db.t4g.micro", "AllocatedStorage": 20, "MasterUsername": "sm2a"}


def served(directory: Path, *flags: str) -> Iterator[LocalAws]:
    """A new account."""
    aws = LocalAws("test-linked", free_port(), directory / "state", ["--control-plane-only", *flags])
    started = aws.command("start")
    assert started.returncode == 0, started.stderr
    yield aws
    aws.command("stop")


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    yield from served(tmp_path_factory.mktemp("new"))


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """One in which a new role takes its time."""
    directory = tmp_path_factory.mktemp("slow")
    times = directory / "times.json"
    times.write_text(json.dumps({"service_linked_role": SECONDS}))
    yield from served(directory, "--waiting-times", str(times))


def role_names(aws: LocalAws) -> list[str]:
    return sorted(role["RoleName"] for role in aws.client("iam").list_roles()["Roles"])


def delete(aws: LocalAws, name: str) -> dict[str, Any]:
    """How the deletion of a role ends."""
    iam = aws.client("iam")
    task = iam.delete_service_linked_role(RoleName=name)["DeletionTaskId"]
    status: dict[str, Any] = iam.get_service_linked_role_deletion_status(DeletionTaskId=task)
    return status


def test_each_service_makes_its_own_at_its_first_use(new: LocalAws) -> None:
    assert role_names(new) == []
    new.client("ecs").create_cluster(clusterName="first")
    assert role_names(new) == ["AWSServiceRoleForECS"]
    new.client("ecs").create_cluster(clusterName="second")
    new.client("rds").create_db_subnet_group(DBSubnetGroupName="first", **SUBNETS)
    new.client("elbv2").create_load_balancer(Name="first", Subnets=["subnet-00000001", "subnet-00000002"])
    assert role_names(new) == sorted(ROLES.values())


def test_who_may_not_have_it_made_is_refused_until_it_is_there(new: LocalAws) -> None:
    iam = new.client("iam")
    arn = iam.create_role(RoleName="deployer", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    policy = {"Version": "2012-10-17", "Statement": [allow("rds:*"), allow("ec2:Describe*")]}
    iam.put_role_policy(RoleName="deployer", PolicyName="own", PolicyDocument=json.dumps(policy))
    session = new.client("sts").assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]
    rds = client_with(new, "rds", session)
    assert delete(new, "AWSServiceRoleForRDS")["Status"] == "SUCCEEDED"
    with pytest.raises(ClientError, match=r"AccessDenied.*iam:CreateServiceLinkedRole"):
        rds.create_db_subnet_group(DBSubnetGroupName="theirs", **SUBNETS)
    assert "AWSServiceRoleForRDS" not in role_names(new)
    iam.create_service_linked_role(AWSServiceName="rds.amazonaws.com")
    rds.create_db_subnet_group(DBSubnetGroupName="theirs", **SUBNETS)
    iam.delete_role_policy(RoleName="deployer", PolicyName="own")
    iam.delete_role(RoleName="deployer")


@pytest.mark.parametrize("service", ROLES)
def test_a_role_is_made_deleted_and_made_again(new: LocalAws, service: str) -> None:
    iam, name = new.client("iam"), ROLES[service]
    for cluster in new.client("ecs").list_clusters()["clusterArns"]:
        new.client("ecs").delete_cluster(cluster=cluster)
    for balancer in new.client("elbv2").describe_load_balancers()["LoadBalancers"]:
        new.client("elbv2").delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
    if name in role_names(new):
        assert delete(new, name)["Status"] == "SUCCEEDED"
    made = iam.create_service_linked_role(AWSServiceName=service)["Role"]
    assert made["Arn"] == f"arn:aws:iam::000000000000:role/aws-service-role/{service}/{name}"
    trusted = made["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]
    assert (made["Path"], trusted) == (f"/aws-service-role/{service}/", {"Service": service})
    assert iam.get_role(RoleName=name)["Role"]["Description"] == made["Description"]
    with pytest.raises(ClientError, match=f"InvalidInput.*{name} has been taken in this account"):
        iam.create_service_linked_role(AWSServiceName=service)
    with pytest.raises(ClientError, match="UnmodifiableEntity"):
        iam.delete_role(RoleName=name)
    assert delete(new, name)["Status"] == "SUCCEEDED"
    assert name not in role_names(new)


def test_a_role_in_use_stays(new: LocalAws) -> None:
    arn = new.client("ecs").create_cluster(clusterName="in-use")["cluster"]["clusterArn"]
    status = delete(new, "AWSServiceRoleForECS")
    assert status["Status"] == "FAILED"
    assert status["Reason"]["RoleUsageList"] == [{"Resources": [arn]}]
    assert "AWSServiceRoleForECS" in role_names(new)
    new.client("ecs").delete_cluster(cluster="in-use")


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "refusal"),
    [
        (
            "ecs",
            "create_cluster",
            {"clusterName": "new"},
            r"InvalidParameterException.*Unable to assume the service linked role\. Please verify that the ECS service",
        ),
        (
            "rds",
            "create_db_subnet_group",
            {"DBSubnetGroupName": "new", **SUBNETS},
            "InvalidParameterValue.*Missing necessary credentials",
        ),
    ],
)
def test_a_service_that_cannot_assume_its_role_refuses(
    slow: LocalAws, service: str, operation: str, parameters: dict[str, Any], refusal: str
) -> None:
    call = getattr(slow.client(service), operation)
    began = time.monotonic()
    with pytest.raises(ClientError, match=refusal):
        call(**parameters)
    if service == "rds":
        said = "InvalidParameterValue.*Verify that you have permission to create service linked role"
        with pytest.raises(ClientError, match=said):
            slow.client("rds").create_db_instance(DBInstanceIdentifier="new", **DATABASE)
    while True:
        try:
            call(**parameters)
            break
        except ClientError:
            assert time.monotonic() - began < 10 * SECONDS
            time.sleep(0.1)
    assert time.monotonic() - began >= SECONDS


def test_load_balancers_find_their_new_role(slow: LocalAws) -> None:
    slow.client("elbv2").create_load_balancer(Name="new", Subnets=["subnet-00000001", "subnet-00000002"])
    assert "AWSServiceRoleForElasticLoadBalancing" in role_names(slow)
    waits = (slow.state_directory / "waits.jsonl").read_text().splitlines()
    noted = {json.loads(line)["identifier"] for line in waits if json.loads(line)["what"] == "service_linked_role"}
    assert noted == set(ROLES.values())
