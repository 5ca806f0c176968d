# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""With waiting times a resource is not ready at once, and what needs it is refused until then, as on AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support.ports import free_port
from ansible_collections.sm2a.airflow.tests.unit.local_aws.conftest import CLUSTER, LocalAws
from botocore.exceptions import ClientError

# Of these each wait takes a tenth here: long enough for a busy machine to see the state before.
SECONDS = {
    "nat_gateway": 20,
    "vpc_endpoint": 20,
    "db_instance": 20,
    "db_instance_multi_az": 30,
    "load_balancer": 20,
    "certificate": 30,
    "namespace": 20,
    "task_start": 20,
    "one_off_task": 10,
    "service_healthy": 20,
}
CHECK = {"command": ["CMD", "true"]}


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """A local AWS with waiting times."""
    directory = tmp_path_factory.mktemp("waiting_times")
    times = directory / "times.json"
    times.write_text(json.dumps(SECONDS))
    flags = ["--control-plane-only", "--waiting-times", str(times), "--time-scale", "0.1"]
    local_aws = LocalAws("test-waiting", free_port(), directory / "state", flags)
    started = local_aws.command("start")
    assert started.returncode == 0, started.stderr
    local_aws.client("ecs").create_cluster(clusterName=CLUSTER)
    yield local_aws
    local_aws.command("stop")


@pytest.fixture(scope="module")
def network(slow: LocalAws) -> dict[str, str]:
    """A VPC with two subnets."""
    ec2 = slow.client("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc_id, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"eu-west-1{zone}")["Subnet"]
        for number, zone in enumerate("ab")
    ]
    return {"vpc": vpc_id, "subnet": subnets[0]["SubnetId"], "other subnet": subnets[1]["SubnetId"]}


def waits(slow: LocalAws) -> list[dict[str, Any]]:
    """What waited until now."""
    return [json.loads(line) for line in (slow.state_directory / "waits.jsonl").read_text().splitlines()]


def test_a_route_leads_to_a_nat_gateway_only_when_it_is_available(slow: LocalAws, network: dict[str, str]) -> None:
    ec2 = slow.client("ec2")
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    gateway = ec2.create_nat_gateway(SubnetId=network["subnet"], AllocationId=address)["NatGateway"]
    table = ec2.create_route_table(VpcId=network["vpc"])["RouteTable"]["RouteTableId"]
    route = {
        "RouteTableId": table,
        "DestinationCidrBlock": "0.0.0.0/0",
        "NatGatewayId": gateway["NatGatewayId"],
    }
    assert gateway["State"] == "pending"
    with pytest.raises(ClientError, match=r"InvalidNatGatewayID\.NotFound"):
        ec2.create_route(**route)
    waiter = ec2.get_waiter("nat_gateway_available")
    waiter.wait(NatGatewayIds=[gateway["NatGatewayId"]], WaiterConfig={"Delay": 1})
    assert ec2.create_route(**route)["Return"]


def test_an_endpoint_with_interfaces_is_pending_and_a_gateway_is_not(slow: LocalAws, network: dict[str, str]) -> None:
    ec2 = slow.client("ec2")
    for service, kind in (("sqs", "Interface"), ("s3", "Gateway")):
        name = f"com.amazonaws.eu-west-1.{service}"
        ec2.create_vpc_endpoint(VpcId=network["vpc"], ServiceName=name, VpcEndpointType=kind)

    def states() -> dict[str, str]:
        found = ec2.describe_vpc_endpoints()["VpcEndpoints"]
        return {one["ServiceName"].rpartition(".")[2]: one["State"] for one in found}

    assert states() == {"sqs": "pending", "s3": "available"}
    slow.wait("endpoint available", lambda: states()["sqs"] == "available", 10)


def test_a_db_instance_is_creating_without_an_endpoint_and_cannot_be_changed(slow: LocalAws) -> None:
    rds = slow.client("rds")
    asked = {"DBInstanceClass": "db.t4g.micro", "Engine": "postgres", "AllocatedStorage": 20, "MultiAZ": True}
    made = rds.create_db_instance(
        DBInstanceIdentifier="slow", MasterUsername="master", ManageMasterUserPassword=True, **asked
    )["DBInstance"]
    assert made["DBInstanceStatus"] == "creating"
    assert "Endpoint" not in made
    assert made["MasterUserSecret"]["SecretArn"]
    for refused in (rds.modify_db_instance, rds.reboot_db_instance):
        with pytest.raises(ClientError, match="InvalidDBInstanceState"):
            refused(DBInstanceIdentifier="slow")
    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier="slow", WaiterConfig={"Delay": 1})
    assert rds.describe_db_instances(DBInstanceIdentifier="slow")["DBInstances"][0]["Endpoint"]["Port"] == 5432
    [wait] = [one for one in waits(slow) if one["what"].startswith("db_instance")]
    assert (wait["what"], wait["identifier"], wait["seconds"]) == ("db_instance_multi_az", "slow", 3.0)


def test_a_listener_takes_a_certificate_only_when_it_is_issued(slow: LocalAws, network: dict[str, str]) -> None:
    acm, elbv2, route53 = slow.client("acm"), slow.client("elbv2"), slow.client("route53")
    zone = route53.create_hosted_zone(Name="example.com", CallerReference="one")["HostedZone"]["Id"]
    arn = acm.request_certificate(DomainName="www.example.com", ValidationMethod="DNS")["CertificateArn"]
    acm.describe_certificate(CertificateArn=arn)
    record = acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"][0]["ResourceRecord"]
    cname = {"Name": record["Name"], "Type": "CNAME", "TTL": 300, "ResourceRecords": [{"Value": record["Value"]}]}
    changes = [{"Action": "UPSERT", "ResourceRecordSet": cname}]
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    balancer = elbv2.create_load_balancer(Name="slow", Subnets=[network["subnet"], network["other subnet"]])[
        "LoadBalancers"
    ][0]
    assert balancer["State"]["Code"] == "provisioning"
    listener = {
        "LoadBalancerArn": balancer["LoadBalancerArn"],
        "Port": 443,
        "Protocol": "HTTPS",
        "Certificates": [{"CertificateArn": arn}],
        "DefaultActions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    }
    with pytest.raises(ClientError, match="UnsupportedCertificate"):
        elbv2.create_listener(**listener)
    status = ""

    def issued() -> bool:
        nonlocal status
        status = str(acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"])
        return status == "ISSUED"

    assert not issued()
    assert status == "PENDING_VALIDATION"
    slow.wait("certificate issued", issued, 10)
    assert elbv2.create_listener(**listener)["Listeners"]
    elbv2.get_waiter("load_balancer_available").wait(Names=["slow"], WaiterConfig={"Delay": 1})


def test_a_namespace_is_an_operation_that_is_pending(slow: LocalAws) -> None:
    cloud_map = slow.client("servicediscovery")
    operation = cloud_map.create_http_namespace(Name="slow")["OperationId"]

    def status() -> str:
        return str(cloud_map.get_operation(OperationId=operation)["Operation"]["Status"])

    assert status() == "PENDING"
    slow.wait("operation done", lambda: status() == "SUCCESS", 10)


def test_a_one_off_task_starts_works_and_ends(slow: LocalAws) -> None:
    task = slow.run_task(slow.task_definition("one-off"))
    assert slow.task(task)["lastStatus"] == "PENDING"
    slow.wait_for_task(task, "RUNNING")
    ended = slow.wait_for_task(task, "STOPPED")
    assert [container["exitCode"] for container in ended["containers"]] == [0]


def test_a_service_is_steady_when_its_tasks_are_healthy(slow: LocalAws) -> None:
    slow.create_service("slow", slow.task_definition("service", healthCheck=CHECK), 2)
    service = slow.service("slow")
    assert (service["runningCount"], service["deployments"][0]["rolloutState"]) == (0, "IN_PROGRESS")
    slow.wait("tasks running", lambda: slow.service("slow")["runningCount"] == 2, 10)
    assert slow.service("slow")["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    slow.wait_for_steady("slow", 2)
    kinds = [wait["what"] for wait in waits(slow) if wait["identifier"] == "service"]
    assert sorted(kinds) == ["service_healthy"] * 2 + ["task_start"] * 2


def test_an_engine_has_no_waiting_times(unstarted: LocalAws) -> None:
    started = unstarted.command("start", "--engine-socket", "unix:///x", "--waiting-times", "times.json")
    assert started.returncode == 1
    assert "--waiting-times is for --control-plane-only" in started.stderr
