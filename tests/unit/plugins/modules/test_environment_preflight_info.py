# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""environment_preflight_info against the local AWS: names, tags and zones as AWS answers them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.image_platforms import PLATFORMS
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight import images as preflight_images
from ansible_collections.sm2a.airflow.tests.support import images
from ansible_collections.sm2a.airflow.tests.support import modules as support

Aws = Callable[[str], Any]
Look = Callable[..., dict[str, Any]]
MODULE = "environment_preflight_info"
REGISTRY = f"{support.ACCOUNT}.dkr.ecr.{support.REGION}.amazonaws.com"
HEAVY = "airflow_worker_groups, group heavy"


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


@pytest.fixture
def repository(aws: Aws, aws_endpoint: str, unique_name: str) -> tuple[str, str]:
    """Where a repository of images is, and its name."""
    aws("ecr").create_repository(repositoryName=unique_name)
    return aws_endpoint, unique_name


def image(repository: tuple[str, str], digest: str, **architectures: str) -> dict[str, Any]:
    """An image that the option gives, and what is needed of it."""
    name = f"{REGISTRY}/{repository[1]}@{digest}"
    return {"option": "images_airflow_image", "image": name, "architectures": architectures}


def test_an_image_with_what_its_tasks_need_passes(look: Look, repository: tuple[str, str]) -> None:
    one = image(repository, images.push_image(*repository, "arm64"), **{HEAVY: "ARM64"})
    both = image(repository, images.push_index(*repository, ["arm64", "amd64"]), **{HEAVY: "ARM64", "rest": "X86_64"})
    assert look(images=[one, both])["checks"]["image_platforms"] == "passed"


@pytest.mark.parametrize("as_index", [False, True])
@pytest.mark.parametrize(("built", "wanted"), [("amd64", "ARM64"), ("arm64", "X86_64")])
def test_an_image_without_it_is_in_the_way(
    look: Look, repository: tuple[str, str], as_index: bool, built: str, wanted: str
) -> None:
    digest = images.push_index(*repository, [built]) if as_index else images.push_image(*repository, built)
    [problem] = look(images=[image(repository, digest, **{HEAVY: wanted})])["problems"]
    assert problem["message"] == (
        f"{HEAVY}: {wanted} needs {PLATFORMS[wanted]}, but images_airflow_image was built for linux/{built} only."
    )


def test_an_image_elsewhere_is_not_judged(look: Look, repository: tuple[str, str]) -> None:
    absent = f"sha256:{'0' * 64}"
    elsewhere = {**image(repository, absent, a="ARM64"), "image": f"registry.example.com/airflow@{absent}"}
    unknown = [elsewhere, image(repository, absent, a="ARM64"), image(("", "no/repository"), absent, a="ARM64")]
    assert look(images=unknown)["notices"] == []


def test_an_image_that_cannot_be_read_is_told_without_its_signed_address(
    look: Look, repository: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(_url: str) -> bytes:
        raise TimeoutError("https://signed.example.com/canary")

    monkeypatch.setattr(preflight_images, "fetch", closed)
    result = look(images=[image(repository, images.push_image(*repository, "amd64"), a="ARM64")])
    assert result["checks"]["image_platforms"] == "not checked"
    assert "images_airflow_image: the description of the image cannot be read" in result["notices"][0]["message"]
    assert "canary" not in str(result)


def test_an_architecture_that_ecs_does_not_have_is_named(look: Look, repository: tuple[str, str]) -> None:
    result = look(images=[image(repository, images.push_image(*repository, "amd64"), a="RISCV")])
    assert result["problems"][0]["message"] == "a: RISCV is none of X86_64, ARM64."
