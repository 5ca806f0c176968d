# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What would stop a deployment is said in seconds, in one list, and before anything is changed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.quotas import QUOTAS
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.check import converted
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.specs import all_specs
from ansible_collections.sm2a.airflow.plugins.plugin_utils.preflight.demand import preflight_demand
from ansible_collections.sm2a.airflow.tests.control_plane import deploy_role
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs
from ansible_collections.sm2a.airflow.tests.support.role_files import read_yaml
from sm2a_local_aws.quotas import catalogue

STOP = "sm2a.airflow.preflight : Stop before anything is changed"
SAY = "sm2a.airflow.preflight : Say what was found"
# Nothing that an environment needs a quota for is spared.
EXTRA: dict[str, Any] = {
    "airflow_worker_groups": [
        runs.DEFAULT_GROUP,
        {**runs.DEFAULT_GROUP, "name": "spot", "queue": "spot", "capacity_provider": "FARGATE_SPOT"},
    ]
}
# Others may use the machine as well.
SECONDS = 30


class Account:
    """The quotas of the account, which can change while the local AWS runs."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.set({})

    def set(self, quotas: Mapping[str, float], **more: Any) -> None:
        self.file.write_text(json.dumps({"quotas": quotas, **more}), encoding="utf-8")

    def lower(self, value: float) -> None:
        """All of them."""
        self.set({quota.code: value for quota in catalogue.QUOTAS})


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Account:
    return Account(tmp_path_factory.mktemp("account") / "account.json")


@pytest.fixture(autouse=True)
def own_quotas(account: Account) -> Iterator[None]:
    """Each test begins with an account that has room."""
    account.set({})
    yield
    account.set({})


@pytest.fixture(scope="module")
def control_plane(tmp_path_factory: pytest.TempPathFactory, account: Account) -> Iterator[runs.ControlPlane]:
    """An account whose quotas the tests set."""
    with runs.control_plane(tmp_path_factory.mktemp("preflight"), "--account", str(account.file)) as aws:
        yield aws


def found(run: runs.PlaybookRun) -> list[str]:
    """Names of the checks in the way, in their order."""
    assert run.code == 2, run.end()
    assert run.tasks("failed") == [STOP]
    assert run.changed == []
    first, *lines, last = run.message.splitlines()
    assert (first, last[:17]) == ("Nothing was changed. In the way:", "docs/preflight.md")
    return [line.removeprefix("- ").partition(":")[0] for line in lines]


def said(run: runs.PlaybookRun) -> list[str]:
    """The summary and the warnings."""
    [message] = [result["msg"] for result in run.results if result["task"] == SAY]
    return [str(line) for line in message]


def contents(aws: runs.ControlPlane) -> dict[str, int]:
    """How much of everything there is in the account."""
    return {
        "vpcs": len(aws.client("ec2").describe_vpcs()["Vpcs"]),
        "groups": len(aws.client("ec2").describe_security_groups()["SecurityGroups"]),
        "buckets": len(aws.client("s3").list_buckets()["Buckets"]),
        "secrets": len(aws.client("secretsmanager").list_secrets()["SecretList"]),
        "roles": len(aws.client("iam").list_roles()["Roles"]),
        "clusters": len(aws.client("ecs").list_clusters()["clusterArns"]),
        "databases": len(aws.client("rds").describe_db_instances()["DBInstances"]),
        "keys": len(aws.client("kms").list_keys()["Keys"]),
        "logs": len(aws.client("logs").describe_log_groups()["logGroups"]),
    }


@pytest.mark.parametrize("options", [[], ["--check"]])
def test_a_fresh_account_passes_in_seconds(
    control_plane: runs.ControlPlane, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(control_plane)
    started = time.monotonic()
    run = control_plane.play("preflight", *options)
    seconds = time.monotonic() - started
    assert (run.code, run.changed) == (0, []), run.end()
    [summary] = said(run)
    assert summary.endswith(" passed"), summary
    assert contents(control_plane) == before
    assert seconds < SECONDS
    with capsys.disabled():
        print(f"\npreflight{' '.join(['', *options])}: {seconds:.1f} s, {summary}")


def test_a_new_account_starts_an_environment_and_is_warned_of_its_growth(
    control_plane: runs.ControlPlane, account: Account
) -> None:
    account.set({quota.code: quota.value for quota in catalogue.QUOTAS})
    run = control_plane.play("preflight")
    assert run.code == 0, run.end()
    [summary, warning] = said(run)
    assert summary.endswith(" passed, 1 with a warning")
    assert warning.startswith(
        "Warning: fargate_on_demand_vcpu: Fargate On-Demand vCPU: the environment with the largest"
    )
    assert "the quota fargate/L-3032A538 is 6." in warning


@pytest.mark.parametrize(("playbook", "options"), [("preflight", []), ("site", []), ("site", ["--check"])])
def test_every_used_up_quota_is_in_one_list(
    control_plane: runs.ControlPlane, account: Account, playbook: str, options: list[str]
) -> None:
    before = contents(control_plane)
    account.lower(0)
    spot = {"airflow_worker_groups": [{**group, "min": 1} for group in EXTRA["airflow_worker_groups"]]}
    run = control_plane.play(playbook, *options, extra=spot)
    names = found(run)
    assert names == list(QUOTAS)
    for quota in QUOTAS.values():
        assert f"--quota-code {quota.code} " in run.message
    assert contents(control_plane) == before


def test_what_else_is_wrong_is_in_the_same_list(control_plane: runs.ControlPlane, account: Account) -> None:
    account.set({QUOTAS["elastic_ips"].code: 2}, endpoint_service_zones={"ecr.api": ["eu-west-1b"]})
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    control_plane.client("iam").create_role(RoleName=f"{runs.NAME}-worker", AssumeRolePolicyDocument=document)
    control_plane.client("s3").create_bucket(
        Bucket=f"{runs.NAME}-logs-000000000000", CreateBucketConfiguration={"LocationConstraint": runs.REGION}
    )
    control_plane.client("ecs").create_cluster(clusterName=runs.NAME)
    wrong = {
        "network_egress": "nat_per_zone",
        "network_availability_zone_count": 3,
        "database_engine": "mysql",
        "database_instance_class": "db.t4g.small",
        "load_balancer_hosted_zone_name": "example.com",
    }
    try:
        names = found(control_plane.play("preflight", extra=wrong))
        ignored = [*names[:2], "role_names"]
        some = control_plane.play("preflight", extra={**wrong, "preflight_ignore": ignored})
        all_of_them = control_plane.play("preflight", extra={**wrong, "preflight_ignore": names})
    finally:
        control_plane.reset()
    assert names == [
        "elastic_ips",
        "endpoint_zones",
        "database_features",
        "hosted_zone",
        "role_names",
        "bucket_names",
        "resource_names",
    ]
    assert found(some) == [name for name in names if name not in ignored]
    assert all_of_them.code == 0, all_of_them.end()
    assert f", {len(names)} ignored" in said(all_of_them)[0]
    assert [line.split(": ")[1] for line in said(all_of_them)[1:]] == names


def test_a_misspelt_check_is_refused(control_plane: runs.ControlPlane) -> None:
    run = control_plane.play("preflight", extra={"preflight_ignore": ["elastic_ip"]})
    assert run.code == 2
    assert "preflight_ignore" in run.message
    assert "elastic_ips" in run.message


def test_what_may_not_be_read_is_one_warning_with_the_right(
    control_plane: runs.ControlPlane, account: Account, tmp_path: Path
) -> None:
    documents = deploy_role.written(tmp_path / "policies", "--without-permissions-boundary")
    without = {name: document for name, document in documents.items() if not name.endswith("-preflight")}
    assert len(without) == len(documents) - 1
    try:
        allowed = deploy_role.assume(control_plane, documents, "preflight").play("preflight")
        denied = deploy_role.assume(control_plane, without, "without").play("preflight")
    finally:
        control_plane.reset()
    assert allowed.code == 0, allowed.end()
    assert said(allowed)[1:] == []
    assert denied.code == 0, denied.end()
    warnings = said(denied)[1:]
    rights = ["servicequotas:ListServiceQuotas", "rds:DescribeOrderableDBInstanceOptions", "ecs:ListClusters"]
    for right in rights:
        [warning] = [line for line in warnings if f"The credentials lack {right}" in line]
        assert "Not checked: " in warning
    assert len(warnings) <= len(rights) + 2, warnings


def test_a_deployed_environment_is_not_refused_for_its_own(control_plane: runs.ControlPlane, account: Account) -> None:
    """With quotas that have room for nothing more than there is."""
    site = control_plane.play("site", extra=EXTRA)
    assert site.code == 0, site.end()
    before = contents(control_plane)
    # These are not about what is there, but about what an environment is.
    exact = {"security_group_rules": 6, "fargate_on_demand_vcpu": 12.75, "fargate_spot_vcpu": 4}
    account.set({quota.code: exact.get(name, 0) for name, quota in QUOTAS.items()})
    again = control_plane.play("preflight", extra=EXTRA)
    assert (again.code, again.changed) == (0, []), again.end()
    assert len(said(again)) == 1, said(again)
    # Another one has no room.
    names = found(control_plane.play("preflight", extra={**EXTRA, "sm2a_name": "second"}))
    assert set(QUOTAS) - set(names) == set(exact)
    assert contents(control_plane) == before


def test_the_same_name_in_another_region_is_refused(control_plane: runs.ControlPlane) -> None:
    """IAM roles and buckets of the environment above belong to all Regions."""
    run = control_plane.play("preflight", extra={**EXTRA, "sm2a_region": "us-east-1"})
    assert set(found(run)) >= {"role_names", "bucket_names"}
    assert f"The IAM role {runs.NAME}-scheduler belongs to the environment {runs.NAME} of {runs.REGION}" in run.message
    assert "choose another sm2a_name" in run.message


def demand() -> dict[str, Any]:
    """What the inventory of these tests asks for."""
    given = read_yaml(runs.HERE / "inventory.yml")["sm2a"]["vars"]
    spec = {name: option for options in all_specs().values() for name, option in options.items()}
    literal = {name: value for name, value in given.items() if name in spec and name != "sm2a_aws_environment"}
    return preflight_demand(converted({**literal, **EXTRA}, [], spec)[0])


def test_what_is_asked_for_is_what_a_deployment_makes(control_plane: runs.ControlPlane) -> None:
    """Of the environment above. What RDS and others make for themselves is not asked for."""
    asked = demand()
    ec2, ecs, iam, s3 = (control_plane.client(service) for service in ("ec2", "ecs", "iam", "s3"))
    roles = {
        role["RoleName"] for role in iam.list_roles()["Roles"] if not role["Path"].startswith("/aws-service-role/")
    }
    assert roles == set(asked["roles"])
    buckets = {bucket["Name"].removesuffix("-000000000000") for bucket in s3.list_buckets()["Buckets"]}
    assert buckets == set(asked["buckets"])
    secrets = {one["Name"] for one in control_plane.client("secretsmanager").list_secrets()["SecretList"]}
    assert {name for name in secrets if not name.startswith("rds!")} == set(asked["secrets"])
    services = ecs.list_services(cluster=asked["cluster"]["name"], maxResults=100)["serviceArns"]
    assert {arn.rpartition("/")[2] for arn in services} == set(asked["cluster"]["services"])
    own = [{"Name": "tag:sm2a:environment", "Values": [runs.NAME]}]
    endpoints = ec2.describe_vpc_endpoints(Filters=own)["VpcEndpoints"]
    interfaces = {one["ServiceName"] for one in endpoints if one["VpcEndpointType"] == "Interface"}
    assert interfaces == {f"com.amazonaws.{runs.REGION}.{name}" for name in asked["network"]["interface_endpoints"]}
    assert len(endpoints) - len(interfaces) == asked["network"]["gateway_endpoints"]
    groups = ec2.describe_security_groups(Filters=own)["SecurityGroups"]
    assert len(groups) == asked["network"]["security_groups"]
    assert max(rules(group) for group in groups) == asked["network"]["security_group_rules"]
    assert len(ec2.describe_addresses(Filters=own)["Addresses"]) == asked["network"]["nat_gateways"]


def rules(group: Mapping[str, Any]) -> int:
    """The rules of a security group in the direction in which it has more."""
    kinds = ("IpRanges", "UserIdGroupPairs", "PrefixListIds")
    return max(
        sum(len(rule.get(kind) or []) for rule in group[direction] for kind in kinds)
        for direction in ("IpPermissions", "IpPermissionsEgress")
    )
