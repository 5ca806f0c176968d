# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""environment_preflight_info against the local AWS: names, tags and zones as AWS answers them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support import modules as support

Aws = Callable[[str], Any]
Look = Callable[..., dict[str, Any]]
MODULE = "environment_preflight_info"


@pytest.fixture(scope="session")
def aws_endpoint(local_aws_endpoint: str) -> str:
    """MiniStack as it is knows no quotas."""
    return local_aws_endpoint


@pytest.fixture
def look(run_module: support.RunModule, unique_name: str) -> Look:
    """The result of the module with these options; the same in check mode, and it changes nothing."""

    def run(**options: Any) -> dict[str, Any]:
        result = run_module(MODULE, {"name": unique_name, **options})
        assert result["changed"] is False
        assert run_module(MODULE, {"name": unique_name, **options}, check=True) == result
        return result

    return run


def names(result: dict[str, Any]) -> list[str]:
    """The checks in the way."""
    return [problem["check"] for problem in result["problems"]]


def test_what_is_not_given_is_not_looked_at(look: Look) -> None:
    result = look()
    assert result["checks"] == {"credentials_lifetime": "passed"}
    assert result["problems"] == result["notices"] == []


def test_roles_are_free_own_or_somebody_elses(look: Look, aws: Aws, unique_name: str) -> None:
    def trust(region: str) -> str:
        condition = {"ArnLike": {"aws:SourceArn": f"arn:aws:ecs:{region}:{support.ACCOUNT}:*"}}
        service = {"Service": "ecs-tasks.amazonaws.com"}
        statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": service, "Condition": condition}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    tags = [{"Key": "sm2a:environment", "Value": unique_name}]
    role = f"{unique_name}-worker"
    assert look(roles=[role])["checks"]["role_names"] == "passed"
    aws("iam").create_role(RoleName=role, AssumeRolePolicyDocument=trust(support.REGION), Tags=tags)
    assert look(roles=[role, f"{unique_name}-scheduler"])["problems"] == []
    aws("iam").update_assume_role_policy(RoleName=role, PolicyDocument=trust("us-east-1"))
    result = look(roles=[role])
    assert names(result) == ["role_names"]
    assert f"belongs to the environment {unique_name} of us-east-1" in result["problems"][0]["message"]
    aws("iam").untag_role(RoleName=role, TagKeys=["sm2a:environment"])
    assert "is not of this environment" in look(roles=[role])["problems"][0]["message"]
    assert look(roles=[role], ignore=["role_names"])["checks"]["role_names"] == "ignored"


def test_buckets_are_free_own_or_somebody_elses(look: Look, aws: Aws, unique_name: str) -> None:
    bucket = f"{unique_name}-logs-{support.ACCOUNT}"
    assert look(buckets=[f"{unique_name}-logs"])["problems"] == []
    where = {"LocationConstraint": support.REGION}
    aws("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
    result = look(buckets=[f"{unique_name}-logs"])
    assert names(result) == ["bucket_names"]
    tags = [{"Key": "sm2a:environment", "Value": unique_name}]
    aws("s3").put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    assert look(buckets=[f"{unique_name}-logs"])["checks"] == {
        "credentials_lifetime": "passed",
        "bucket_names": "passed",
        "s3_buckets": "passed",
    }


def test_resources_without_our_tags_are_somebody_elses(look: Look, aws: Aws, unique_name: str) -> None:
    ec2, elbv2, ecs = (aws(service) for service in ("ec2", "elbv2", "ecs"))
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{support.REGION}{zone}")
        for number, zone in enumerate("ab")
    ]
    balancer = {"name": unique_name, "target_group": f"{unique_name}-api-server"}
    cluster = {"name": unique_name}
    assert look(load_balancer=balancer, cluster=cluster)["problems"] == []
    ids = [subnet["Subnet"]["SubnetId"] for subnet in subnets]
    made = elbv2.create_load_balancer(Name=unique_name, Subnets=ids)["LoadBalancers"][0]["LoadBalancerArn"]
    arn = ecs.create_cluster(clusterName=unique_name)["cluster"]["clusterArn"]
    result = look(load_balancer=balancer, cluster=cluster)
    assert names(result) == ["resource_names"] * 2
    own = {"key": "sm2a:environment", "value": unique_name}
    elbv2.add_tags(ResourceArns=[made], Tags=[{"Key": own["key"], "Value": own["value"]}])
    ecs.tag_resource(resourceArn=arn, tags=[own])
    assert look(load_balancer=balancer, cluster=cluster)["problems"] == []


def test_zones_that_the_network_would_refuse_are_told(look: Look) -> None:
    place = {"availability_zone_count": 3, "availability_zones": [f"{support.REGION}{zone}" for zone in "ab"]}
    result = look(network=place)
    assert names(result) == ["fargate_zones"]
    assert "3 availability zones are required, but 2 are given" in result["problems"][0]["message"]
    result = look(network={**place, "availability_zones": [f"{support.REGION}{zone}" for zone in "abx"]})
    assert f"The account has no zone {support.REGION}x" in result["problems"][0]["message"]
    assert look(network={"availability_zone_count": 3, "interface_endpoints": ["sqs", "logs"]})["problems"] == []


def test_a_hosted_zone_must_be_there_and_hold_the_domain(look: Look, aws: Aws, unique_name: str) -> None:
    zone = f"{unique_name}.example.com"
    domain = {"name": f"airflow.{zone}", "hosted_zone_name": zone, "load_balancer": unique_name, "validated": True}
    assert names(look(domain=domain)) == ["hosted_zone"]
    made = aws("route53").create_hosted_zone(Name=zone, CallerReference=unique_name)["HostedZone"]["Id"]
    result = look(domain=domain)
    assert result["problems"] == []
    # Nobody asks the world about a zone of the local AWS.
    assert result["checks"].keys() == {"credentials_lifetime", "hosted_zone", "domain_record"}
    record = {"Name": domain["name"], "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    change = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    aws("route53").change_resource_record_sets(HostedZoneId=made, ChangeBatch=change)
    assert names(look(domain=domain)) == ["domain_record"]
    twice = aws("route53").create_hosted_zone(Name=zone, CallerReference=f"{unique_name}-2")["HostedZone"]["Id"]
    result = look(domain=domain)
    assert names(result) == ["hosted_zone"]
    assert "There are 2 hosted zones" in result["problems"][0]["message"]
    assert names(look(domain={**domain, "hosted_zone_name": None, "hosted_zone_id": twice})) == []
