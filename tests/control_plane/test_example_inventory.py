# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The environments of inventories/example deploy as they are."""

from __future__ import annotations

from ansible_collections.sm2a.airflow.tests.support.control_plane import ControlPlane

ENVIRONMENTS = ("small", "standard", "highly_available", "closed")


def test_example_environments_deploy_and_stay(control_plane: ControlPlane) -> None:
    control_plane.client("route53").create_hosted_zone(Name="example.com", CallerReference="test")
    # inventory.yml, which comes first, has the credentials of the local AWS and images that nobody need build.
    examples = ("-i", "inventories/example", "--limit")
    site = control_plane.play("site", *examples, ",".join(ENVIRONMENTS))
    assert site.code == 0, site.end()
    # Those with the most options; the defaults have tests of their own.
    again = control_plane.play("site", *examples, "highly_available,closed", "--check")
    assert again.code == 0, again.end()
    assert again.changed == []
    clusters = control_plane.client("ecs").list_clusters()["clusterArns"]
    assert sorted(arn.rpartition("/")[2] for arn in clusters) == ["closed", "highly-available", "small", "standard"]
    assert_is_closed(control_plane)


def assert_is_closed(control_plane: ControlPlane) -> None:
    """No way in from the internet, none out, and none through the endpoints to other accounts but what is named."""
    ec2 = control_plane.client("ec2")
    own = [{"Name": "tag:sm2a:environment", "Values": ["closed"]}]
    assert ec2.describe_nat_gateways(Filters=own)["NatGateways"] == []
    [load_balancer] = control_plane.client("elbv2").describe_load_balancers(Names=["closed"])["LoadBalancers"]
    assert load_balancer["Scheme"] == "internal"
    for group in ec2.describe_security_groups(Filters=own)["SecurityGroups"]:
        ranges = [one["CidrIp"] for rule in group["IpPermissionsEgress"] for one in rule["IpRanges"]]
        ranges += [one["CidrIp"] for rule in group["IpPermissions"] for one in rule["IpRanges"]]
        assert set(ranges) <= {"10.0.0.0/8"}, group["GroupName"]
    [vpc] = ec2.describe_vpcs(Filters=own)["Vpcs"]
    endpoints = {
        one["ServiceName"].split(".", 3)[-1]: one["PolicyDocument"]
        for one in ec2.describe_vpc_endpoints()["VpcEndpoints"]
        if one["VpcId"] == vpc["VpcId"]
    }
    assert len(endpoints) == 12
    assert {name for name, policy in endpoints.items() if "aws:ResourceAccount" not in policy} == {
        "ecs-agent",
        "ecs-telemetry",
    }
    # The images lie in another account.
    repository = "arn:aws:ecr:eu-west-1:123456789012:repository/sm2a/airflow"
    assert {name for name, policy in endpoints.items() if repository in policy} == {"ecr.api", "ecr.dkr"}
