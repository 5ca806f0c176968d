# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which rights calls of boto3 need, service by service."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.unit.local_aws.iam.messages import call
from botocore.serialize import create_serializer
from sm2a_local_aws.iam.policy.evaluation import Request
from sm2a_local_aws.iam.request import calls, members, reading, routes
from sm2a_local_aws.iam.request.calls import Form, Message
from sm2a_local_aws.iam.request.reading import Unreadable, identify
from sm2a_local_aws.iam.rights import required as requests
from sm2a_local_aws.iam.rights.existing import Place

HERE = Place("eu-west-1", "111122223333")
KEY = HERE.arn("kms", "key/1")
OURS = {"sm2a:environment": "staging"}
TAG = [{"Key": "sm2a:environment", "Value": "staging"}]
SECRET = HERE.arn("secretsmanager", "secret:staging/config/fernet-a1b2c3")
LOAD_BALANCER = HERE.arn("elasticloadbalancing", "loadbalancer/app/staging/1")
ROLE = "arn:aws:iam::111122223333:role/sm2a/staging-worker"
NETWORK_ACL = HERE.arn("ec2", "network-acl/acl-1")
CHANGES = "route53:changeresourcerecordsets"
RECORDS = {
    "HostedZoneId": "Z1",
    "ChangeBatch": {
        "Changes": [
            {"Action": "UPSERT", "ResourceRecordSet": {"Name": "A.b.", "Type": "A"}},
            {"Action": "UPSERT", "ResourceRecordSet": {"Name": "*.b", "Type": "CNAME"}},
        ]
    },
}
ALARM = {"AlarmName": "staging/a", "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold"}
FLOW_LOG = {"ResourceIds": ["vpc-1"], "ResourceType": "VPC", "TrafficType": "ALL"}
ENDPOINT = {"VpcId": "vpc-1"}
OF_AWS, OF_OTHERS = "com.amazonaws.eu-west-1.s3", "com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef0"
CREATED_VPC = HERE.arn("ec2", "vpc/*")


@dataclass
class Account:
    """An account with a few resources."""

    tagged: dict[str, dict[str, str]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    used: bool = True

    def tags(self, arn: str) -> dict[str, str]:
        return self.tagged.get(arn, {})

    def arn_of_role(self, name: str) -> str | None:
        return ROLE if name == "staging-worker" else None

    def boundary_of_role(self, name: str) -> str | None:
        return "arn:aws:iam::111122223333:policy/boundary" if name == "staging-worker" else None

    def vpc_of(self, identifier: str) -> str | None:
        return "vpc-1" if identifier == "sg-1" else None

    def arn_of_secret(self, name_or_arn: str) -> str | None:
        return SECRET if "fernet" in name_or_arn else None

    def arn_of_key(self, reference: str) -> str | None:
        return KEY if reference in ("1", "alias/staging", KEY) else None

    def aliases_of_key(self, arn: str) -> list[str]:
        return ["alias/staging"] if arn == KEY else []

    def arn_of_task_definition(self, family: str) -> str | None:
        return HERE.arn("ecs", f"task-definition/{family}:7")

    def arn_of_web_acl(self, _name: str) -> str | None:
        return None

    def arn_of_associated_web_acl(self, _resource: str) -> str | None:
        return None

    def members_of_association(self, association: str) -> list[str]:
        return ["acl-1", "subnet-1"] if association == "aclassoc-1" else ["rtb-1", "subnet-1"]

    def key_of(self, arn: str) -> str | None:
        return self.keys.get(arn)

    def roles_of_task_definition(self, _arn: str) -> list[str]:
        return [ROLE]

    def service_linked_role(self, _service: str) -> bool:
        return self.used


def needed(name: str, method: str, account: Account | None = None, /, **parameters: Any) -> list[Request]:
    return requests.of(call(name, method, **parameters), HERE, account or Account())


def rights(name: str, method: str, /, **parameters: Any) -> set[tuple[str, str]]:
    """(action, resource); a resource of this place by its last part."""
    here = HERE.arn("", "").replace("arn:aws:", "")
    return {
        (one.action, one.resource.replace(f"arn:aws:{one.action.partition(':')[0]}{here}", ""))
        for one in needed(name, method, **parameters)
    }


@pytest.mark.parametrize(
    ("service", "method", "parameters", "expected"),
    [
        ("sts", "get_caller_identity", {}, set()),
        ("sts", "assume_role", {"RoleArn": ROLE, "RoleSessionName": "session"}, {("sts:AssumeRole", ROLE)}),
        (
            "secretsmanager",
            "get_secret_value",
            {"SecretId": "staging/config/fernet"},
            {("secretsmanager:GetSecretValue", "secret:staging/config/fernet-a1b2c3")},
        ),
        ("secretsmanager", "get_secret_value", {"SecretId": "a"}, {("secretsmanager:GetSecretValue", "secret:a")}),
        ("secretsmanager", "list_secrets", {}, {("secretsmanager:ListSecrets", "*")}),
        ("s3", "get_object", {"Bucket": "b-1", "Key": "a/b c"}, {("s3:GetObject", "arn:aws:s3:::b-1/a/b c")}),
        (
            "s3",
            "get_object",
            {"Bucket": "b-1", "Key": "a", "VersionId": "1"},
            {("s3:GetObjectVersion", "arn:aws:s3:::b-1/a")},
        ),
        ("s3", "head_object", {"Bucket": "b-1", "Key": "a"}, {("s3:GetObject", "arn:aws:s3:::b-1/a")}),
        ("s3", "head_bucket", {"Bucket": "b-1"}, {("s3:ListBucket", "arn:aws:s3:::b-1")}),
        ("s3", "list_objects_v2", {"Bucket": "b-1"}, {("s3:ListBucket", "arn:aws:s3:::b-1")}),
        ("s3", "list_buckets", {}, {("s3:ListAllMyBuckets", "*")}),
        ("s3", "put_object", {"Bucket": "b-1", "Key": "a", "Body": b"x"}, {("s3:PutObject", "arn:aws:s3:::b-1/a")}),
        (
            "s3",
            "delete_objects",
            {"Bucket": "b-1", "Delete": {"Objects": [{"Key": "a"}, {"Key": "b"}]}},
            {("s3:DeleteObject", "arn:aws:s3:::b-1/a"), ("s3:DeleteObject", "arn:aws:s3:::b-1/b")},
        ),
        (
            "s3",
            "copy_object",
            {"Bucket": "b-1", "Key": "a", "CopySource": "b-2/c"},
            {("s3:PutObject", "arn:aws:s3:::b-1/a"), ("s3:GetObject", "arn:aws:s3:::b-2/c")},
        ),
        ("s3", "delete_bucket_lifecycle", {"Bucket": "b-1"}, {("s3:PutLifecycleConfiguration", "arn:aws:s3:::b-1")}),
        (
            "sqs",
            "send_message",
            {"QueueUrl": "http://127.0.0.1:4566/111122223333/q", "MessageBody": "x"},
            {("sqs:SendMessage", "q")},
        ),
        ("sqs", "get_queue_url", {"QueueName": "q"}, {("sqs:GetQueueUrl", "q")}),
        ("ecs", "update_service", {"cluster": "c", "service": "s"}, {("ecs:UpdateService", "service/c/s")}),
        (
            "ecs",
            "update_service",
            {"cluster": "c", "service": "s", "taskDefinition": "f:1"},
            {("ecs:UpdateService", "service/c/s"), ("iam:PassRole", ROLE)},
        ),
        (
            "ecs",
            "describe_services",
            {"cluster": HERE.arn("ecs", "cluster/c"), "services": ["s", "t"]},
            {("ecs:DescribeServices", "service/c/s"), ("ecs:DescribeServices", "service/c/t")},
        ),
        ("ecs", "stop_task", {"cluster": "c", "task": "1"}, {("ecs:StopTask", "task/c/1")}),
        ("ecs", "describe_tasks", {"cluster": "c", "tasks": ["1"]}, {("ecs:DescribeTasks", "task/c/1")}),
        ("ecs", "create_cluster", {"clusterName": "c"}, {("ecs:CreateCluster", "cluster/c")}),
        (
            "ecs",
            "run_task",
            {"cluster": "c", "taskDefinition": "f", "tags": [{"key": "a", "value": "b"}]},
            {
                ("ecs:RunTask", "task-definition/f:7"),
                ("ecs:TagResource", "task/c/*"),
                ("iam:PassRole", ROLE),
            },
        ),
        ("ec2", "describe_vpcs", {}, {("ec2:DescribeVpcs", "*")}),
        (
            "ec2",
            "create_flow_logs",
            {**FLOW_LOG, "LogDestinationType": "s3", "LogDestination": "arn:aws:s3:::b-1"},
            {
                ("ec2:CreateFlowLogs", "vpc/vpc-1"),
                ("ec2:CreateFlowLogs", "vpc-flow-log/*"),
                ("logs:CreateLogDelivery", "*"),
            },
        ),
        (
            "ec2",
            "create_route",
            {"RouteTableId": "rtb-1", "GatewayId": "igw-1"},
            {("ec2:CreateRoute", "route-table/rtb-1")},
        ),
        (
            "ec2",
            "authorize_security_group_ingress",
            {"GroupId": "sg-1", "IpPermissions": [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-2"}]}]},
            {("ec2:AuthorizeSecurityGroupIngress", "security-group/sg-1")},
        ),
        (
            "ec2",
            "create_subnet",
            {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24"},
            {("ec2:CreateSubnet", "vpc/vpc-1"), ("ec2:CreateSubnet", "subnet/*")},
        ),
        (
            "ec2",
            "replace_network_acl_association",
            {"AssociationId": "aclassoc-1", "NetworkAclId": "acl-2"},
            {
                ("ec2:ReplaceNetworkAclAssociation", "network-acl/acl-1"),
                ("ec2:ReplaceNetworkAclAssociation", "network-acl/acl-2"),
                ("ec2:ReplaceNetworkAclAssociation", "subnet/subnet-1"),
            },
        ),
        (
            "ec2",
            "create_vpc_endpoint",
            {"VpcId": "vpc-1", "ServiceName": "x", "SubnetIds": ["subnet-1"], "PrivateDnsEnabled": True},
            {
                ("ec2:CreateVpcEndpoint", "vpc/vpc-1"),
                ("ec2:CreateVpcEndpoint", "subnet/subnet-1"),
                ("ec2:CreateVpcEndpoint", "vpc-endpoint/*"),
                ("route53:AssociateVPCWithHostedZone", "arn:aws:route53:::hostedzone/*"),
            },
        ),
        (
            "ec2",
            "create_flow_logs",
            {
                "ResourceIds": ["vpc-1"],
                "ResourceType": "VPC",
                "TrafficType": "ALL",
                "DeliverLogsPermissionArn": ROLE,
                "LogGroupName": "l",
            },
            {("ec2:CreateFlowLogs", "vpc/vpc-1"), ("ec2:CreateFlowLogs", "vpc-flow-log/*"), ("iam:PassRole", ROLE)},
        ),
        (
            "elbv2",
            "add_tags",
            {"ResourceArns": [HERE.arn("elasticloadbalancing", "targetgroup/t/1")], "Tags": TAG},
            {("elasticloadbalancing:AddTags", "targetgroup/t/1")},
        ),
        (
            "elbv2",
            "create_target_group",
            {"Name": "t", "Tags": TAG},
            {
                ("elasticloadbalancing:CreateTargetGroup", "targetgroup/t/*"),
                ("elasticloadbalancing:AddTags", "targetgroup/t/*"),
                ("ec2:DescribeVpcs", "*"),
            },
        ),
        (
            "elbv2",
            "create_listener",
            {"LoadBalancerArn": LOAD_BALANCER, "DefaultActions": [{"Type": "forward"}], "Tags": TAG},
            {
                ("elasticloadbalancing:CreateListener", "loadbalancer/app/staging/1"),
                ("elasticloadbalancing:AddTags", "listener/app/staging/1/*"),
            },
        ),
        (
            "elbv2",
            "create_rule",
            {
                "ListenerArn": f"{LOAD_BALANCER.replace(':loadbalancer', ':listener')}/2",
                "Conditions": [],
                "Priority": 1,
                "Actions": [{"Type": "forward"}],
                "Tags": TAG,
            },
            {
                ("elasticloadbalancing:CreateRule", "listener/app/staging/1/2"),
                ("elasticloadbalancing:AddTags", "listener-rule/app/staging/1/2/*"),
            },
        ),
        (
            "wafv2",
            "associate_web_acl",
            {"WebACLArn": HERE.arn("wafv2", "regional/webacl/w/1"), "ResourceArn": LOAD_BALANCER},
            {
                ("wafv2:AssociateWebACL", "regional/webacl/w/1"),
                ("wafv2:AssociateWebACL", LOAD_BALANCER),
                ("elasticloadbalancing:SetWebAcl", "*"),
                ("elasticloadbalancing:CreateWebACLAssociation", "loadbalancer/app/staging/1"),
            },
        ),
        ("rds", "describe_db_instances", {}, {("rds:DescribeDBInstances", "db:*")}),
        ("rds", "describe_db_instances", {"DBInstanceIdentifier": "d"}, {("rds:DescribeDBInstances", "db:d")}),
        (
            "rds",
            "delete_db_instance",
            {"DBInstanceIdentifier": "d", "FinalDBSnapshotIdentifier": "f"},
            {
                ("rds:DeleteDBInstance", "db:d"),
                ("rds:CreateDBSnapshot", "db:d"),
                ("rds:CreateDBSnapshot", "snapshot:f"),
            },
        ),
        (
            "kms",
            "create_key",
            {"Tags": [{"TagKey": "a", "TagValue": "b"}]},
            {("kms:CreateKey", "*"), ("kms:TagResource", "key/*")},
        ),
        ("kms", "describe_key", {"KeyId": "alias/staging"}, {("kms:DescribeKey", "key/1")}),
        (
            "kms",
            "create_alias",
            {"AliasName": "alias/n", "TargetKeyId": "1"},
            {("kms:CreateAlias", "alias/n"), ("kms:CreateAlias", "key/1")},
        ),
        ("iam", "get_role", {"RoleName": "staging-worker"}, {("iam:GetRole", ROLE)}),
        # Before it exists, AWS does not know its path either.
        ("iam", "get_role", {"RoleName": "new"}, {("iam:GetRole", HERE.role_arn("new"))}),
        (
            "iam",
            "create_role",
            {"RoleName": "new", "Path": "/sm2a/", "AssumeRolePolicyDocument": "{}", "Tags": TAG},
            {("iam:CreateRole", HERE.role_arn("new", "/sm2a/")), ("iam:TagRole", HERE.role_arn("new", "/sm2a/"))},
        ),
        (
            "logs",
            "create_log_group",
            {"logGroupName": "/sm2a/l", "tags": {"a": "b"}},
            {("logs:CreateLogGroup", "log-group:/sm2a/l:log-stream:"), ("logs:TagResource", "log-group:/sm2a/l")},
        ),
        (
            "logs",
            "put_log_events",
            {"logGroupName": "l", "logStreamName": "s", "logEvents": [{"timestamp": 1, "message": "m"}]},
            {("logs:PutLogEvents", "log-group:l:log-stream:s")},
        ),
        ("logs", "describe_log_groups", {}, {("logs:DescribeLogGroups", "log-group::log-stream:")}),
        ("cloudwatch", "describe_alarms", {}, {("cloudwatch:DescribeAlarms", "alarm:*")}),
        ("cloudwatch", "delete_alarms", {"AlarmNames": ["a"]}, {("cloudwatch:DeleteAlarms", "alarm:a")}),
        (
            "cloudwatch",
            "put_dashboard",
            {"DashboardName": "d", "DashboardBody": "{}"},
            {("cloudwatch:PutDashboard", "arn:aws:cloudwatch::111122223333:dashboard/d")},
        ),
        ("sns", "create_topic", {"Name": "t", "Tags": TAG}, {("sns:CreateTopic", "t"), ("sns:TagResource", "t")}),
        ("sns", "unsubscribe", {"SubscriptionArn": HERE.arn("sns", "t:1")}, {("sns:Unsubscribe", "t")}),
        ("ecr", "get_authorization_token", {}, {("ecr:GetAuthorizationToken", "*")}),
        (
            "ecr",
            "describe_repositories",
            {"repositoryNames": ["n/a"]},
            {("ecr:DescribeRepositories", "repository/n/a")},
        ),
        (
            "acm",
            "request_certificate",
            {"DomainName": "a.b", "Tags": TAG},
            {("acm:RequestCertificate", "*"), ("acm:AddTagsToCertificate", "certificate/*")},
        ),
        (
            "route53",
            "list_resource_record_sets",
            {"HostedZoneId": "/hostedzone/Z1"},
            {("route53:ListResourceRecordSets", "arn:aws:route53:::hostedzone/Z1")},
        ),
        (
            "servicediscovery",
            "delete_namespace",
            {"Id": "ns-1"},
            {("servicediscovery:DeleteNamespace", "namespace/ns-1")},
        ),
        ("servicediscovery", "get_service", {"Id": "srv-1"}, {("servicediscovery:GetService", "service/srv-1")}),
        ("dynamodb", "list_tables", {}, {("dynamodb:ListTables", "*")}),
    ],
)
def test_rights(service: str, method: str, parameters: dict[str, Any], expected: set[tuple[str, str]]) -> None:
    assert rights(service, method, **parameters) == expected


def test_tags_of_what_is_made_and_of_what_it_is_made_in() -> None:
    account = Account(tagged={HERE.arn("ec2", "vpc/vpc-1"): OURS})
    specification = [{"ResourceType": "subnet", "Tags": TAG}]
    subnet, vpc, tags = sorted(
        needed(
            "ec2", "create_subnet", account, VpcId="vpc-1", CidrBlock="10.0.0.0/24", TagSpecifications=specification
        ),
        key=lambda one: (one.action == "ec2:CreateTags", one.resource),
    )
    assert subnet.context["aws:requesttag/sm2a:environment"] == "staging"
    assert "aws:resourcetag/sm2a:environment" not in subnet.context
    assert vpc.context["aws:resourcetag/sm2a:environment"] == "staging"
    assert vpc.context["ec2:resourcetag/sm2a:environment"] == "staging"
    assert "aws:requesttag/sm2a:environment" not in vpc.context
    assert (tags.action, tags.resource) == ("ec2:CreateTags", HERE.arn("ec2", "subnet/*"))
    assert tags.context["ec2:createaction"] == "CreateSubnet"
    assert tags.context["aws:tagkeys"] == ("sm2a:environment",)


def test_tags_of_a_resource_that_gets_others() -> None:
    account = Account(tagged={HERE.arn("ec2", "vpc/vpc-1"): {"a": "b"}})
    (request,) = needed("ec2", "create_tags", account, Resources=["vpc-1"], Tags=TAG)
    assert request.resource == HERE.arn("ec2", "vpc/vpc-1")
    assert "ec2:createaction" not in request.context
    assert request.context["aws:requesttag/sm2a:environment"] == "staging"
    assert request.context["aws:resourcetag/a"] == "b"


@pytest.mark.parametrize(
    ("service", "method", "parameters", "key", "value"),
    [
        ("ecs", "list_tasks", {"cluster": "c"}, "ecs:cluster", HERE.arn("ecs", "cluster/c")),
        ("ecs", "list_tasks", {"cluster": "c", "family": "f"}, "ecs:cluster", HERE.arn("ecs", "cluster/c")),
        ("ecs", "describe_clusters", {"clusters": ["c"]}, "ecs:cluster", None),
        (
            "ecs",
            "update_service",
            {"cluster": "c", "service": "s", "taskDefinition": "f"},
            "ecs:task-definition",
            HERE.arn("ecs", "task-definition/f:7"),
        ),
        ("ecs", "update_service", {"cluster": "c", "service": "s"}, "ecs:task-definition", None),
        ("cloudwatch", "put_metric_alarm", ALARM, "cloudwatch:alarmactions", None),
        (
            "cloudwatch",
            "put_metric_alarm",
            {**ALARM, "AlarmActions": ["a", "b"], "OKActions": ["a"], "InsufficientDataActions": ["c"]},
            "cloudwatch:alarmactions",
            ("a", "b", "c"),
        ),
        ("ec2", "create_vpc_endpoint", {**ENDPOINT, "ServiceName": OF_AWS}, "ec2:vpceserviceowner", "amazon"),
        ("ec2", "create_vpc_endpoint", {**ENDPOINT, "ServiceName": OF_OTHERS}, "ec2:vpceserviceowner", HERE.account),
        ("ec2", "describe_vpcs", {}, "ec2:vpceserviceowner", None),
        (
            "acm",
            "request_certificate",
            {"DomainName": "a.b", "CertificateAuthorityArn": HERE.arn("acm-pca", "certificate-authority/1")},
            "acm:certificateauthority",
            HERE.arn("acm-pca", "certificate-authority/1"),
        ),
        ("s3", "put_object", {"Bucket": "b-1", "Key": "a", "IfNoneMatch": "*"}, "s3:if-none-match", "*"),
        ("ecs", "stop_task", {"cluster": "c", "task": "1"}, "ecs:cluster", HERE.arn("ecs", "cluster/c")),
        ("s3", "list_objects_v2", {"Bucket": "b-1", "Prefix": "a/b"}, "s3:prefix", "a/b"),
        ("s3", "list_objects_v2", {"Bucket": "b-1"}, "s3:prefix", None),
        ("s3", "get_object", {"Bucket": "b-1", "Key": "a"}, "aws:securetransport", "true"),
        (
            "iam",
            "attach_role_policy",
            {"RoleName": "staging-worker", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
            "iam:policyarn",
            "arn:aws:iam::aws:policy/AdministratorAccess",
        ),
        (
            "iam",
            "put_role_policy",
            {"RoleName": "staging-worker", "PolicyName": "p", "PolicyDocument": "{}"},
            "iam:permissionsboundary",
            "arn:aws:iam::111122223333:policy/boundary",
        ),
        (
            "iam",
            "create_role",
            {"RoleName": "new", "AssumeRolePolicyDocument": "{}", "PermissionsBoundary": "arn:aws:iam::1:policy/b"},
            "iam:permissionsboundary",
            "arn:aws:iam::1:policy/b",
        ),
        ("iam", "create_role", {"RoleName": "new", "AssumeRolePolicyDocument": "{}"}, "iam:permissionsboundary", None),
        ("ec2", "delete_security_group", {"GroupId": "sg-1"}, "ec2:vpc", HERE.arn("ec2", "vpc/vpc-1")),
        ("secretsmanager", "create_secret", {"Name": "n", "SecretString": "s"}, "secretsmanager:name", "n"),
        (
            "ecr",
            "tag_resource",
            {"resourceArn": HERE.arn("ecr", "repository/r"), "tags": TAG},
            "aws:tagkeys",
            ("sm2a:environment",),
        ),
        ("kms", "describe_key", {"KeyId": "1"}, "kms:resourcealiases", ("alias/staging",)),
        ("kms", "describe_key", {"KeyId": "2"}, "kms:resourcealiases", None),
        ("route53", "change_resource_record_sets", RECORDS, f"{CHANGES}normalizedrecordnames", ("a.b", r"\052.b")),
        ("route53", "change_resource_record_sets", RECORDS, f"{CHANGES}recordtypes", ("A", "CNAME")),
        ("route53", "change_resource_record_sets", RECORDS, f"{CHANGES}actions", ("UPSERT",)),
    ],
)
def test_context(service: str, method: str, parameters: dict[str, Any], key: str, value: Any) -> None:
    request = needed(service, method, **parameters)[0]
    assert request.context.get(key) == value


@pytest.mark.parametrize(
    ("service", "method", "parameters", "encrypted", "uses"),
    [
        ("secretsmanager", "get_secret_value", {"SecretId": "fernet"}, SECRET, {"Decrypt"}),
        ("secretsmanager", "create_secret", {"Name": "n", "KmsKeyId": KEY}, "", {"Decrypt", "GenerateDataKey"}),
        ("secretsmanager", "describe_secret", {"SecretId": "fernet"}, SECRET, set()),
        ("s3", "get_object", {"Bucket": "b-1", "Key": "a"}, "arn:aws:s3:::b-1/a", {"Decrypt"}),
        ("s3", "put_object", {"Bucket": "b-1", "Key": "a", "Body": b""}, "arn:aws:s3:::b-1/a", {"GenerateDataKey"}),
        (
            "sqs",
            "receive_message",
            {"QueueUrl": "http://127.0.0.1:4566/111122223333/q"},
            HERE.arn("sqs", "q"),
            {"Decrypt"},
        ),
        (
            "rds",
            "create_db_instance",
            {"DBInstanceIdentifier": "d", "DBInstanceClass": "c", "Engine": "postgres", "KmsKeyId": KEY},
            "",
            {"CreateGrant", "DescribeKey"},
        ),
        (
            "ecr",
            "create_repository",
            {"repositoryName": "repository", "encryptionConfiguration": {"encryptionType": "KMS", "kmsKey": KEY}},
            "",
            {"CreateGrant", "DescribeKey"},
        ),
    ],
)
def test_keys_are_used_through_the_service(
    service: str, method: str, parameters: dict[str, Any], encrypted: str, uses: set[str]
) -> None:
    found = needed(service, method, Account(keys={encrypted: KEY}), **parameters)
    of_key = [one for one in found if one.action.startswith("kms:")]
    assert {one.action.partition(":")[2] for one in of_key} == uses
    assert {one.resource for one in of_key} <= {KEY}
    assert {one.context["kms:viaservice"] for one in of_key} <= {f"{service}.eu-west-1.amazonaws.com"}


def test_a_managed_master_password() -> None:
    found = rights(
        "rds",
        "create_db_instance",
        DBInstanceIdentifier="d",
        DBInstanceClass="c",
        Engine="postgres",
        MonitoringRoleArn=ROLE,
        ManageMasterUserPassword=True,
        MasterUserSecretKmsKeyId=KEY,
        DBSubnetGroupName="g",
        Tags=TAG,
    )
    assert {one for one in found if one[0] == "rds:AddTagsToResource"} == {("rds:AddTagsToResource", "db:d")}
    secret = HERE.arn("secretsmanager", "secret:rds!db-*")
    assert ("secretsmanager:CreateSecret", secret.replace(HERE.arn("secretsmanager", ""), "")) in found
    assert ("kms:GenerateDataKey", "key/1") in found
    assert ("iam:PassRole", ROLE) in found
    assert ("rds:CreateDBInstance", "og:default:*") in found


def test_the_first_use_of_a_service() -> None:
    first = needed("ecs", "create_cluster", Account(used=False), clusterName="c")
    (linked,) = [one for one in first if one.action == "iam:CreateServiceLinkedRole"]
    assert linked.resource == HERE.role_arn("*", "/aws-service-role/ecs.amazonaws.com/")
    assert linked.context["iam:awsservicename"] == "ecs.amazonaws.com"


def test_parameters_in_two_places_are_refused() -> None:
    """MiniStack's services do not agree on which of the two they take."""
    message = Message(
        "POST", "/", "Action=ListRoles", {"content-type": "application/x-www-form-urlencoded"}, b"Action=CreateUser"
    )
    with pytest.raises(ValueError, match="not in both"):
        identify("iam", message)


def sample(shape: Any, within: tuple[str, ...] = ()) -> Any:
    """A value of a shape, with every member; a shape within itself is left empty."""
    if shape.type_name == "structure":
        inner = () if shape.name in within else shape.members.items()
        return {name: sample(member, (*within, shape.name)) for name, member in inner}
    if shape.type_name == "list":
        return [] if shape.name in within else [sample(shape.member, (*within, shape.name))] * 2
    if shape.type_name == "map":
        return {key: sample(shape.value, (*within, shape.name)) for key in ("a", "b")}
    return SAMPLES.get(shape.type_name, 1)


SAMPLES = {"string": "x", "blob": b"x", "boolean": True, "timestamp": datetime(2026, 11, 30, tzinfo=UTC)}


@pytest.mark.parametrize("service", ["ec2", "elbv2", "rds", "iam", "sts", "sns"])
def test_all_that_boto3_can_send_in_a_form_is_handed_on(service: str) -> None:
    """What the form's reading passes over, MiniStack does not get."""
    model = routes.model(service)
    serializer = create_serializer("ec2" if service == "ec2" else "query", include_validation=False)
    for name in model.operation_names:
        operation = model.operation_model(name)
        if operation.input_shape is not None:
            sent = serializer.serialize_to_request(sample(operation.input_shape), operation)["body"]
            form = Form({key: str(value) for key, value in sent.items()})
            calls.from_form(service, operation.input_shape, form)
            assert set(form) - form.used == {"Action", "Version"}, name


@pytest.mark.parametrize(
    "body",
    [
        b'{"SecretId": "a", "SecretId": "b"}',
        b'{"SecretId": ["a"]}',
        b'{"SecretId": NaN}',
        b"[]",
        b"{",
        b"\xff",
        b"[" * 100_000,
    ],
    ids=repr,
)
def test_a_body_that_can_be_read_in_two_ways_is_not_read(body: bytes) -> None:
    headers = {"x-amz-target": "secretsmanager.GetSecretValue", "content-type": "application/x-amz-json-1.1"}
    with pytest.raises(Unreadable) as caught:
        identify("secretsmanager", Message("POST", "/", "", headers, body))
    assert caught.value.code == "SerializationException"


@pytest.mark.parametrize(
    "xml",
    [
        "<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>",
        '<Delete><Object><Key>a</Key></Object><Object xmlns="x"><Key>b</Key></Object></Delete>',
        "<Delete>",
    ],
)
def test_xml_that_can_be_read_in_two_ways_is_not_read(xml: str) -> None:
    with pytest.raises(Unreadable):
        identify("s3", Message("POST", "/bucket", "delete=", {}, xml.encode()))


@pytest.mark.parametrize("number", ["0", "2", "01", "x", ""])
def test_an_item_that_ministack_would_not_find_is_not_judged(number: str) -> None:
    body = f"Action=CreateRole&RoleName=a&Tags.member.{number}.Key=sm2a:environment&Tags.member.{number}.Value=staging"
    headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    with pytest.raises(Unreadable, match="not numbered from 1"):
        identify("iam", Message("POST", "/", "", headers, body.encode()))


def test_a_compressed_body_is_read() -> None:
    headers = {
        "x-amz-target": "GraniteServiceVersion20100801.PutMetricData",
        "content-type": "application/x-amz-json-1.0",
        "content-encoding": "gzip",
    }
    read = reading.read(
        "monitoring", Message("POST", "/", "", headers, gzip.compress(b'{"Namespace": "n", "Unknown": 1}'))
    )
    assert read.call.parameters == {"Namespace": "n"}
    assert "content-encoding" not in read.message.headers
    assert json.loads(read.message.body) == {"Namespace": "n"}


def test_a_tag_is_given_once() -> None:
    with pytest.raises(Unreadable, match="Duplicate tag keys"):
        call("ecs", "create_cluster", clusterName="c", tags=[{"key": "a", "value": "1"}, {"key": "a", "value": "2"}])


@pytest.mark.parametrize(
    "service",
    ["ecs", "sqs", "secretsmanager", "kms", "logs", "cloudwatch", "ecr", "acm", "servicediscovery", "wafv2", "ssm"],
)
def test_all_that_boto3_can_send_as_json_is_handed_on(service: str) -> None:
    model = routes.model(service)
    serializer = create_serializer("json", include_validation=False)
    for name in model.operation_names:
        operation = model.operation_model(name)
        if operation.input_shape is not None:
            sent = members.loads(serializer.serialize_to_request(sample(operation.input_shape), operation)["body"])
            assert members.of_input(operation.input_shape, sent) == sent, name


@pytest.mark.parametrize(("kind", "value"), [("vpc", "staging"), ("subnet", None)])
def test_tags_in_ec2_are_of_the_type_that_they_are_for(kind: str, value: str | None) -> None:
    """Those for another type MiniStack puts on nothing."""
    given = [{"ResourceType": kind, "Tags": TAG}]
    (own,) = [
        one
        for one in needed("ec2", "create_vpc", CidrBlock="10.0.0.0/16", TagSpecifications=given)
        if one.action == "ec2:CreateVpc" and ":vpc/" in one.resource
    ]
    assert own.context.get("aws:requesttag/sm2a:environment") == value
    assert own.context.get("aws:tagkeys") == (("sm2a:environment",) if value else None)
