# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Somebody with the deploy policies of ``cp`` tries to reach what is not of ``cp``, and is refused by IAM each time."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.acm import x509 as certificates
from ansible_collections.sm2a.airflow.tests.control_plane import deploy_role
from ansible_collections.sm2a.airflow.tests.control_plane.deploy_role import ACCOUNT, BOUNDARY_ARN, DeployRole
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs
from botocore.exceptions import ClientError
from sm2a_local_aws.iam.policy.documents import parse
from sm2a_local_aws.iam.policy.evaluation import Policies, Request, evaluate
from sm2a_local_aws.iam.policy.principals import Principal

TAG = "sm2a:environment"
OURS, THEIRS = ({TAG: name} for name in (runs.NAME, "cpx"))
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
DOMAIN, OTHERS_DOMAIN = "airflow.example.com", "shop.example.com"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
        ],
    }
)
EVERYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
LOCAL_ARN = f"arn:aws:%s:{runs.REGION}:{ACCOUNT}:%s"
OWN_TOPIC, GIVEN_TOPIC = (LOCAL_ARN % ("sns", topic) for topic in ("cp-alarms", "company"))


def tags(values: dict[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Tags in the form of an API."""
    return [{key: name, value: text} for name, text in values.items()]


@dataclass(frozen=True)
class Account:
    """The attacker, and ids of what others have in the account."""

    attacker: DeployRole
    ids: dict[str, str]
    documents: deploy_role.Documents

    def client(self, service: str) -> Any:
        return self.attacker.client(service)

    def __getitem__(self, name: str) -> str:
        return self.ids[name]


def others(aws: runs.ControlPlane) -> dict[str, str]:
    """Make what others have: without tags, of the environment ``cpx``, and of ``cp`` itself, each by its name here."""
    ec2, kms, acm, iam = (aws.client(service) for service in ("ec2", "kms", "acm", "iam"))
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    mine = [{"ResourceType": "vpc", "Tags": tags(OURS)}]
    own = ec2.create_vpc(CidrBlock="10.2.0.0/16", TagSpecifications=mine)["Vpc"]["VpcId"]
    named = [{"ResourceType": "security-group", "Tags": tags({"Name": "wiki"})}]
    group = ec2.create_security_group(GroupName="wiki", Description="Wiki", VpcId=vpc, TagSpecifications=named)
    own_group = ec2.create_security_group(
        GroupName="cp-worker",
        Description="Workers",
        VpcId=own,
        TagSpecifications=[{"ResourceType": "security-group", "Tags": tags(OURS)}],
    )
    key = kms.create_key(Tags=tags(THEIRS, "TagKey", "TagValue"))["KeyMetadata"]["KeyId"]
    plain_key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/payroll", TargetKeyId=plain_key)
    made = certificates.self_signed(["shop.example.com"], 365)
    pair = {"Certificate": made.certificate.encode(), "PrivateKey": made.private_key.encode()}
    certificate = acm.import_certificate(**pair, Tags=tags({"Name": "shop"}))["CertificateArn"]
    zones = aws.client("route53")
    zone, other_zone = (
        zones.create_hosted_zone(Name=name, CallerReference=name)["HostedZone"]["Id"].rpartition("/")[2]
        for name in ("example.com", "example.org")
    )
    iam.create_role(RoleName="cp-worker", AssumeRolePolicyDocument=TRUST, PermissionsBoundary=BOUNDARY_ARN)
    for role in ("cp-scheduler", "cpx-scheduler", "cp-lambda"):
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=TRUST)
    _data_of_others(aws)
    subnet = ec2.create_subnet(VpcId=own, CidrBlock="10.2.1.0/24")["Subnet"]["SubnetId"]
    _services(aws.client("ecs"), subnet)
    return {
        "subnet": subnet,
        "vpc": vpc,
        "own vpc": own,
        "group": group["GroupId"],
        "own group": own_group["GroupId"],
        "key": key,
        "plain key": plain_key,
        "certificate": certificate,
        "namespace": _namespace(aws),
        "zone": zone,
        "other zone": other_zone,
        "queue": aws.client("sqs").create_queue(QueueName="cp-x-default", tags=THEIRS)["QueueUrl"],
    }


def _data_of_others(aws: runs.ControlPlane) -> None:
    rds, cloudwatch = aws.client("rds"), aws.client("cloudwatch")
    rds.create_db_instance(
        DBInstanceIdentifier="cpx",
        DBInstanceClass="db.t4g.micro",
        Engine="postgres",
        AllocatedStorage=20,
        MasterUsername="x",
        ManageMasterUserPassword=True,
    )
    rds.create_db_snapshot(DBSnapshotIdentifier="cpx-final-20260101000000", DBInstanceIdentifier="cpx")
    aws.client("logs").create_log_group(logGroupName="/sm2a/cpx/worker")
    aws.client("logs").create_log_group(logGroupName="/aws/rds/instance/cpx/postgresql")
    alarm = {"MetricName": "m", "Namespace": "n", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1}
    cloudwatch.put_metric_alarm(AlarmName="cpx/errors", Threshold=1, ComparisonOperator="GreaterThanThreshold", **alarm)
    cloudwatch.put_dashboard(DashboardName="cpx", DashboardBody='{"widgets": []}')
    aws.client("secretsmanager").create_secret(Name="cpx/admin", SecretString="x")
    bucket = {"CreateBucketConfiguration": {"LocationConstraint": runs.REGION}}
    for name in (f"cp-x-logs-{ACCOUNT}", f"cp-logs-{ACCOUNT}"):
        aws.client("s3").create_bucket(Bucket=name, **bucket)
    aws.client("ecr").create_repository(repositoryName="cp/somebodys")
    aws.client("sns").create_topic(Name="cp-x-alarms")


def in_subnet(subnet: str) -> dict[str, Any]:
    """Where the tasks of a service run."""
    network = {"awsvpcConfiguration": {"subnets": [subnet]}}
    return {"launchType": "FARGATE", "networkConfiguration": network, "desiredCount": 0}


def _services(ecs: Any, subnet: str) -> None:
    """A service of ``cp``, and task definitions: its own, one of others, and one of others with their role."""
    container = [{"name": "a", "image": "a"}]
    fargate = {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512"}
    role = {"taskRoleArn": f"arn:aws:iam::{ACCOUNT}:role/cpx-scheduler"}
    for family, roles in (("cp-scheduler", {}), ("theirs", {}), ("theirs-with-role", role)):
        ecs.register_task_definition(family=family, containerDefinitions=container, **fargate, **roles)
    for cluster in ("cp", "cpx"):
        ecs.create_cluster(clusterName=cluster)
    ecs.create_service(cluster="cp", serviceName="scheduler", taskDefinition="cp-scheduler:1", **in_subnet(subnet))


def _namespace(aws: runs.ControlPlane) -> str:
    cloud_map = aws.client("servicediscovery")
    cloud_map.create_http_namespace(Name="cpx", CreatorRequestId="x", Tags=tags(THEIRS))
    return str(next(one["Id"] for one in cloud_map.list_namespaces()["Namespaces"] if one["Name"] == "cpx"))


@pytest.fixture(scope="module")
def account(control_plane: runs.ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Account:
    directory = tmp_path_factory.mktemp("policies") / "written"
    policy = f"arn:aws:iam::{ACCOUNT}:policy/warehouse"
    options = ["--hosted-zone", "ZGIVENLATER", "--domain", DOMAIN, "--managed-policy", policy]
    options += ["--topic", GIVEN_TOPIC]
    deploy_role.assume(control_plane, deploy_role.written(directory, *options), "nobody")
    ids = others(control_plane)
    options[1] = ids["zone"]
    documents = deploy_role.written(directory.with_name("with_zone"), *options)
    return Account(deploy_role.assume(control_plane, documents, "attacker"), ids, documents)


def tag_a_foreign_vpc_and_delete_it(a: Account) -> None:
    a.client("ec2").create_tags(Resources=[a["vpc"]], Tags=tags(OURS))
    a.client("ec2").delete_vpc(VpcId=a["vpc"])


def build_in_a_foreign_vpc(a: Account) -> None:
    specification = [{"ResourceType": "subnet", "Tags": tags(OURS)}]
    a.client("ec2").create_subnet(VpcId=a["vpc"], CidrBlock="10.1.1.0/24", TagSpecifications=specification)


def open_a_foreign_security_group(a: Account) -> None:
    a.client("ec2").create_tags(Resources=[a["group"]], Tags=tags(OURS))
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    a.client("ec2").authorize_security_group_ingress(GroupId=a["group"], IpPermissions=[rule])


def close_a_foreign_security_group(a: Account) -> None:
    rule = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    a.client("ec2").revoke_security_group_egress(GroupId=a["group"], IpPermissions=[rule])


def take_the_tag_off(a: Account) -> None:
    a.client("ec2").delete_tags(Resources=[a["own vpc"]], Tags=[{"Key": TAG}])


def take_all_tags_off(a: Account) -> None:
    a.client("ec2").delete_tags(Resources=[a["own vpc"]])


def hand_a_vpc_to_another_environment(a: Account) -> None:
    a.client("ec2").create_tags(Resources=[a["own vpc"]], Tags=tags(THEIRS))


def make_a_vpc_of_another_environment(a: Account) -> None:
    specification = [{"ResourceType": "vpc", "Tags": tags(THEIRS)}]
    a.client("ec2").create_vpc(CidrBlock="10.3.0.0/16", TagSpecifications=specification)


def make_a_role_without_the_boundary(a: Account) -> None:
    a.client("iam").create_role(RoleName="cp-api-server", AssumeRolePolicyDocument=TRUST)


def make_a_role_with_another_boundary(a: Account) -> None:
    role = {"RoleName": "cp-api-server", "AssumeRolePolicyDocument": TRUST}
    a.client("iam").create_role(**role, PermissionsBoundary=ADMINISTRATOR)


def make_a_role_of_another_name(a: Account) -> None:
    role = {"RoleName": "cp-anything", "AssumeRolePolicyDocument": TRUST}
    a.client("iam").create_role(**role, PermissionsBoundary=BOUNDARY_ARN)


def attach_administrator_access(a: Account) -> None:
    a.client("iam").attach_role_policy(RoleName="cp-worker", PolicyArn=ADMINISTRATOR)


def attach_the_boundary_as_a_policy(a: Account) -> None:
    a.client("iam").attach_role_policy(RoleName="cp-worker", PolicyArn=BOUNDARY_ARN)


def take_the_boundary_off(a: Account) -> None:
    a.client("iam").delete_role_permissions_boundary(RoleName="cp-worker")


def change_the_boundary_of_a_role(a: Account) -> None:
    a.client("iam").put_role_permissions_boundary(RoleName="cp-worker", PermissionsBoundary=ADMINISTRATOR)


def change_the_boundary_itself(a: Account) -> None:
    version = {"PolicyArn": BOUNDARY_ARN, "PolicyDocument": EVERYTHING, "SetAsDefault": True}
    a.client("iam").create_policy_version(**version)


def change_the_deploy_role(a: Account) -> None:
    a.client("iam").put_role_policy(RoleName=deploy_role.NAME, PolicyName="x", PolicyDocument=EVERYTHING)


def let_a_role_without_the_boundary_do_everything(a: Account) -> None:
    a.client("iam").put_role_policy(RoleName="cp-scheduler", PolicyName="x", PolicyDocument=EVERYTHING)


def be_trusted_by_a_role_without_the_boundary(a: Account) -> None:
    a.client("iam").update_assume_role_policy(RoleName="cp-scheduler", PolicyDocument=TRUST)


def become_a_role_that_may_do_everything(a: Account) -> None:
    """Its policy and who assumes it are the deployer's to write: what comes out of it is within the boundary."""
    a.client("iam").put_role_policy(RoleName="cp-worker", PolicyName="x", PolicyDocument=EVERYTHING)
    a.client("iam").update_assume_role_policy(RoleName="cp-worker", PolicyDocument=TRUST)
    worker = deploy_role.session(a.attacker.aws, "cp-worker", "attacker")
    worker.client("iam").create_user(UserName="backdoor")


def pass_a_role_of_others_to_tasks(a: Account) -> None:
    container = [{"name": "a", "image": "a", "cpu": 1, "memory": 4}]
    role = f"arn:aws:iam::{ACCOUNT}:role/cpx-scheduler"
    a.client("ecs").register_task_definition(family="cp-migrate", containerDefinitions=container, taskRoleArn=role)


def delete_another_database(a: Account) -> None:
    a.client("rds").delete_db_instance(DBInstanceIdentifier="cpx", SkipFinalSnapshot=True)


def read_another_database_by_its_snapshot(a: Account) -> None:
    snapshot = {"DBSnapshotIdentifier": "cpx-final-20260101000000"}
    a.client("rds").restore_db_instance_from_db_snapshot(DBInstanceIdentifier="cp", **snapshot)


def change_tags_of_another_snapshot(a: Account) -> None:
    arn = LOCAL_ARN % ("rds", "snapshot:cpx-final-20260101000000")
    a.client("rds").add_tags_to_resource(ResourceName=arn, Tags=tags(OURS))


def delete_another_certificate(a: Account) -> None:
    a.client("acm").delete_certificate(CertificateArn=a["certificate"])


def make_another_certificate_ones_own(a: Account) -> None:
    a.client("acm").add_tags_to_certificate(CertificateArn=a["certificate"], Tags=tags(OURS))
    a.client("acm").delete_certificate(CertificateArn=a["certificate"])


def delete_another_log_group(a: Account) -> None:
    a.client("logs").delete_log_group(logGroupName="/sm2a/cpx/worker")


def delete_the_log_group_of_another_database(a: Account) -> None:
    a.client("logs").delete_log_group(logGroupName="/aws/rds/instance/cpx/postgresql")


def delete_another_alarm(a: Account) -> None:
    a.client("cloudwatch").delete_alarms(AlarmNames=["cpx/errors"])


def delete_another_dashboard(a: Account) -> None:
    a.client("cloudwatch").delete_dashboards(DashboardNames=["cpx"])


def delete_the_key_of_another_environment(a: Account) -> None:
    a.client("kms").schedule_key_deletion(KeyId=a["key"])


def make_another_key_ones_own_and_delete_it(a: Account) -> None:
    a.client("kms").tag_resource(KeyId=a["plain key"], Tags=tags(OURS, "TagKey", "TagValue"))
    a.client("kms").schedule_key_deletion(KeyId=a["plain key"])


def delete_another_namespace(a: Account) -> None:
    a.client("servicediscovery").delete_namespace(Id=a["namespace"])


def delete_another_queue(a: Account) -> None:
    a.client("sqs").delete_queue(QueueUrl=a["queue"])


def make_another_queue_ones_own(a: Account) -> None:
    a.client("sqs").tag_queue(QueueUrl=a["queue"], Tags=OURS)


def read_another_secret(a: Account) -> None:
    a.client("secretsmanager").get_secret_value(SecretId="cpx/admin")


def make_a_secret_in_the_name_of_rds(a: Account) -> None:
    a.client("secretsmanager").create_secret(Name="rds!db-1", SecretString="x", Tags=tags(OURS))


def delete_another_bucket(a: Account) -> None:
    a.client("s3").delete_bucket(Bucket=f"cp-x-logs-{ACCOUNT}")


def read_task_logs(a: Account) -> None:
    """Of one's own environment: the deployment has no use for them."""
    a.client("s3").get_object(Bucket=f"cp-logs-{ACCOUNT}", Key="airflow/log")


def delete_another_repository(a: Account) -> None:
    a.client("ecr").delete_repository(repositoryName="cp/somebodys", force=True)


def delete_another_cluster(a: Account) -> None:
    a.client("ecs").delete_cluster(cluster="cpx")


def delete_another_topic(a: Account) -> None:
    a.client("sns").delete_topic(TopicArn=LOCAL_ARN % ("sns", "cp-x-alarms"))


def run_a_task_in_another_cluster(a: Account) -> None:
    a.client("ecs").run_task(cluster="cpx", taskDefinition="cp-migrate:1")


def change_record(a: Account, zone: str, name: str, kind: str = "A", value: str = "192.0.2.1") -> None:
    record = {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value}]}
    batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
    a.client("route53").change_resource_record_sets(HostedZoneId=a[zone], ChangeBatch=batch)


def take_over_another_name_of_the_zone(a: Account) -> None:
    change_record(a, "zone", "www.example.com")


def take_over_mail_of_the_domain(a: Account) -> None:
    change_record(a, "zone", DOMAIN, "MX", "10 mail.example.net")


def take_over_a_name_of_another_zone(a: Account) -> None:
    change_record(a, "other zone", "www.example.org")


def put_alarm(a: Account, **actions: list[str]) -> None:
    """An alarm of the environment's own, with these actions."""
    measured = {"MetricName": "m", "Namespace": "n", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1}
    compared = {"Threshold": 1, "ComparisonOperator": "GreaterThanThreshold"}
    a.client("cloudwatch").put_metric_alarm(AlarmName="cp/errors", **measured, **compared, **actions)


def terminate_an_instance_by_an_alarm(a: Account) -> None:
    put_alarm(a, AlarmActions=[OWN_TOPIC, f"arn:aws:automate:{runs.REGION}:ec2:terminate"])


def scale_the_group_of_others_by_an_alarm(a: Account) -> None:
    group = "autoScalingGroupName/theirs:policyName/in"
    put_alarm(a, OKActions=[LOCAL_ARN % ("autoscaling", f"scalingPolicy:1:{group}")])


def call_the_function_of_others_by_an_alarm(a: Account) -> None:
    put_alarm(a, InsufficientDataActions=[LOCAL_ARN % ("lambda", "function:theirs")])


def tell_the_topic_of_others_by_an_alarm(a: Account) -> None:
    put_alarm(a, AlarmActions=[LOCAL_ARN % ("sns", "cp-x-alarms")])


def run_a_task_definition_of_others_in_a_service(a: Account) -> None:
    """It has no role, which would have to be passed."""
    a.client("ecs").update_service(cluster="cp", service="scheduler", taskDefinition="theirs:1")


def run_the_newest_task_definition_of_others_in_a_service(a: Account) -> None:
    a.client("ecs").update_service(cluster="cp", service="scheduler", taskDefinition="theirs")


def run_a_task_definition_of_others_as_a_role_of_ones_own(a: Account) -> None:
    """The boundary of the role says no."""
    a.client("iam").put_role_policy(RoleName="cp-worker", PolicyName="x", PolicyDocument=EVERYTHING)
    a.client("iam").update_assume_role_policy(RoleName="cp-worker", PolicyDocument=TRUST)
    ecs = deploy_role.session(a.attacker.aws, "cp-worker", "attacker").client("ecs")
    ecs.update_service(cluster="cp", service="worker-default", taskDefinition="theirs:1")


def make_a_service_of_a_task_definition_of_others(a: Account) -> None:
    service = {"cluster": "cp", "serviceName": "theirs", "taskDefinition": "theirs:1"}
    a.client("ecs").create_service(**service, **in_subnet(a["subnet"]))


def run_a_task_with_a_role_of_others_in_a_service(a: Account) -> None:
    a.client("ecs").update_service(cluster="cp", service="scheduler", taskDefinition="theirs-with-role:1")


def connect_the_network_to_a_service_of_others(a: Account) -> None:
    a.client("ec2").create_vpc_endpoint(
        VpcId=a["own vpc"],
        VpcEndpointType="Interface",
        ServiceName=f"com.amazonaws.vpce.{runs.REGION}.vpce-svc-0123456789abcdef0",
        TagSpecifications=[{"ResourceType": "vpc-endpoint", "Tags": tags(OURS)}],
    )


def send_flow_logs_to_a_bucket_of_others(a: Account) -> None:
    a.client("ec2").create_flow_logs(
        ResourceIds=[a["own vpc"]],
        ResourceType="VPC",
        TrafficType="ALL",
        LogDestinationType="s3",
        LogDestination=f"arn:aws:s3:::cp-x-logs-{ACCOUNT}",
        TagSpecifications=[{"ResourceType": "vpc-flow-log", "Tags": tags(OURS)}],
    )


def get_a_certificate_of_a_private_authority(a: Account) -> None:
    authority = LOCAL_ARN % ("acm-pca", "certificate-authority/theirs")
    a.client("acm").request_certificate(DomainName=DOMAIN, CertificateAuthorityArn=authority, Tags=tags(OURS))


def get_a_certificate_for_a_name_of_others(a: Account) -> None:
    """ACM issues it at once where the record of a former certificate for that name is still there."""
    a.client("acm").request_certificate(DomainName=DOMAIN, SubjectAlternativeNames=[OTHERS_DOMAIN], Tags=tags(OURS))


ATTACKS: list[Callable[[Account], None]] = [
    tag_a_foreign_vpc_and_delete_it,
    build_in_a_foreign_vpc,
    open_a_foreign_security_group,
    close_a_foreign_security_group,
    take_the_tag_off,
    take_all_tags_off,
    hand_a_vpc_to_another_environment,
    make_a_vpc_of_another_environment,
    make_a_role_without_the_boundary,
    make_a_role_with_another_boundary,
    make_a_role_of_another_name,
    attach_administrator_access,
    attach_the_boundary_as_a_policy,
    take_the_boundary_off,
    change_the_boundary_of_a_role,
    change_the_boundary_itself,
    change_the_deploy_role,
    let_a_role_without_the_boundary_do_everything,
    be_trusted_by_a_role_without_the_boundary,
    become_a_role_that_may_do_everything,
    pass_a_role_of_others_to_tasks,
    delete_another_database,
    read_another_database_by_its_snapshot,
    change_tags_of_another_snapshot,
    delete_another_certificate,
    make_another_certificate_ones_own,
    delete_another_log_group,
    delete_the_log_group_of_another_database,
    delete_another_alarm,
    delete_another_dashboard,
    delete_the_key_of_another_environment,
    make_another_key_ones_own_and_delete_it,
    delete_another_namespace,
    delete_another_queue,
    make_another_queue_ones_own,
    read_another_secret,
    make_a_secret_in_the_name_of_rds,
    delete_another_bucket,
    read_task_logs,
    delete_another_repository,
    delete_another_cluster,
    delete_another_topic,
    run_a_task_in_another_cluster,
    take_over_another_name_of_the_zone,
    take_over_mail_of_the_domain,
    take_over_a_name_of_another_zone,
    terminate_an_instance_by_an_alarm,
    scale_the_group_of_others_by_an_alarm,
    call_the_function_of_others_by_an_alarm,
    tell_the_topic_of_others_by_an_alarm,
    run_a_task_definition_of_others_in_a_service,
    run_the_newest_task_definition_of_others_in_a_service,
    run_a_task_definition_of_others_as_a_role_of_ones_own,
    make_a_service_of_a_task_definition_of_others,
    run_a_task_with_a_role_of_others_in_a_service,
    connect_the_network_to_a_service_of_others,
    send_flow_logs_to_a_bucket_of_others,
    get_a_certificate_of_a_private_authority,
    get_a_certificate_for_a_name_of_others,
]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_the_attack_is_refused(account: Account, attack: Callable[[Account], None]) -> None:
    with pytest.raises(ClientError) as refused:
        attack(account)
    assert "is not authorized to perform" in str(refused.value), refused.value


@pytest.mark.parametrize("role", ["cp-worker", "cp-worker-team", "cp-flow-logs", "cp-rds-monitoring", "cpx-scheduler"])
def test_a_role_is_passed_to_the_service_that_uses_it_alone(account: Account, role: str) -> None:
    """Lambda and EC2 would run code of the deployer's with its rights."""
    users = {"cp-flow-logs": "vpc-flow-logs", "cp-rds-monitoring": "monitoring.rds", "cpx-scheduler": "nobody"}
    services = ("ecs-tasks", "lambda", "ec2", "monitoring.rds", "vpc-flow-logs", "cloudformation", "sagemaker")
    arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
    allowed = {
        service
        for service in services
        if evaluate(
            Principal("arn:aws:sts::1:assumed-role/deploy/me", ACCOUNT),
            Request.of("iam:PassRole", arn, {"iam:PassedToService": f"{service}.amazonaws.com"}),
            Policies([parse(document) for document in account.documents.values()]),
        ).allowed
    }
    assert allowed == {users.get(role, "ecs-tasks")} - {"nobody"}


def test_what_is_ones_own_is_changed(account: Account) -> None:
    """The refusals are not those of somebody who may do nothing."""
    ec2 = account.client("ec2")
    ec2.create_tags(Resources=[account["own vpc"]], Tags=tags({"team": "data", **OURS}))
    ec2.delete_tags(Resources=[account["own vpc"]], Tags=[{"Key": "team"}])
    change_record(account, "zone", DOMAIN)
    change_record(account, "zone", f"_1a2b.{DOMAIN}", "CNAME", "_3c4d.acm-validations.aws")
    account.client("acm").request_certificate(DomainName=DOMAIN, Tags=tags(OURS))
    put_alarm(account)
    put_alarm(account, AlarmActions=[OWN_TOPIC], OKActions=[GIVEN_TOPIC])
    service = {"cluster": "cp", "service": "scheduler"}
    account.client("ecs").update_service(**service, desiredCount=0)
    account.client("ecs").update_service(**service, taskDefinition="cp-scheduler:1")
    account.client("iam").put_role_policy(RoleName="cp-worker", PolicyName="x", PolicyDocument=EVERYTHING)
