# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Environments with options that need rights of their own: what others have made before, and what the policies name."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.sm2a.airflow.plugins.module_utils.acm import x509 as certificates
from ansible_collections.sm2a.airflow.tests.control_plane.deploy_role import ACCOUNT, BOUNDARY_ARN
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs

DOMAIN = "airflow.example.com"
LIMITED = {f"{role}_permissions_boundary": BOUNDARY_ARN for role in ("cluster", "network", "database")}
OF_TEAM = [{"Sid": "Warehouse", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::warehouse/*"}]
REGISTRY = f"{ACCOUNT}.dkr.ecr.{runs.REGION}.amazonaws.com"
WAREHOUSE = f"arn:aws:iam::{ACCOUNT}:policy/warehouse"
TEAM = {"name": "team", "queue": "team", **runs.GROUP_SIZE, "policy_statements": OF_TEAM, "policy_arns": [WAREHOUSE]}


@dataclass(frozen=True)
class Case:
    """Options of tools/deploy_policy.py, and variables of the runs: ``made`` of the first, ``changed`` of a second."""

    policy: list[str]
    made: dict[str, Any]
    changed: dict[str, Any] | None = None
    removed: dict[str, Any] = field(default_factory=lambda: dict(runs.DESTROY))


Prepare = Callable[[runs.ControlPlane, Path], Case]


def defaults(aws: runs.ControlPlane, directory: Path) -> Case:
    """The secure defaults, a team of its own that goes again, and the next change in every role."""
    statements = _statements(directory)
    _managed_policy(aws)
    _tasks_of_others(aws)
    return Case(
        policy=["--worker-statements", str(statements), "--managed-policy", WAREHOUSE],
        made={**LIMITED, "airflow_worker_groups": [runs.DEFAULT_GROUP, TEAM], "sm2a_tags": {"team": "data"}},
        changed={
            **LIMITED,
            **runs.NEXT_CHANGE,
            "network_egress": "endpoints",
            "network_acls": False,
            "load_balancer_waf": "none",
            # Another tag: one is set, the other one is taken off.
            "sm2a_tags": {"owner": "platform"},
        },
        # With a final snapshot.
        removed={**runs.DESTROY, "database_skip_final_snapshot": False},
    )


def in_a_given_network(aws: runs.ControlPlane, directory: Path) -> Case:
    """MySQL from a snapshot, in somebody else's VPC, with roles below a path, a WAF and a login at a provider."""
    statements = _statements(directory)
    _managed_policy(aws)
    network = _network(aws)
    vpc, subnets = network["vpc"], network["subnets"]
    secrets = [
        _secret(aws, "company/oidc", {"client": "s"}),
        _secret(aws, "company/warehouse", {"uri": "http://a:b@c"}),
    ]
    zones = aws.client("route53")
    zone = zones.create_hosted_zone(Name="example.com", CallerReference="a")["HostedZone"]["Id"].rpartition("/")[2]
    monitoring = f"arn:aws:iam::{ACCOUNT}:role/company-monitoring"
    snapshot = _snapshot(aws)
    oidc = {
        **{
            name: f"https://login.example.com/{name}"
            for name in ("issuer", "authorization_endpoint", "token_endpoint", "user_info_endpoint")
        },
        "client_id": "airflow",
        "client_secret_name": "company/oidc",
        "client_secret_key": "client",
    }
    given = [("--network", arn) for arn in network["arns"]]
    given += [("--secret", arn) for arn in secrets]
    given += [("--snapshot", snapshot["arn"]), ("--key", snapshot["key"]), ("--role", monitoring)]
    given += [("--hosted-zone", zone), ("--domain", DOMAIN), ("--managed-policy", WAREHOUSE)]
    return Case(
        policy=[
            *(word for pair in given for word in pair),
            *("--iam-path", "/sm2a/", "--worker-statements", str(statements)),
        ],
        made={
            **LIMITED,
            **{f"{role}_iam_path": "/sm2a/" for role in ("cluster", "network", "database")},
            "airflow_worker_groups": [runs.DEFAULT_GROUP, TEAM],
            "airflow_dags_source": "s3",
            "storage_dags_bucket": True,
            "cluster_execute_command": True,
            "database_engine": "mysql",
            "database_snapshot_identifier": "company-snapshot",
            "database_monitoring_role_arn": monitoring,
            "load_balancer_certificate_source": "request",
            "load_balancer_hosted_zone_name": "example.com",
            "load_balancer_oidc": oidc,
            "load_balancer_waf": "create",
            "network_vpc_id": vpc,
            "network_public_subnet_ids": subnets[:2],
            "network_private_subnet_ids": subnets[2:],
            "network_egress": "endpoints",
            "secrets_connections": {"warehouse": {"value_from": {"secret": "company/warehouse", "key": "uri"}}},
        },
    )


def on_an_existing_database(aws: runs.ControlPlane, directory: Path) -> Case:
    """A database, a key, a certificate, a web ACL and a topic of somebody else; roles without a boundary."""
    kms = aws.client("kms")
    key = kms.create_key(Description="of the company")["KeyMetadata"]["Arn"]
    pair = certificates.self_signed([DOMAIN], 365)
    certificate = _secret(
        aws, "company/certificate", {"certificate": pair.certificate, "private_key": pair.private_key}, KmsKeyId=key
    )
    master = _secret(aws, "company/master", {"username": "root", "password": "x"})
    visibility = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "m"}
    web_acl = aws.client("wafv2").create_web_acl(
        Name="company", Scope="REGIONAL", DefaultAction={"Allow": {}}, Rules=[], VisibilityConfig=visibility
    )["Summary"]["ARN"]
    _managed_policy(aws)
    topic = aws.client("sns").create_topic(Name="company-alarms")["TopicArn"]
    existing = {"address": "db.example.com", "port": 5432, "master_secret_arn": master}
    given = [("--key", key), ("--secret", certificate), ("--web-acl", web_acl), ("--managed-policy", WAREHOUSE)]
    given += [("--master-secret", master), ("--worker-statements", str(_statements(directory)))]
    given += [("--topic", topic)]
    given += [("--dags", f"arn:aws:s3:::company-dags{below}") for below in ("", "/*")]
    repository = f"arn:aws:ecr:{runs.REGION}:{ACCOUNT}:repository/company/airflow"
    return Case(
        policy=[
            *("--without-permissions-boundary", "--repository", repository),
            *(word for pair in given for word in pair),
        ],
        made={
            "airflow_worker_groups": [runs.DEFAULT_GROUP, TEAM],
            "airflow_dags_source": "s3",
            "airflow_dags_s3_uri": "s3://company-dags",
            "database_existing": existing,
            "images_airflow_image": f"{REGISTRY}/company/airflow@sha256:{'3' * 64}",
            "secrets_kms_key_arn": key,
            "load_balancer_certificate_source": "import",
            "load_balancer_certificate_secret": "company/certificate",
            "load_balancer_waf": "existing",
            "load_balancer_web_acl_arn": web_acl,
            "monitoring_topic_arn": topic,
            "network_egress": "nat_per_zone",
        },
    )


CASES: dict[str, Prepare] = {
    prepare.__name__: prepare for prepare in (defaults, in_a_given_network, on_an_existing_database)
}


def _statements(directory: Path) -> Path:
    """What the team's workers are allowed, for --worker-statements."""
    file = directory / "workers.yml"
    file.write_text(yaml.safe_dump(OF_TEAM), encoding="utf-8")
    return file


def _tasks_of_others(aws: runs.ControlPlane) -> None:
    """A task in a cluster of the company's, which counts for the quotas of Fargate as well."""
    ecs = aws.client("ecs")
    ecs.create_cluster(clusterName="company")
    ecs.register_task_definition(
        family="company",
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "web", "image": "web"}],
    )
    subnets = [one["SubnetId"] for one in aws.client("ec2").describe_subnets()["Subnets"]]
    ecs.create_service(
        cluster="company",
        serviceName="web",
        taskDefinition="company",
        desiredCount=1,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": subnets[:1]}},
    )


def _managed_policy(aws: runs.ControlPlane) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": OF_TEAM})
    aws.client("iam").create_policy(PolicyName="warehouse", PolicyDocument=document)


def _secret(aws: runs.ControlPlane, name: str, value: dict[str, str], **members: str) -> str:
    made = aws.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(value), **members)
    return str(made["ARN"])


def _network(aws: runs.ControlPlane) -> dict[str, Any]:
    """A VPC with two public and two private subnets that carries no tag of ours."""
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.50.0.0/16")["Vpc"]["VpcId"]
    for setting in ("EnableDnsSupport", "EnableDnsHostnames"):
        ec2.modify_vpc_attribute(VpcId=vpc, **{setting: {"Value": True}})
    subnets = [
        ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.50.{index}.0/24", AvailabilityZone=f"{runs.REGION}{'ab'[index % 2]}"
        )
        for index in range(4)
    ]
    ids = [subnet["Subnet"]["SubnetId"] for subnet in subnets]
    tables = [table["RouteTableId"] for table in ec2.describe_route_tables()["RouteTables"] if table["VpcId"] == vpc]
    place = f"arn:aws:ec2:{runs.REGION}:{ACCOUNT}"
    arns = [f"{place}:vpc/{vpc}"]
    arns += [f"{place}:subnet/{subnet}" for subnet in ids] + [f"{place}:route-table/{table}" for table in tables]
    return {"vpc": vpc, "subnets": ids, "arns": arns}


def _snapshot(aws: runs.ControlPlane) -> dict[str, str]:
    """An encrypted snapshot of somebody else's MySQL database."""
    key = aws.client("kms").create_key(Description="of the snapshot")["KeyMetadata"]["Arn"]
    rds = aws.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="company",
        DBInstanceClass="db.t4g.medium",
        Engine="mysql",
        EngineVersion="8.4",
        AllocatedStorage=20,
        StorageEncrypted=True,
        KmsKeyId=key,
        MasterUsername="root",
        ManageMasterUserPassword=True,
    )
    made = rds.create_db_snapshot(DBSnapshotIdentifier="company-snapshot", DBInstanceIdentifier="company")
    return {"arn": made["DBSnapshot"]["DBSnapshotArn"], "key": key}
