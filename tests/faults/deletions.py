# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What somebody deletes by hand: one resource of most kinds, in two parts.

Left out is what cannot go alone (a VPC, its subnets and security groups while something is in them) or must never be
made again by itself (the database with its data).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ansible_collections.sm2a.airflow.tests.support.control_plane import NAME

Clients = Callable[[str], Any]
Deletion = Callable[[Clients], None]


def service(client: Clients) -> None:
    client("ecs").delete_service(cluster=NAME, service="scheduler", force=True)


def log_group(client: Clients) -> None:
    client("logs").delete_log_group(logGroupName=f"/sm2a/{NAME}/scheduler")


def role(client: Clients) -> None:
    iam, name = client("iam"), f"{NAME}-triggerer"
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    iam.delete_role(RoleName=name)


def role_policy(client: Clients) -> None:
    iam, name = client("iam"), f"{NAME}-scheduler"
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)


def queue(client: Clients) -> None:
    sqs = client("sqs")
    sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=f"{NAME}-default")["QueueUrl"])


def secret(client: Clients) -> None:
    client("secretsmanager").delete_secret(SecretId=f"{NAME}/config/jwt_secret", ForceDeleteWithoutRecovery=True)


def secret_with_recovery(client: Clients) -> None:
    client("secretsmanager").delete_secret(SecretId=f"{NAME}/config/fernet_key", RecoveryWindowInDays=7)


def alarm(client: Clients) -> None:
    client("cloudwatch").delete_alarms(AlarmNames=[f"{NAME}/database-cpu"])


def dashboard(client: Clients) -> None:
    client("cloudwatch").delete_dashboards(DashboardNames=[NAME])


def topic(client: Clients) -> None:
    for each in client("sns").list_topics()["Topics"]:
        client("sns").delete_topic(TopicArn=each["TopicArn"])


def bucket(client: Clients) -> None:
    client("s3").delete_bucket(Bucket=f"{NAME}-logs-000000000000")


def endpoint(client: Clients) -> None:
    ec2 = client("ec2")
    found = ec2.describe_vpc_endpoints(Filters=[{"Name": "service-name", "Values": ["com.amazonaws.eu-west-1.sqs"]}])
    ec2.delete_vpc_endpoints(VpcEndpointIds=[one["VpcEndpointId"] for one in found["VpcEndpoints"]])


def flow_log(client: Clients) -> None:
    ec2 = client("ec2")
    ec2.delete_flow_logs(FlowLogIds=[one["FlowLogId"] for one in ec2.describe_flow_logs()["FlowLogs"]])


def nat_gateway(client: Clients) -> None:
    ec2 = client("ec2")
    for gateway in ec2.describe_nat_gateways()["NatGateways"]:
        ec2.delete_nat_gateway(NatGatewayId=gateway["NatGatewayId"])


def route_table(client: Clients) -> None:
    ec2 = client("ec2")
    named = [{"Name": "tag:Name", "Values": [f"{NAME}-private-1"]}]
    table = ec2.describe_route_tables(Filters=named)["RouteTables"][0]
    for association in table["Associations"]:
        ec2.disassociate_route_table(AssociationId=association["RouteTableAssociationId"])
    ec2.delete_route_table(RouteTableId=table["RouteTableId"])


def listener(client: Clients) -> None:
    elbv2 = client("elbv2")
    balancer = elbv2.describe_load_balancers(Names=[NAME])["LoadBalancers"][0]["LoadBalancerArn"]
    for each in elbv2.describe_listeners(LoadBalancerArn=balancer)["Listeners"]:
        if each["Port"] == 80:
            elbv2.delete_listener(ListenerArn=each["ListenerArn"])


def load_balancer(client: Clients) -> None:
    elbv2 = client("elbv2")
    arn = elbv2.describe_load_balancers(Names=[NAME])["LoadBalancers"][0]["LoadBalancerArn"]
    unprotected = [{"Key": "deletion_protection.enabled", "Value": "false"}]
    elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=unprotected)
    for each in elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"]:
        elbv2.delete_listener(ListenerArn=each["ListenerArn"])
    elbv2.delete_load_balancer(LoadBalancerArn=arn)


def key(client: Clients) -> None:
    """It waits for its deletion for a week."""
    kms = client("kms")
    for alias in kms.list_aliases()["Aliases"]:
        if alias["AliasName"] == f"alias/{NAME}":
            kms.schedule_key_deletion(KeyId=alias["TargetKeyId"], PendingWindowInDays=7)


def key_alias(client: Clients) -> None:
    client("kms").delete_alias(AliasName=f"alias/{NAME}")


def task_definition(client: Clients) -> None:
    client("ecs").deregister_task_definition(taskDefinition=f"{NAME}-triggerer:1")


def capacity_providers(client: Clients) -> None:
    client("ecs").put_cluster_capacity_providers(cluster=NAME, capacityProviders=[], defaultCapacityProviderStrategy=[])


EARLY: list[Deletion] = [
    service,
    log_group,
    role,
    queue,
    secret,
    alarm,
    dashboard,
    bucket,
    endpoint,
    nat_gateway,
    key,
    listener,
]
LATE: list[Deletion] = [
    role_policy,
    secret_with_recovery,
    topic,
    flow_log,
    route_table,
    load_balancer,
    key_alias,
    task_definition,
    capacity_providers,
]


def delete(client: Clients, deletions: Sequence[Deletion]) -> list[str]:
    """Delete them; returns their kinds."""
    for deletion in deletions:
        deletion(client)
    return [deletion.__name__ for deletion in deletions]
