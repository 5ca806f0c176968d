# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""For each control, what makes an environment that met it fail it: one or two calls of AWS.

Twins of one resource are in the order in which each still finds its control met.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from ansible_collections.sm2a.airflow.tools.audit.environment import Environment, statements

# Spoils the environment, and says how it looks afterwards (the same one, or seen at another time).
Twin = Callable[[Environment], Environment]
TWINS: dict[str, Twin] = {}
PUBLIC = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
LATER = timedelta(days=400)


def twin(*identities: str) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Register a function that spoils the environment for these controls; it gets the id when there are several."""

    def register(spoil: Callable[..., object]) -> Callable[..., object]:
        for identity in identities:

            def run(environment: Environment, identity: str = identity) -> Environment:
                spoil(environment, identity) if len(identities) > 1 else spoil(environment)
                return replace(environment, _clients={})

            TWINS[identity] = run
        return spoil

    return register


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@twin("EC2.2")
def rule_of_the_default_group(environment: Environment) -> None:
    group = next(one["GroupId"] for one in environment.security_groups if one["GroupName"] == "default")
    open_port(environment, group, 8443, "10.0.0.0/8")


@twin("EC2.18", "EC2.19", "EC2.13", "EC2.14")
def open_to_the_world(environment: Environment, identity: str) -> None:
    group = next(one["GroupId"] for one in environment.security_groups if one["GroupName"].endswith("-worker"))
    open_port(environment, group, {"EC2.18": 8443, "EC2.19": 9200, "EC2.13": 22, "EC2.14": 3389}[identity], "0.0.0.0/0")


def open_port(environment: Environment, group: str, port: int, cidr: str) -> None:
    permission = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr}]}
    environment.aws("ec2").authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])


@twin("EC2.6")
def no_flow_log(environment: Environment) -> None:
    logs = environment.in_vpcs("describe_flow_logs", "FlowLogs", "resource-id")
    environment.aws("ec2").delete_flow_logs(FlowLogIds=[one["FlowLogId"] for one in logs])


@twin("EC2.endpoint")
def open_endpoint(environment: Environment) -> None:
    found = environment.in_vpcs("describe_vpc_endpoints", "VpcEndpoints")
    environment.aws("ec2").modify_vpc_endpoint(VpcEndpointId=found[0]["VpcEndpointId"], ResetPolicy=True)


@twin("EC2.10")
def no_endpoint(environment: Environment) -> None:
    found = environment.in_vpcs("describe_vpc_endpoints", "VpcEndpoints")
    environment.aws("ec2").delete_vpc_endpoints(VpcEndpointIds=[one["VpcEndpointId"] for one in found])


@twin("EC2.15")
def public_subnet(environment: Environment) -> None:
    subnet = environment.in_vpcs("describe_subnets", "Subnets")[0]["SubnetId"]
    environment.aws("ec2").modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})


@twin("EC2.21")
def open_acl(environment: Environment) -> None:
    acl = next(one for one in environment.in_vpcs("describe_network_acls", "NetworkAcls") if one["Associations"])
    environment.aws("ec2").create_network_acl_entry(
        NetworkAclId=acl["NetworkAclId"],
        RuleNumber=1,
        Protocol="6",
        PortRange={"From": 22, "To": 22},
        CidrBlock="0.0.0.0/0",
        RuleAction="allow",
        Egress=False,
    )


@twin("EC2.egress")
def free_egress(environment: Environment) -> None:
    group = next(one["GroupId"] for one in environment.security_groups if one["GroupName"].endswith("-worker"))
    permission = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    environment.aws("ec2").authorize_security_group_egress(GroupId=group, IpPermissions=[permission])


@twin("ELB.4", "ELB.5", "ELB.6", "ELB.12")
def load_balancer_attribute(environment: Environment, identity: str) -> None:
    key, value = {
        "ELB.4": ("routing.http.drop_invalid_header_fields.enabled", "false"),
        "ELB.5": ("access_logs.s3.enabled", "false"),
        "ELB.6": ("deletion_protection.enabled", "false"),
        "ELB.12": ("routing.http.desync_mitigation_mode", "monitor"),
    }[identity]
    arn = environment.load_balancers[0]["LoadBalancerArn"]
    attributes = [{"Key": key, "Value": value}]
    environment.aws("elbv2").modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=attributes)


@twin("ELB.1", "ELB.18")
def answers_in_plain_text(environment: Environment, identity: str) -> None:
    listener = next(one["ListenerArn"] for one in environment.listeners if one["Protocol"] == "HTTP")
    action = {
        "ELB.1": {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTP", "Port": "8080", "StatusCode": "HTTP_302"}},
        "ELB.18": {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}},
    }[identity]
    environment.aws("elbv2").modify_listener(ListenerArn=listener, DefaultActions=[action])


@twin("ELB.17")
def old_tls(environment: Environment) -> None:
    listener = next(one["ListenerArn"] for one in environment.listeners if one["Protocol"] == "HTTPS")
    environment.aws("elbv2").modify_listener(ListenerArn=listener, SslPolicy="ELBSecurityPolicy-2016-08")


@twin("RDS.2", "RDS.5", "RDS.6", "RDS.8", "RDS.9", "RDS.10", "RDS.11", "RDS.13", "RDS.17")
def database_attribute(environment: Environment, identity: str) -> None:
    attribute: dict[str, dict[str, Any]] = {
        "RDS.2": {"PubliclyAccessible": True},
        "RDS.5": {"MultiAZ": False},
        "RDS.6": {"MonitoringInterval": 0},
        "RDS.8": {"DeletionProtection": False},
        "RDS.9": {"CloudwatchLogsExportConfiguration": {"DisableLogTypes": ["postgresql"]}},
        "RDS.10": {"EnableIAMDatabaseAuthentication": False},
        "RDS.11": {"BackupRetentionPeriod": 1},
        "RDS.13": {"AutoMinorVersionUpgrade": False},
        "RDS.17": {"CopyTagsToSnapshot": False},
    }
    rds = environment.aws("rds")
    rds.modify_db_instance(DBInstanceIdentifier=environment.name, ApplyImmediately=True, **attribute[identity])


@twin("RDS.38")
def tls_optional(environment: Environment) -> None:
    group = environment.databases[0]["DBParameterGroups"][0]["DBParameterGroupName"]
    off = {"ParameterName": "rds.force_ssl", "ParameterValue": "0", "ApplyMethod": "immediate"}
    environment.aws("rds").modify_db_parameter_group(DBParameterGroupName=group, Parameters=[off])


@twin("RDS.25", "RDS.3", "RDS.23")
def another_database(environment: Environment, identity: str) -> None:
    environment.aws("rds").create_db_instance(
        DBInstanceIdentifier=f"{environment.name}-{identity.lower().replace('.', '-')}",
        DBInstanceClass="db.t4g.micro",
        Engine="postgres",
        AllocatedStorage=20,
        MasterUsername="postgres" if identity == "RDS.25" else "keeper",
        MasterUserPassword="made-for-a-test-only",
        Port=5432 if identity == "RDS.23" else 5499,
        StorageEncrypted=identity != "RDS.3",
    )


@twin("SQS.1", "SQS.3", "SQS.tls", "SQS.visibility", "SQS.redrive")
def queue_attribute(environment: Environment, identity: str) -> None:
    sqs = environment.aws("sqs")
    name = next(name for name, one in environment.queues.items() if "RedrivePolicy" in one)
    kept = statements(environment.queues[name].get("Policy"))
    attributes: dict[str, dict[str, str]] = {
        "SQS.1": {"KmsMasterKeyId": "", "SqsManagedSseEnabled": "false"},
        "SQS.3": {"Policy": policy(*kept, PUBLIC)},
        "SQS.tls": {"Policy": ""},
        "SQS.visibility": {"VisibilityTimeout": "30"},
        "SQS.redrive": {"RedrivePolicy": ""},
    }
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes[identity])


@twin("SNS.1", "SNS.4")
def topic_attribute(environment: Environment, identity: str) -> None:
    arn = next(iter(environment.topics.values()))["TopicArn"]
    name, value = {"SNS.1": ("KmsMasterKeyId", ""), "SNS.4": ("Policy", policy(PUBLIC))}[identity]
    environment.aws("sns").set_topic_attributes(TopicArn=arn, AttributeName=name, AttributeValue=value)


@twin("SecretsManager.readers")
def secret_for_whom_iam_allows(environment: Environment) -> None:
    arn = next(one["ARN"] for one in environment.secrets if one["Name"].endswith("/config/jwt_secret"))
    kept = statements(environment.aws("secretsmanager").get_resource_policy(SecretId=arn)["ResourcePolicy"])
    account_only = policy(*(one for one in kept if one["Sid"] == "ThisAccountOnly"))
    environment.aws("secretsmanager").put_resource_policy(SecretId=arn, ResourcePolicy=account_only)


@twin("SecretsManager.key")
def secret_with_the_key_of_aws(environment: Environment) -> None:
    environment.aws("secretsmanager").create_secret(Name=f"{environment.name}/twin", SecretString="nothing")


@twin("SecretsManager.policy")
def public_secret(environment: Environment) -> None:
    arn = environment.secrets[0]["ARN"]
    read = {**PUBLIC, "Action": "secretsmanager:GetSecretValue"}
    environment.aws("secretsmanager").put_resource_policy(SecretId=arn, ResourcePolicy=policy(read))


def seen_later(environment: Environment) -> Environment:
    """The same environment in more than a year."""
    return replace(environment, now=environment.now + LATER, _clients={})


def overdue_rotation(environment: Environment) -> Environment:
    """A secret with a rotation every 30 days, in more than a year."""
    environment.aws("secretsmanager").rotate_secret(
        SecretId=environment.secrets[0]["ARN"],
        RotationLambdaARN="arn:aws:lambda:eu-west-1:000000000000:function:rotate",
        RotationRules={"AutomaticallyAfterDays": 30},
        RotateImmediately=False,
    )
    return seen_later(environment)


def in_one_zone(environment: Environment) -> Environment:
    """AWS makes no such load balancer, so that only what is read of it can have one zone."""
    twin = replace(environment, _clients={})
    one, *others = environment.load_balancers
    vars(twin)["load_balancers"] = [{**one, "AvailabilityZones": one["AvailabilityZones"][:1]}, *others]
    return twin


TWINS["ELB.13"] = in_one_zone
TWINS["SecretsManager.2"] = overdue_rotation
TWINS["SecretsManager.3"] = TWINS["SecretsManager.4"] = TWINS["ACM.1"] = seen_later
