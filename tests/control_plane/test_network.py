# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The role network on a deployed network: another way out, each time without a gap or a leftover; half-deleted ones."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT

OWN = [{"Name": "tag:sm2a:environment", "Values": [runs.NAME]}]
CHEAP = {"network_interface_endpoints": False}


class Network:
    """The environment's network in one account: runs of the role, and what is there."""

    def __init__(self, aws: runs.ControlPlane, directory: Path) -> None:
        self.aws = aws
        self.ec2 = aws.client("ec2")
        self.playbook = directory / "network.yml"
        self.results = directory / "results.jsonl"
        settings = {"region": "{{ sm2a_region }}", "endpoint_url": "{{ sm2a_endpoint_url }}"}
        play = {
            "hosts": "sm2a",
            "gather_facts": False,
            "module_defaults": {"group/sm2a.airflow.aws": settings},
            "environment": "{{ sm2a_aws_environment }}",
            "roles": ["sm2a.airflow.network"],
        }
        self.playbook.write_text(yaml.safe_dump([play]), encoding="utf-8")

    def run(self, *options: str, **variables: Any) -> int:
        """Run the role; how many tasks changed something, or would."""
        given = yaml.safe_dump(
            {"sm2a_endpoint_url": self.aws.endpoint, **variables}, default_flow_style=True, width=9999
        )
        command = ["ansible-playbook", "-i", str(runs.HERE / "inventory.yml"), str(self.playbook), "-e", given.strip()]
        self.results.touch()
        done = subprocess.run(
            [str(Path(sys.executable).parent / command[0]), *command[1:], *options],
            cwd=PROJECT,
            env={**runs.playbook_environment(self.results), "PWD": os.fspath(PROJECT)},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
        return int(re.findall(r"changed=(\d+)", done.stdout)[-1])

    def converge(self, **variables: Any) -> None:
        """Check mode predicts as many changes as the run makes, and the run after it changes nothing."""
        predicted = self.run("--check", **variables)
        assert predicted > 0
        assert self.run(**variables) == predicted
        assert self.run(**variables) == 0

    def nat_gateways(self) -> int:
        gateways = self.ec2.describe_nat_gateways(Filters=OWN)["NatGateways"]
        return len([one for one in gateways if one["State"] == "available"])

    def addresses(self) -> int:
        return len(self.ec2.describe_addresses(Filters=OWN)["Addresses"])

    def endpoints(self) -> set[str]:
        """Services with an endpoint."""
        found = self.ec2.describe_vpc_endpoints()["VpcEndpoints"]
        return {one["ServiceName"].removeprefix(f"com.amazonaws.{runs.REGION}.") for one in found}

    def restricted_endpoints(self) -> set[str]:
        """Services whose endpoint has a policy with a condition."""
        found = self.ec2.describe_vpc_endpoints()["VpcEndpoints"]
        restricted = [one for one in found if "aws:ResourceAccount" in one["PolicyDocument"]]
        return {one["ServiceName"].removeprefix(f"com.amazonaws.{runs.REGION}.") for one in restricted}

    def groups(self) -> dict[str, dict[str, Any]]:
        groups = self.ec2.describe_security_groups(Filters=OWN)["SecurityGroups"]
        return {group["GroupName"].removeprefix(f"{runs.NAME}-"): group for group in groups}

    def ways_out(self) -> list[str]:
        """Targets of the default routes of the private route tables."""
        tables = self.ec2.describe_route_tables(Filters=OWN)["RouteTables"]
        routes = [route for table in tables for route in table["Routes"]]
        return sorted({route["NatGatewayId"] for route in routes if route.get("NatGatewayId")})

    def https_ranges(self, component: str) -> list[str]:
        rules = self.groups()[component]["IpPermissionsEgress"]
        return [entry["CidrIp"] for rule in rules if rule["FromPort"] == 443 for entry in rule["IpRanges"]]

    def https_peers(self, component: str) -> list[str]:
        """Security groups and prefix lists that a component reaches by HTTPS."""
        rules = [rule for rule in self.groups()[component]["IpPermissionsEgress"] if rule["FromPort"] == 443]
        groups = [pair["GroupId"] for rule in rules for pair in rule["UserIdGroupPairs"]]
        return groups + [entry["PrefixListId"] for rule in rules for entry in rule["PrefixListIds"]]

    def left(self) -> list[Any]:
        """Everything that carries the environment's tag, but NAT gateways, which stay listed for an hour."""
        lists = [
            self.ec2.describe_vpcs(Filters=OWN)["Vpcs"],
            self.ec2.describe_subnets(Filters=OWN)["Subnets"],
            self.ec2.describe_internet_gateways(Filters=OWN)["InternetGateways"],
            self.ec2.describe_route_tables(Filters=OWN)["RouteTables"],
            self.ec2.describe_network_acls(Filters=OWN)["NetworkAcls"],
            self.ec2.describe_addresses(Filters=OWN)["Addresses"],
            self.ec2.describe_flow_logs(Filter=OWN)["FlowLogs"],
            list(self.groups()),
            list(self.endpoints()),
        ]
        return [one for each in lists for one in each] + list(range(self.nat_gateways()))


@pytest.fixture(scope="module")
def network(control_plane: runs.ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Network:
    return Network(control_plane, tmp_path_factory.mktemp("network"))


def test_the_way_out_changes_in_every_direction(network: Network) -> None:
    network.run(network_egress="nat_single")
    assert (network.nat_gateways(), network.addresses(), len(network.ways_out())) == (1, 1, 1)
    assert network.https_ranges("worker") == ["0.0.0.0/0"]
    vpc = network.ec2.describe_vpcs(Filters=OWN)["Vpcs"]

    network.converge(network_egress="endpoints")
    assert (network.nat_gateways(), network.addresses(), network.ways_out()) == (0, 0, [])
    assert network.https_ranges("worker") == []
    assert {"sqs", "secretsmanager", "ecr.api", "ecr.dkr", "logs", "s3", "ecs", "kms", "sts"} <= network.endpoints()

    network.converge(network_egress="nat_per_zone", network_availability_zone_count=3, **CHEAP)
    assert (network.nat_gateways(), network.addresses(), len(network.ways_out())) == (3, 3, 3)
    assert network.endpoints() == {"s3"}
    assert "endpoints" not in network.groups()
    assert network.https_ranges("worker") == ["0.0.0.0/0"]

    network.converge(network_egress="nat_single", network_availability_zone_count=3, **CHEAP)
    assert (network.nat_gateways(), network.addresses(), len(network.ways_out())) == (1, 1, 1)
    assert network.ec2.describe_vpcs(Filters=OWN)["Vpcs"] == vpc


def test_data_leaves_through_endpoints_to_trusted_accounts_only(network: Network) -> None:
    core = {"sqs", "secretsmanager", "ecr.api", "ecr.dkr", "logs", "s3"}
    # As the last test left it.
    zones = {"network_availability_zone_count": 3}
    network.run(**zones)
    assert network.restricted_endpoints() == network.endpoints() == core
    network.converge(**zones, network_endpoint_policies=False)
    assert network.restricted_endpoints() == set()
    assert network.endpoints() == core
    network.run(**zones, network_endpoint_resources=["s3://public-data/"])
    assert network.restricted_endpoints() == core
    policies = [one["PolicyDocument"] for one in network.ec2.describe_vpc_endpoints()["VpcEndpoints"]]
    assert len([one for one in policies if "arn:aws:s3:::public-data/*" in one]) == 1


def test_https_leads_to_endpoints_alone_beside_a_nat_gateway(network: Network) -> None:
    zones = {"network_availability_zone_count": 3}
    network.converge(**zones, network_https_egress_cidrs=["192.0.2.0/24"])
    [listed] = network.ec2.describe_managed_prefix_lists(
        Filters=[{"Name": "prefix-list-name", "Values": [f"com.amazonaws.{runs.REGION}.s3"]}]
    )["PrefixLists"]
    way = {network.groups()["endpoints"]["GroupId"], listed["PrefixListId"]}
    for component in ("api-server", "scheduler", "dag-processor", "triggerer", "worker", "autoscaler"):
        assert network.https_ranges(component) == ["192.0.2.0/24"]
        assert set(network.https_peers(component)) == way
    # What runs needs these: the autoscaler asks ECS, everything encrypted asks KMS.
    assert {"ecs", "kms", "monitoring", "sts"} <= network.endpoints()
    assert network.endpoints() - network.restricted_endpoints() == {"ecs-agent", "ecs-telemetry"}
    network.run(**zones)
    assert network.https_ranges("worker") == ["0.0.0.0/0"]
    assert "ecs" not in network.endpoints()


def break_in_half(network: Network) -> None:
    """Delete one of each kind, in whatever order AWS allows."""
    ec2 = network.ec2
    [vpc] = ec2.describe_vpcs(Filters=OWN)["Vpcs"]
    ec2.delete_flow_logs(FlowLogIds=[one["FlowLogId"] for one in ec2.describe_flow_logs(Filter=OWN)["FlowLogs"]])
    network.aws.client("logs").delete_log_group(logGroupName=f"/sm2a/{runs.NAME}/flow-logs")
    iam, role = network.aws.client("iam"), f"{runs.NAME}-flow-logs"
    iam.delete_role_policy(RoleName=role, PolicyName="permissions")
    iam.delete_role(RoleName=role)
    sqs = [one for one in ec2.describe_vpc_endpoints()["VpcEndpoints"] if one["ServiceName"].endswith(".sqs")]
    ec2.delete_vpc_endpoints(VpcEndpointIds=[one["VpcEndpointId"] for one in sqs])
    gateways = ec2.describe_nat_gateways(Filters=[*OWN, {"Name": "state", "Values": ["available"]}])["NatGateways"]
    ec2.delete_nat_gateway(NatGatewayId=gateways[0]["NatGatewayId"])
    ec2.delete_security_group(GroupId=network.groups()["scheduler"]["GroupId"])
    named = {tag["Value"]: one for one in ec2.describe_subnets(Filters=OWN)["Subnets"] for tag in one["Tags"]}
    ec2.delete_subnet(SubnetId=named[f"{runs.NAME}-private-2"]["SubnetId"])
    [gateway] = ec2.describe_internet_gateways(Filters=OWN)["InternetGateways"]
    ec2.detach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=vpc["VpcId"])


def test_half_deleted_networks_are_completed_and_removed(network: Network) -> None:
    options = {"network_egress": "nat_single", "network_availability_zone_count": 3}
    network.run(**options)
    whole = len(network.left())
    break_in_half(network)
    network.converge(**options)
    assert len(network.left()) == whole

    break_in_half(network)
    network.converge(**options, network_state="absent")
    assert network.left() == []
    assert network.run(**options, network_state="absent") == 0
