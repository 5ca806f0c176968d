# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Hosted zones of another account: modules whose caller has no right in Route 53, and the role that has.

The local AWS is one account: what an account would keep apart, the rights of both do here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.common import assumed_role
from ansible_collections.sm2a.airflow.tests.support import modules as support
from ansible_collections.sm2a.airflow.tools import deploy_policy

CERTIFICATE, ALIAS = "acm_certificate", "route53_load_balancer_alias"
EXTERNAL_ID = "sm2a-staging"


@pytest.fixture(scope="session")
def aws_endpoint(local_aws_endpoint: str) -> str:
    """Only the local AWS refuses what policies do not allow."""
    return local_aws_endpoint


@pytest.fixture
def zone(aws: Callable[[str], Any], unique_name: str) -> str:
    """Id of a hosted zone <unique name>.test."""
    made = aws("route53").create_hosted_zone(Name=f"{unique_name}.test", CallerReference=unique_name)
    return str(made["HostedZone"]["Id"]).rsplit("/", 1)[-1]


def make_role(iam: Any, name: str, trust: dict[str, Any], policy: dict[str, Any]) -> str:
    """The ARN of a new role."""
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", **trust}]}
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
    return str(made["Role"]["Arn"])


@pytest.fixture
def caller(aws: Callable[[str], Any], unique_name: str) -> dict[str, str]:
    """Options of modules that are run with all rights but those of Route 53."""
    statements = [{"Effect": "Allow", "Action": ["acm:*", "elasticloadbalancing:*", "sts:AssumeRole"], "Resource": "*"}]
    account = {"Principal": {"AWS": support.ACCOUNT}}
    policy = {"Version": "2012-10-17", "Statement": statements}
    arn = make_role(aws("iam"), f"{unique_name}-deploy", account, policy)
    keys = aws("sts").assume_role(RoleArn=arn, RoleSessionName="deploy")["Credentials"]
    return {
        "access_key": keys["AccessKeyId"],
        "secret_key": keys["SecretAccessKey"],
        "session_token": keys["SessionToken"],
    }


@pytest.fixture
def dns_role(aws: Callable[[str], Any], unique_name: str, zone: str, caller: dict[str, str]) -> dict[str, str]:
    """The role of docs/permissions.md, as the options name it: it trusts the caller, who must know its external ID."""
    assert caller
    domain = f"{unique_name}.test"
    given = {
        deploy_policy.ZONES: [f"arn:aws:route53:::hostedzone/{zone}"],
        deploy_policy.RECORDS: [domain, f"*.{domain}", f"_*.{domain}"],
    }
    trust = {
        "Principal": {"AWS": f"arn:aws:iam::{support.ACCOUNT}:role/{unique_name}-deploy"},
        "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
    }
    policy = deploy_policy.policies({"PARTITION": "aws"}, given)["dns"]
    arn = make_role(aws("iam"), f"{unique_name}-dns", trust, policy)
    return {"dns_role_arn": arn, "dns_role_external_id": EXTERNAL_ID}


@pytest.fixture
def present(unique_name: str, caller: dict[str, str], dns_role: dict[str, str]) -> dict[str, Any]:
    """A certificate that is validated in the zone of the role."""
    names = [f"{unique_name}.test", f"*.{unique_name}.test"]
    zone = {"hosted_zone_name": f"{unique_name}.test"}
    request = {"name": unique_name, "source": "request", "domain_names": names, "wait_timeout": 5}
    return {**caller, **dns_role, **zone, **request}


@pytest.fixture
def absent(unique_name: str, present: dict[str, Any]) -> dict[str, Any]:
    options = {key: value for key, value in present.items() if key not in ("source", "domain_names", "wait_timeout")}
    return {**options, "state": "absent"}


@pytest.fixture
def read_state(aws: Callable[[str], Any], zone: str) -> Callable[[], dict[str, Any]]:
    """Record sets by name and type, without those of the zone itself."""

    def read() -> dict[str, Any]:
        found = aws("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        return {f"{one['Name']} {one['Type']}": one for one in found if one["Type"] not in ("NS", "SOA")}

    return read


def test_a_certificate_is_validated_and_removed_through_the_role(
    ladder: Callable[..., support.Ladder],
    present: dict[str, Any],
    absent: dict[str, Any],
    read_state: Callable[[], dict[str, Any]],
) -> None:
    rungs = ladder(CERTIFICATE, present, absent, read_state)
    assert rungs.applied["certificate"]["valid_until"]


@pytest.fixture
def alias(
    aws: Callable[[str], Any], unique_name: str, caller: dict[str, str], dns_role: dict[str, str]
) -> dict[str, str]:
    """Options of an alias record of a load balancer, in the zone of the role."""
    ec2 = aws("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    places = [(f"10.9.{number}.0/24", f"{support.REGION}{letter}") for number, letter in enumerate("ab")]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=place)["Subnet"]["SubnetId"]
        for cidr, place in places
    ]
    aws("elbv2").create_load_balancer(Name=unique_name, Subnets=subnets, Scheme="internal")
    record = {"load_balancer_name": unique_name, "record_name": f"{unique_name}.test"}
    return {**caller, **dns_role, **record, "hosted_zone_name": f"{unique_name}.test"}


def test_an_alias_is_made_and_removed_through_the_role(
    ladder: Callable[..., support.Ladder], alias: dict[str, str], read_state: Callable[[], dict[str, Any]]
) -> None:
    ladder(ALIAS, alias, {**alias, "state": "absent"}, read_state)


def test_without_the_role_the_missing_right_is_named(
    run_module: support.RunModule, present: dict[str, Any], read_state: Callable[[], dict[str, Any]]
) -> None:
    own = {key: value for key, value in present.items() if not key.startswith("dns_role")}
    with pytest.raises(support.ModuleFailedError, match="The credentials lack route53:ListHostedZonesByName"):
        run_module(CERTIFICATE, own)
    assert read_state() == {}


@pytest.mark.parametrize("external_id", [None, "another"])
def test_a_role_that_does_not_trust_the_caller_is_named(
    run_module: support.RunModule, present: dict[str, Any], external_id: str | None
) -> None:
    with pytest.raises(support.ModuleFailedError) as failed:
        run_module(CERTIFICATE, {**present, "dns_role_external_id": external_id})
    said = failed.value.result["msg"]
    assert said.startswith(f"Failed to assume role {present['dns_role_arn']}: ")
    assert "The role's own trust policy must name these credentials, too, with the external ID" in said


def test_a_record_that_the_role_may_not_write_is_refused(
    run_module: support.RunModule, aws: Callable[[str], Any], present: dict[str, Any], unique_name: str
) -> None:
    reading = {"Effect": "Allow", "Action": ["route53:List*", "route53:Get*"], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [reading]})
    aws("iam").put_role_policy(RoleName=f"{unique_name}-dns", PolicyName="own", PolicyDocument=policy)
    with pytest.raises(support.ModuleFailedError, match=r"lack route53:ChangeResourceRecordSets on .*hostedzone"):
        run_module(CERTIFICATE, present)


def test_a_zone_that_the_account_of_the_role_does_not_have(
    run_module: support.RunModule, present: dict[str, Any]
) -> None:
    message = f"There is no hosted zone elsewhere.test in the account of role {present['dns_role_arn']}"
    with pytest.raises(support.ModuleFailedError, match=message):
        run_module(CERTIFICATE, {**present, "hosted_zone_name": "elsewhere.test"}, check=True)


def test_credentials_of_the_role_stay_in_the_module(
    run_module: support.RunModule, present: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[str] = []
    assume = assumed_role.assume

    def remembered(sts: Any, request: dict[str, str]) -> dict[str, str]:
        keys = assume(sts, request)
        given.extend(keys[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken"))
        return keys

    monkeypatch.setattr(assumed_role, "assume", remembered)
    written = json.dumps(run_module(CERTIFICATE, present))
    assert len(given) == 3
    assert [key for key in given if key in written] == []
