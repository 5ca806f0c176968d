# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The stock modules that do what one of ours does, with the options that our roles need."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

from ansible_collections.sm2a.airflow.tests.stock_modules.ladder import Case, Options
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs
from botocore.exceptions import ClientError

Clients = Callable[[str], Any]
TAGS = {"team": "data"}
# Ids that roles make up in check mode, for what the run will create.
PLACEHOLDER_VPC = "vpc-00000000000000000"
PLACEHOLDER_SUBNETS = ["subnet-00000000000000000", "subnet-00000000000000001"]
PLACEHOLDER_GROUP = "sg-00000000000000000"
ZONES = ("eu-west-1a", "eu-west-1b")
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "rds.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def found(read: Callable[[], list[Any]]) -> Callable[[], list[Any]]:
    """``read``, or nothing when AWS says that there is none."""

    def look() -> list[Any]:
        with suppress(ClientError):
            return read()
        return []

    return look


def named(name: str) -> list[dict[str, Any]]:
    """A filter of EC2 by the tag Name."""
    return [{"Name": "tag:Name", "Values": [name]}]


class Place:
    """A VPC with two subnets, a security group and a hosted zone, for the resources of one set of cases."""

    def __init__(self, client: Clients, name: str, block: int) -> None:
        ec2 = client("ec2")
        self.client = client
        self.name = name
        self.block = block
        self.vpc = ec2.create_vpc(CidrBlock=f"10.{block}.0.0/16")["Vpc"]["VpcId"]
        self.subnets = [
            ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.{block}.{number}.0/24", AvailabilityZone=zone)["Subnet"][
                "SubnetId"
            ]
            for number, zone in enumerate(ZONES)
        ]
        self.group = ec2.create_security_group(GroupName=f"{name}-given", Description="d", VpcId=self.vpc)["GroupId"]
        self.gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        zone = client("route53").create_hosted_zone(Name=f"{name}.example.com", CallerReference=name)
        self.zone = zone["HostedZone"]["Id"].rsplit("/", 1)[-1]
        self.key = client("kms").create_key(Description=name)["KeyMetadata"]["Arn"]
        group = client("elbv2").create_target_group(Name=f"{name}-given", Protocol="HTTP", Port=80, VpcId=self.vpc)
        self.target_group = group["TargetGroups"][0]["TargetGroupArn"]


@cache
def client_maker(aws: runs.ControlPlane) -> Clients:
    return cache(aws.client)


def make_cases(aws: runs.ControlPlane, name: str) -> list[Case]:
    """The cases, with ``name`` in the names of their resources."""
    block = 20 + ["life", "lost", "slow", "odd"].index(name)
    place = Place(client_maker(aws), f"sm2a-{name}", block)
    makers = [
        caller_info,
        subnet_group,
        parameter_group,
        alias,
        log_group,
        role,
        role_policy,
        key,
        security_group,
        bucket,
        instance,
        vpc,
        subnet,
        internet_gateway,
        nat_gateway,
        route_table,
        network_acl,
        endpoint,
        load_balancer,
        alarm,
    ]
    return [maker(place) for maker in makers]


def caller_info(_place: Place) -> Case:
    return Case("aws_caller_info", info=True)


def subnet_group(place: Place) -> Case:
    rds, name = place.client("rds"), place.name
    options = {"name": name, "state": "present", "description": "d", "subnets": place.subnets, "tags": TAGS}
    return Case(
        "rds_subnet_group",
        options,
        absent=lambda: {"name": name, "state": "absent"},
        fresh={"subnets": PLACEHOLDER_SUBNETS},
        read=found(
            lambda: [
                (group["DBSubnetGroupDescription"], sorted(each["SubnetIdentifier"] for each in group["Subnets"]))
                for group in rds.describe_db_subnet_groups(DBSubnetGroupName=name)["DBSubnetGroups"]
            ]
        ),
        drift=lambda: rds.modify_db_subnet_group(
            DBSubnetGroupName=name, DBSubnetGroupDescription="other", SubnetIds=place.subnets
        ),
        create="CreateDBSubnetGroup",
        delete="DeleteDBSubnetGroup",
    )


def parameter_group(place: Place) -> Case:
    rds, name = place.client("rds"), place.name
    options = {
        "name": name,
        "state": "present",
        "engine": "postgres17",
        "description": "d",
        "params": {"rds.force_ssl": 1, "log_min_duration_statement": 5000},
        "tags": TAGS,
    }

    def read() -> list[Any]:
        pages = rds.get_paginator("describe_db_parameters").paginate(DBParameterGroupName=name, Source="user")
        return [{each["ParameterName"]: each["ParameterValue"] for page in pages for each in page["Parameters"]}]

    less = {**options, "params": {"rds.force_ssl": 1}}
    return Case(
        "rds_instance_param_group",
        options,
        absent=lambda: {"name": name, "state": "absent"},
        read=found(read),
        drift=lambda: rds.modify_db_parameter_group(
            DBParameterGroupName=name,
            Parameters=[
                {
                    "ParameterName": "log_min_duration_statement",
                    "ParameterValue": "1",
                    "ApplyMethod": "immediate",
                }
            ],
        ),
        create="CreateDBParameterGroup",
        delete="DeleteDBParameterGroup",
        # A parameter that is no longer listed gets its default again.
        options=[[options, less, less]],
    )


def alias(place: Place) -> Case:
    route53, zone = place.client("route53"), f"{place.name}.example.com"

    def target(name: str) -> str:
        return f"{name}-1.eu-west-1.elb.amazonaws.com."

    def record(name: str) -> dict[str, Any]:
        address = {"HostedZoneId": "Z32O12XQLNTSW2", "DNSName": target(name), "EvaluateTargetHealth": True}
        return {"Name": f"airflow.{zone}.", "Type": "A", "AliasTarget": address}

    common = {"hosted_zone_id": place.zone, "zone": zone, "record": f"airflow.{zone}", "type": "A"}
    options = {
        **common,
        "state": "present",
        "alias": True,
        "value": target(place.name),
        "alias_hosted_zone_id": "Z32O12XQLNTSW2",
        "alias_evaluate_target_health": True,
        "overwrite": True,
        # The region of the record, not of the API.
        "region": "{{ omit }}",
    }
    unknown = {**common, "state": "absent", "region": "{{ omit }}"}

    def read() -> list[Any]:
        sets = route53.list_resource_record_sets(HostedZoneId=place.zone)["ResourceRecordSets"]
        return [each["AliasTarget"]["DNSName"] for each in sets if "AliasTarget" in each]

    return Case(
        "route53",
        options,
        absent=lambda: {**options, "state": "absent"},
        fresh={"value": target("placeholder"), "alias_hosted_zone_id": "Z00000000000000000000"},
        read=found(read),
        drift=lambda: route53.change_resource_record_sets(
            HostedZoneId=place.zone,
            ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record("other")}]},
        ),
        create="ChangeResourceRecordSets",
        delete="ChangeResourceRecordSets",
        # The load balancer is gone, so nobody knows the target any more.
        options=[[options, unknown, unknown]],
    )


def log_group(place: Place) -> Case:
    logs, name = place.client("logs"), f"/{place.name}/component"
    options = {"log_group_name": name, "retention": 30, "kms_key_id": place.key, "tags": TAGS}

    def read() -> list[Any]:
        groups = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        return [(group.get("retentionInDays"), group.get("kmsKeyId")) for group in groups]

    return Case(
        "cloudwatchlogs_log_group",
        options,
        absent=lambda: {"log_group_name": name, "state": "absent"},
        read=found(read),
        drift=lambda: logs.put_retention_policy(logGroupName=name, retentionInDays=1),
        create="CreateLogGroup",
        delete="DeleteLogGroup",
        # A group that ECS made has no key until it is given one.
        options=[
            [
                {key: value for key, value in options.items() if key != "kms_key_id"},
                options,
                options,
            ]
        ],
    )


def role(place: Place) -> Case:
    iam, name = place.client("iam"), f"{place.name}-role"
    options = {
        "name": name,
        "path": "/sm2a/",
        "description": "d",
        "assume_role_policy_document": TRUST,
        "managed_policies": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
        "tags": TAGS,
    }

    def read() -> list[Any]:
        held = iam.get_role(RoleName=name)["Role"]
        policies = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
        return [(held["Description"], held["Path"], sorted(each["PolicyName"] for each in policies))]

    return Case(
        "iam_role",
        options,
        absent=lambda: {"name": name, "state": "absent"},
        read=found(read),
        drift=lambda: iam.update_role(RoleName=name, Description="other"),
        create="CreateRole",
        delete="DeleteRole",
        # Ours takes away inline policies that nobody listed: stock, iam_policy knows only those that it is told of.
        options=[[{**options, "inline_policies": {}}]],
    )


def role_policy(place: Place) -> Case:
    iam, name = place.client("iam"), f"{place.name}-holder"
    with suppress(ClientError):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    statements = [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]
    policy = {"Version": "2012-10-17", "Statement": statements}
    options = {"iam_type": "role", "iam_name": name, "policy_name": "own", "policy_json": policy, "state": "present"}

    def read() -> list[Any]:
        return [iam.get_role_policy(RoleName=name, PolicyName="own")["PolicyDocument"]]

    other = json.dumps({**policy, "Statement": [{**statements[0], "Action": "s3:*"}]})
    return Case(
        "iam_policy",
        options,
        absent=lambda: {**options, "state": "absent"},
        fresh={"iam_name": "sm2a-placeholder"},
        read=found(read),
        drift=lambda: iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=other),
        create="PutRolePolicy",
        delete="DeleteRolePolicy",
    )


def key(place: Place) -> Case:
    kms, name = place.client("kms"), f"alias/{place.name}"
    options = {"alias": name, "description": f"own {place.name}", "enable_key_rotation": True, "tags": TAGS}

    def read() -> list[Any]:
        keys = [each["KeyId"] for page in kms.get_paginator("list_keys").paginate() for each in page["Keys"]]
        held = [kms.describe_key(KeyId=each)["KeyMetadata"] for each in keys]
        return [
            (each["Description"], kms.get_key_rotation_status(KeyId=each["KeyId"])["KeyRotationEnabled"])
            for each in held
            if each["Description"] == f"own {place.name}" and each["KeyState"] == "Enabled"
        ]

    def drift() -> None:
        kms.disable_key_rotation(KeyId=name)

    rotating = {**options, "rotation_period_in_days": 365}
    return Case(
        "kms_key",
        options,
        absent=lambda: {"alias": name, "state": "absent", "pending_window": 7},
        read=found(read),
        drift=drift,
        create="CreateKey",
        delete="ScheduleKeyDeletion",
        options=[[rotating, rotating]],
    )


def security_group(place: Place) -> Case:
    ec2, name = place.client("ec2"), f"{place.name}-component"
    rule = {"proto": "tcp", "ports": [8080], "cidr_ip": "10.0.0.0/8"}
    options = {
        "name": name,
        "description": "d",
        "vpc_id": place.vpc,
        "rules": [rule],
        "rules_egress": [{**rule, "ports": [443]}],
        "tags": TAGS,
    }

    def group() -> Any:
        filters = [{"Name": "group-name", "Values": [name]}, {"Name": "vpc-id", "Values": [place.vpc]}]
        return ec2.describe_security_groups(Filters=filters)["SecurityGroups"]

    def read() -> list[Any]:
        return [sorted(str(each["FromPort"]) for each in held["IpPermissions"]) for held in group()]

    def drift() -> None:
        opened = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        ec2.authorize_security_group_ingress(GroupId=group()[0]["GroupId"], IpPermissions=[opened])

    return Case(
        "ec2_security_group",
        options,
        absent=lambda: {"name": name, "vpc_id": place.vpc, "state": "absent"},
        # One that is not there yet, in a VPC that is not there yet, refers to another one.
        fresh={
            "vpc_id": PLACEHOLDER_VPC,
            "rules": [{"proto": "tcp", "ports": [8080], "group_name": "sm2a-placeholder"}],
        },
        read=found(read),
        drift=drift,
        create="CreateSecurityGroup",
        delete="DeleteSecurityGroup",
    )


def bucket(place: Place) -> Case:
    s3, name = place.client("s3"), f"{place.name}-logs"
    options: Options = {
        "name": name,
        "versioning": True,
        "encryption": "aws:kms",
        "encryption_key_id": place.key,
        "object_ownership": "BucketOwnerEnforced",
        "public_access": dict.fromkeys(
            ("block_public_acls", "ignore_public_acls", "block_public_policy", "restrict_public_buckets"), True
        ),
        "tags": TAGS,
    }
    with_lifecycle = {**options, "lifecycle_rules": [{"id": "logs", "expiration_in_days": 30}]}
    return Case(
        "s3_bucket",
        options,
        absent=lambda: {"name": name, "state": "absent"},
        read=found(lambda: [s3.get_bucket_versioning(Bucket=name).get("Status")]),
        drift=lambda: s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Suspended"}),
        create="CreateBucket",
        delete="DeleteBucket",
        options=[[with_lifecycle, with_lifecycle]],
    )


def instance(place: Place) -> Case:
    rds, name = place.client("rds"), f"{place.name}-db"
    options = {
        "db_instance_identifier": name,
        "engine": "postgres",
        "engine_version": "17",
        "db_instance_class": "db.t4g.small",
        "allocated_storage": 20,
        "storage_type": "gp3",
        "backup_retention_period": 7,
        "master_username": "sm2a",
        "master_user_password": "only-the-local-aws-has-it",
        "apply_immediately": True,
        "wait": False,
        "tags": TAGS,
    }

    def read() -> list[Any]:
        held = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
        return [each["BackupRetentionPeriod"] for each in held]

    managed = {key: value for key, value in options.items() if key != "master_user_password"}
    managed["manage_master_user_password"] = True
    return Case(
        "rds_instance",
        options,
        absent=lambda: {
            "db_instance_identifier": name,
            "state": "absent",
            "skip_final_snapshot": True,
            "wait": False,
        },
        read=found(read),
        drift=lambda: rds.modify_db_instance(DBInstanceIdentifier=name, BackupRetentionPeriod=1, ApplyImmediately=True),
        create="CreateDBInstance",
        delete="DeleteDBInstance",
        options=[[managed, managed]],
    )


def vpc(place: Place) -> Case:
    ec2, name = place.client("ec2"), f"{place.name}-vpc"
    block = f"10.{place.block + 100}.0.0/16"
    options = {"name": name, "cidr_block": [block], "dns_hostnames": True, "dns_support": True, "tags": TAGS}

    def ids() -> list[str]:
        return [each["VpcId"] for each in ec2.describe_vpcs(Filters=named(name))["Vpcs"]]

    def read() -> list[Any]:
        attribute = "enableDnsHostnames"
        return [
            ec2.describe_vpc_attribute(VpcId=each, Attribute=attribute)["EnableDnsHostnames"]["Value"] for each in ids()
        ]

    return Case(
        "ec2_vpc_net",
        options,
        absent=lambda: {"name": name, "cidr_block": [block], "state": "absent"},
        read=found(read),
        drift=lambda: ec2.modify_vpc_attribute(VpcId=ids()[0], EnableDnsHostnames={"Value": False}),
        create="CreateVpc",
        delete="DeleteVpc",
    )


def subnet(place: Place) -> Case:
    ec2 = place.client("ec2")
    cidr = f"10.{place.block}.9.0/24"
    options = {"vpc_id": place.vpc, "cidr": cidr, "az": ZONES[0], "map_public": True, "tags": TAGS}

    def held() -> Any:
        filters = [{"Name": "vpc-id", "Values": [place.vpc]}, {"Name": "cidr-block", "Values": [cidr]}]
        return ec2.describe_subnets(Filters=filters)["Subnets"]

    return Case(
        "ec2_vpc_subnet",
        options,
        absent=lambda: {"vpc_id": place.vpc, "cidr": cidr, "state": "absent"},
        fresh={"vpc_id": PLACEHOLDER_VPC},
        read=found(lambda: [each["MapPublicIpOnLaunch"] for each in held()]),
        drift=lambda: ec2.modify_subnet_attribute(SubnetId=held()[0]["SubnetId"], MapPublicIpOnLaunch={"Value": False}),
        create="CreateSubnet",
        delete="DeleteSubnet",
    )


def internet_gateway(place: Place) -> Case:
    ec2 = place.client("ec2")
    tags = {"Name": f"{place.name}-igw"}
    options = {"vpc_id": place.vpc, "tags": tags}

    def held() -> Any:
        return ec2.describe_internet_gateways(Filters=named(tags["Name"]))["InternetGateways"]

    def drift() -> None:
        more = [{"Key": "other", "Value": "yes"}]
        ec2.create_tags(Resources=[held()[0]["InternetGatewayId"]], Tags=more)

    return Case(
        "ec2_vpc_igw",
        options,
        absent=lambda: {"vpc_id": place.vpc, "state": "absent"},
        fresh={"vpc_id": PLACEHOLDER_VPC},
        read=found(lambda: [sorted(tag["Key"] for tag in each["Tags"]) for each in held()]),
        drift=drift,
        create="CreateInternetGateway",
        delete="DeleteInternetGateway",
    )


def nat_gateway(place: Place) -> Case:
    ec2 = place.client("ec2")
    subnet_id = place.subnets[0]
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    options = {
        "subnet_id": subnet_id,
        "allocation_id": address,
        "if_exist_do_not_create": True,
        "wait": True,
        "tags": TAGS,
    }

    def held() -> Any:
        filters = [{"Name": "subnet-id", "Values": [subnet_id]}]
        gateways = ec2.describe_nat_gateways(Filters=filters)["NatGateways"]
        return [each for each in gateways if each["State"] not in ("deleting", "deleted")]

    def drift() -> None:
        ec2.create_tags(Resources=[held()[0]["NatGatewayId"]], Tags=[{"Key": "other", "Value": "yes"}])

    return Case(
        "ec2_vpc_nat_gateway",
        options,
        absent=lambda: {
            "nat_gateway_id": held()[0]["NatGatewayId"] if held() else "nat-00000000000000000",
            "release_eip": True,
            "state": "absent",
        },
        fresh={"subnet_id": PLACEHOLDER_SUBNETS[0]},
        read=found(lambda: [sorted(tag["Key"] for tag in each.get("Tags", [])) for each in held()]),
        drift=drift,
        create="CreateNatGateway",
        delete="DeleteNatGateway",
    )


def route_table(place: Place) -> Case:
    ec2, name = place.client("ec2"), f"{place.name}-public"
    tags = {"Name": name}
    options = {"vpc_id": place.vpc, "tags": tags, "subnets": place.subnets}

    def held() -> Any:
        return ec2.describe_route_tables(Filters=named(name))["RouteTables"]

    def drift() -> None:
        ec2.disassociate_route_table(AssociationId=held()[0]["Associations"][0]["RouteTableAssociationId"])

    return Case(
        "ec2_vpc_route_table",
        options,
        absent=lambda: {"vpc_id": place.vpc, "tags": tags, "state": "absent"},
        fresh={"vpc_id": PLACEHOLDER_VPC, "subnets": PLACEHOLDER_SUBNETS},
        read=found(lambda: [sorted(part["SubnetId"] for part in each["Associations"]) for each in held()]),
        drift=drift,
        create="CreateRouteTable",
        delete="DeleteRouteTable",
    )


def network_acl(place: Place) -> Case:
    ec2, name = place.client("ec2"), f"{place.name}-acl"
    rule = [100, "tcp", "allow", "0.0.0.0/0", None, None, 443, 443]
    options = {
        "vpc_id": place.vpc,
        "name": name,
        "subnets": place.subnets,
        "ingress": [rule],
        "egress": [rule],
        "tags": TAGS,
    }

    def held() -> Any:
        return ec2.describe_network_acls(Filters=named(name))["NetworkAcls"]

    def drift() -> None:
        ec2.delete_network_acl_entry(NetworkAclId=held()[0]["NetworkAclId"], RuleNumber=100, Egress=False)

    def read() -> list[Any]:
        return [
            sorted((entry["RuleNumber"], entry["Egress"]) for entry in each["Entries"] if entry["RuleNumber"] < 32767)
            for each in held()
        ]

    return Case(
        "ec2_vpc_nacl",
        options,
        absent=lambda: {"vpc_id": place.vpc, "name": name, "state": "absent"},
        fresh={"vpc_id": PLACEHOLDER_VPC, "subnets": PLACEHOLDER_SUBNETS},
        read=found(read),
        drift=drift,
        create="CreateNetworkAcl",
        delete="DeleteNetworkAcl",
    )


def endpoint(place: Place) -> Case:
    ec2 = place.client("ec2")
    service = f"com.amazonaws.{runs.REGION}.logs"
    options = {
        "vpc_id": place.vpc,
        "service": service,
        "vpc_endpoint_type": "Interface",
        "vpc_endpoint_subnets": place.subnets[:1],
        "vpc_endpoint_security_groups": [place.group],
        "tags": TAGS,
    }

    def held() -> Any:
        # The local AWS takes no filters here.
        return [each for each in ec2.describe_vpc_endpoints()["VpcEndpoints"] if each["VpcId"] == place.vpc]

    def drift() -> None:
        ec2.modify_vpc_endpoint(VpcEndpointId=held()[0]["VpcEndpointId"], AddSubnetIds=place.subnets[1:])

    return Case(
        "ec2_vpc_endpoint",
        options,
        absent=lambda: {
            "vpc_endpoint_id": held()[0]["VpcEndpointId"] if held() else "vpce-00000000000000000",
            "state": "absent",
        },
        fresh={
            "vpc_id": PLACEHOLDER_VPC,
            "vpc_endpoint_subnets": PLACEHOLDER_SUBNETS[:1],
            "vpc_endpoint_security_groups": [PLACEHOLDER_GROUP],
        },
        read=found(lambda: [sorted(each["SubnetIds"]) for each in held()]),
        drift=drift,
        create="CreateVpcEndpoint",
        delete="DeleteVpcEndpoints",
        # By what it is, not by an id.
        options=[[{"vpc_id": place.vpc, "service": service, "state": "absent"}]],
    )


def load_balancer(place: Place) -> Case:
    elbv2, name = place.client("elbv2"), f"{place.name}-alb"
    # As the local AWS tells them, since the module compares every word.
    forward = {"Type": "forward", "TargetGroupArn": place.target_group, "Order": 1}
    answer = {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": ""}
    refuse = {"Type": "fixed-response", "Order": 1, "FixedResponseConfig": answer}
    rule = {
        "Priority": "1",
        "Conditions": [{"Field": "path-pattern", "Values": ["/execution"]}],
        "Actions": [refuse],
    }
    listener = {"Protocol": "HTTP", "Port": 80, "DefaultActions": [forward], "Rules": [rule]}
    options = {
        "name": name,
        "subnets": place.subnets,
        "security_groups": [place.group],
        "scheme": "internal",
        "idle_timeout": 90,
        "listeners": [listener],
        "tags": TAGS,
    }

    def held() -> Any:
        return elbv2.describe_load_balancers(Names=[name])["LoadBalancers"]

    def read() -> list[Any]:
        arns = [each["LoadBalancerArn"] for each in held()]
        attributes = [elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"] for arn in arns]
        return [[each["Value"] for each in part if each["Key"].startswith("idle")] for part in attributes]

    def drift() -> None:
        attribute = {"Key": "idle_timeout.timeout_seconds", "Value": "30"}
        elbv2.modify_load_balancer_attributes(LoadBalancerArn=held()[0]["LoadBalancerArn"], Attributes=[attribute])

    with_header = {
        **options,
        "listeners": [{**listener, "Attributes": {"routing.http.response.server.enabled": False}}],
    }
    return Case(
        "elb_application_lb",
        options,
        absent=lambda: {"name": name, "state": "absent"},
        fresh={"subnets": PLACEHOLDER_SUBNETS, "security_groups": [PLACEHOLDER_GROUP]},
        read=found(read),
        drift=drift,
        create="CreateLoadBalancer",
        delete="DeleteLoadBalancer",
        options=[[with_header, with_header]],
    )


def alarm(place: Place) -> Case:
    cloudwatch, name = place.client("cloudwatch"), f"{place.name}/queue"
    options = {
        "name": name,
        "description": "d",
        "metric_name": "ApproximateAgeOfOldestMessage",
        "namespace": "AWS/SQS",
        "dimensions": {"QueueName": place.name},
        "statistic": "Maximum",
        "period": 60,
        "evaluation_periods": 5,
        "comparison": "GreaterThanThreshold",
        "threshold": 600.0,
        "treat_missing_data": "notBreaching",
        "alarm_actions": ["arn:aws:sns:eu-west-1:000000000000:alarms"],
    }

    def held() -> Any:
        return cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]

    def drift() -> None:
        kept = ("MetricName", "Namespace", "Statistic", "Period", "EvaluationPeriods", "ComparisonOperator")
        now = {key: value for key, value in held()[0].items() if key in kept}
        cloudwatch.put_metric_alarm(AlarmName=name, Threshold=1.0, **now)

    tagged = {**options, "tags": TAGS}
    return Case(
        "cloudwatch_metric_alarm",
        options,
        absent=lambda: {"name": name, "state": "absent"},
        read=found(lambda: [(each["Threshold"], each.get("AlarmActions")) for each in held()]),
        drift=drift,
        create="PutMetricAlarm",
        delete="DeleteAlarms",
        options=[[tagged, tagged]],
    )
