# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What takes AWS long is started without waiting and waited for later, on a local AWS that takes seconds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support.emulators import local_aws
from ansible_collections.sm2a.airflow.tests.support.modules import ModuleFailedError, RunModule

Aws = Callable[[str], Any]
# A busy machine may need some seconds to look at the certificate.
SECONDS = {"nat_gateway": 2, "vpc_endpoint": 2, "certificate": 15, "task_start": 2, "service_healthy": 2}


@pytest.fixture(scope="module")
def aws_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("slow_aws")
    times = directory / "times.json"
    times.write_text(json.dumps(SECONDS))
    with local_aws(directory, "--waiting-times", str(times)) as url:
        yield url


def private_routes(aws: Aws, network: dict[str, Any]) -> set[str | None]:
    """Targets of the private subnets' default routes."""
    tables = aws("ec2").describe_route_tables(RouteTableIds=network["private_route_table_ids"])["RouteTables"]
    routes = [{one.get("DestinationCidrBlock"): one.get("NatGatewayId") for one in table["Routes"]} for table in tables]
    return {each.get("0.0.0.0/0") for each in routes}


def test_routes_lead_to_nat_gateways_when_these_are_waited_for(
    run_module: RunModule, aws: Aws, unique_name: str
) -> None:
    network = {"name": unique_name, "cidr": "10.90.0.0/16", "nat_gateways": "single"}
    started = run_module("ec2_vpc_network", {**network, "wait": False})
    gateways = started["network"]["nat_gateway_ids"]
    assert started["pending"] == gateways
    assert private_routes(aws, started["network"]) == {None}
    joined = run_module("ec2_vpc_network", network)
    assert (joined["changed"], joined["pending"]) == (True, [])
    assert private_routes(aws, joined["network"]) == set(gateways)
    for again in ({**network, "wait": False}, network):
        result = run_module("ec2_vpc_network", again)
        assert (result["changed"], result["pending"]) == (False, [])


def test_a_route_stays_until_its_new_nat_gateway_is_there(run_module: RunModule, aws: Aws, unique_name: str) -> None:
    network = {"name": unique_name, "cidr": "10.90.0.0/16", "nat_gateways": "single"}
    [first] = run_module("ec2_vpc_network", network)["network"]["nat_gateway_ids"]
    grown = {**network, "nat_gateways": "per_zone"}
    started = run_module("ec2_vpc_network", {**grown, "wait": False})
    assert started["pending"] == started["network"]["nat_gateway_ids"][1:]
    assert private_routes(aws, started["network"]) == {first}
    joined = run_module("ec2_vpc_network", grown)
    assert private_routes(aws, joined["network"]) == set(joined["network"]["nat_gateway_ids"])


def test_endpoints_are_waited_for_later(run_module: RunModule, aws: Aws, unique_name: str) -> None:
    ec2 = aws("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    endpoints = {"vpc_id": vpc_id, "name": unique_name, "endpoints": [{"service": "sqs"}]}
    assert run_module("ec2_vpc_endpoints", endpoints, check=True)["pending"] == []
    started = run_module("ec2_vpc_endpoints", {**endpoints, "wait": False})
    assert started["pending"] == list(started["endpoint_ids"].values())
    joined = run_module("ec2_vpc_endpoints", endpoints)
    assert (joined["changed"], joined["pending"]) == (False, [])
    [endpoint] = ec2.describe_vpc_endpoints(VpcEndpointIds=started["pending"])["VpcEndpoints"]
    assert endpoint["State"] == "available"


def test_a_certificate_is_requested_once_and_waited_for_later(
    run_module: RunModule, aws: Aws, unique_name: str
) -> None:
    zone = aws("route53").create_hosted_zone(Name=f"{unique_name}.test", CallerReference=unique_name)["HostedZone"][
        "Id"
    ]
    certificate = {
        "name": unique_name,
        "source": "request",
        "domain_names": [f"{unique_name}.test"],
        "hosted_zone_id": zone.rsplit("/", 1)[-1],
    }
    started = run_module("acm_certificate", {**certificate, "wait": False})
    arn = started["certificate"]["certificate_arn"]
    assert started["changed"]
    assert started["certificate"]["validation_records"]
    assert aws("acm").describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "PENDING_VALIDATION"
    assert not run_module("acm_certificate", {**certificate, "wait": False})["changed"]
    joined = run_module("acm_certificate", certificate)
    assert (joined["changed"], joined["certificate"]["certificate_arn"]) == (True, arn)
    assert aws("acm").describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED"
    assert not run_module("acm_certificate", certificate)["changed"]


@pytest.fixture
def service(run_module: RunModule, unique_name: str) -> dict[str, Any]:
    """Options for a service with two tasks, in a cluster of the test's own."""
    run_module("ecs_cluster", {"name": unique_name, "capacity_providers": ["FARGATE"]})
    definition = {
        "family": unique_name,
        "cpu": 256,
        "memory": 512,
        "container_definitions": [{"name": "web", "image": "example.com/web"}],
    }
    run_module("ecs_task_definition", {"task_definitions": [definition]})
    one = {"name": "web", "task_definition": unique_name, "desired_count": 2, "launch_type": "FARGATE"}
    return {"cluster": unique_name, "services": [one], "wait_delay": 1, "wait": False}


def test_services_are_waited_for_later(run_module: RunModule, service: dict[str, Any]) -> None:
    started = run_module("ecs_service", service)
    assert started["services"][0]["running_count"] == 0
    join = {"cluster": service["cluster"], "services": started["services"], "wait_delay": 1}
    assert run_module("ecs_service_wait", join, check=True)["services"] == []
    joined = run_module("ecs_service_wait", join)
    assert joined["services"] == [{"name": "web", "running_count": 2, "finishing_count": 0}]
    assert not joined["changed"]


def test_a_service_that_was_started_and_is_replaced_fails_later(
    run_module: RunModule, aws: Aws, service: dict[str, Any]
) -> None:
    started = run_module("ecs_service", service)
    aws("ecs").update_service(cluster=service["cluster"], service="web", forceNewDeployment=True)
    join = {"cluster": service["cluster"], "services": started["services"], "wait_delay": 1}
    with pytest.raises(ModuleFailedError, match=r"Service web: .*deployment was rolled back or replaced"):
        run_module("ecs_service_wait", join)
