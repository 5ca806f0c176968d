# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Rights that a call needs besides its own: AWS uses them on the caller's behalf.

The service authorization reference lists few of them; each function names the page that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from sm2a_local_aws.iam.request import tags
from sm2a_local_aws.iam.request.calls import Call
from sm2a_local_aws.iam.rights import reference, resources
from sm2a_local_aws.iam.rights.existing import Existing, Place

Keys = dict[str, str | tuple[str, ...]]


@dataclass(frozen=True)
class Right:
    """An action on a resource, with the keys that it has besides those of every call."""

    action: str
    resource: str
    keys: Keys


Rule = Callable[[Call, Place, Existing], Iterator[Right]]

# What tagging is called where new resources are tagged by the call that makes them.
# https://docs.aws.amazon.com/service-authorization/latest/reference/
TAGGING = {
    "acm": "acm:AddTagsToCertificate",
    "cloudwatch": "cloudwatch:TagResource",
    "ecr": "ecr:TagResource",
    "ecs": "ecs:TagResource",
    "elbv2": "elasticloadbalancing:AddTags",
    "iam": "iam:TagRole",
    "kms": "kms:TagResource",
    "logs": "logs:TagResource",
    "rds": "rds:AddTagsToResource",
    "secretsmanager": "secretsmanager:TagResource",
    "servicediscovery": "servicediscovery:TagResource",
    "sns": "sns:TagResource",
    "sqs": "sqs:TagQueue",
    "wafv2": "wafv2:TagResource",
}
# These say in a condition key which call makes the resource.
CREATE_ACTION = {"ecs": "ecs:createaction", "elbv2": "elasticloadbalancing:createaction"}
# Of what these calls of RDS name, they make one thing only.
MADE = {"CreateDBInstance": ":db:", "RestoreDBInstanceFromDBSnapshot": ":db:", "CreateDBSnapshot": ":snapshot:"}
CREATES = ("Create", "Put", "Register", "Request", "Import", "Restore", "Run")
# Parameters that hand a role over, and to which service.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
PASSED = {
    "taskRoleArn": "ecs-tasks.amazonaws.com",
    "executionRoleArn": "ecs-tasks.amazonaws.com",
    "DeliverLogsPermissionArn": "vpc-flow-logs.amazonaws.com",
    "MonitoringRoleArn": "monitoring.rds.amazonaws.com",
}
# Operations of ECS that start tasks with the roles of the definition that they name. AWS's pages do not say so of
# UpdateService, but it refuses one that names a task definition to who may not pass its roles, and allows one that only
# changes the count: https://github.com/keidarcy/e1s/issues/429
STARTING_TASKS = ("RunTask", "StartTask", "CreateService", "UpdateService")
# The first use of a service in an account makes its role.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html
SERVICE_LINKED = {
    ("ecs", "CreateCluster"): "ecs.amazonaws.com",
    ("ecs", "CreateService"): "ecs.amazonaws.com",
    ("elbv2", "CreateLoadBalancer"): "elasticloadbalancing.amazonaws.com",
    ("rds", "CreateDBInstance"): "rds.amazonaws.com",
    ("rds", "CreateDBSubnetGroup"): "rds.amazonaws.com",
}
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-security-iam-awsmanpol.html and
# https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/managed-policies.html
LOOKS_AT_NETWORK = {
    ("elbv2", "CreateLoadBalancer"): ("AccountAttributes", "SecurityGroups", "Subnets", "Vpcs", "InternetGateways"),
    ("elbv2", "SetSubnets"): ("Subnets",),
    ("elbv2", "SetSecurityGroups"): ("SecurityGroups",),
    ("elbv2", "CreateTargetGroup"): ("Vpcs",),
    ("rds", "CreateDBSubnetGroup"): ("AccountAttributes", "AvailabilityZones", "Subnets", "Vpcs"),
    ("rds", "ModifyDBSubnetGroup"): ("AccountAttributes", "AvailabilityZones", "Subnets", "Vpcs"),
    ("rds", "CreateDBInstance"): ("AccountAttributes", "AvailabilityZones", "SecurityGroups", "Subnets", "Vpcs"),
    ("rds", "RestoreDBInstanceFromDBSnapshot"): (
        "AccountAttributes",
        "AvailabilityZones",
        "SecurityGroups",
        "Subnets",
        "Vpcs",
    ),
}
# What a service does with the customer managed key of a resource, through itself.
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html,
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html,
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html,
# https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html,
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.Encryption.Keys.html,
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/encryption-at-rest.html
KEY_USE = {
    ("secretsmanager", "CreateSecret"): ("Decrypt", "GenerateDataKey"),
    ("secretsmanager", "PutSecretValue"): ("Decrypt", "GenerateDataKey"),
    ("secretsmanager", "UpdateSecret"): ("Decrypt", "GenerateDataKey"),
    ("secretsmanager", "GetSecretValue"): ("Decrypt",),
    ("s3", "GetObject"): ("Decrypt",),
    ("s3", "PutObject"): ("GenerateDataKey",),
    ("s3", "CreateMultipartUpload"): ("Decrypt", "GenerateDataKey"),
    ("s3", "UploadPart"): ("Decrypt", "GenerateDataKey"),
    ("sqs", "SendMessage"): ("Decrypt", "GenerateDataKey"),
    ("sqs", "SendMessageBatch"): ("Decrypt", "GenerateDataKey"),
    ("sqs", "ReceiveMessage"): ("Decrypt",),
    ("sns", "Publish"): ("Decrypt", "GenerateDataKey"),
    ("rds", "CreateDBInstance"): ("CreateGrant", "DescribeKey"),
    ("rds", "RestoreDBInstanceFromDBSnapshot"): ("CreateGrant", "DescribeKey"),
    ("ecr", "CreateRepository"): ("CreateGrant", "DescribeKey"),
    ("ecr", "DeleteRepository"): ("RetireGrant",),
}


def of(call: Call, place: Place, existing: Existing) -> Iterator[Right]:
    """Every right that AWS uses in the name of who makes this call."""
    for rule in RULES:
        yield from rule(call, place, existing)


def _tag_new(call: Call, place: Place, existing: Existing) -> Iterator[Right]:
    given = tags.of(call)
    tagging = TAGGING.get(call.service)
    if not given or tagging is None or not call.operation.startswith(CREATES):
        return
    keys = _request_tags(given)
    if call.service in CREATE_ACTION:
        keys[CREATE_ACTION[call.service]] = call.operation
    for arn in _tagged(call, tagging, place, existing):
        yield Right(tagging, arn, keys)


def _tagged(call: Call, tagging: str, place: Place, existing: Existing) -> list[str]:
    """What a call makes: of ECS and load balancers it is not always what the call names."""
    if call.service == "ecs" and call.operation == "RunTask":
        return [place.arn("ecs", f"task/{resources.cluster_arn(call.parameters, place).rpartition('/')[2]}/*")]
    if call.operation == "CreateListener":
        return [str(call.parameters.get("LoadBalancerArn")).replace(":loadbalancer/", ":listener/") + "/*"]
    if call.operation == "CreateRule":
        return [str(call.parameters.get("ListenerArn")).replace(":listener/", ":listener-rule/") + "/*"]
    if call.service == "logs":
        return [place.arn("logs", f"log-group:{call.parameters.get('logGroupName')}")]
    named = resources.of(call, reference.action(call.service, call.operation), place, existing)
    if named == ["*"]:
        return resources.of(call, tagging, place, existing)
    kinds = reference.resource_types(tagging)
    # For load balancing the reference lists too few.
    taggable = [arn for arn in named if any(kind.describes(arn) for kind in kinds)] or named
    return [arn for arn in taggable if MADE.get(call.operation, "") in arn]


def _request_tags(given: dict[str, str]) -> Keys:
    return {f"aws:requesttag/{key.lower()}": value for key, value in given.items()} | {"aws:tagkeys": tuple(given)}


def _tag_new_in_ec2(call: Call, place: Place, _existing: Existing) -> Iterator[Right]:
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html"""
    if call.service != "ec2":
        return
    for specification in call.parameters.get("TagSpecifications") or []:
        given = tags.read(specification.get("Tags"))
        arn = place.arn("ec2", f"{specification.get('ResourceType')}/*")
        if given:
            yield Right("ec2:CreateTags", arn, _request_tags(given) | {"ec2:createaction": call.operation})


def _pass_roles(call: Call, place: Place, existing: Existing) -> Iterator[Right]:
    given = [(str(call.parameters[name]), service) for name, service in PASSED.items() if call.parameters.get(name)]
    if call.service == "ecs" and call.operation in STARTING_TASKS and call.parameters.get("taskDefinition"):
        for arn in resources.of(call, "ecs:RunTask", place, existing):
            given += [(role, "ecs-tasks.amazonaws.com") for role in existing.roles_of_task_definition(arn)]
        for role in _overridden(call.parameters.get("overrides")):
            given.append((role, "ecs-tasks.amazonaws.com"))
    for arn, service in dict.fromkeys(given):
        yield Right("iam:PassRole", arn, {"iam:passedtoservice": service})


def _overridden(overrides: Any) -> list[str]:
    found = overrides if isinstance(overrides, dict) else {}
    return [str(found[name]) for name in ("taskRoleArn", "executionRoleArn") if found.get(name)]


def _first_use(call: Call, place: Place, existing: Existing) -> Iterator[Right]:
    service = SERVICE_LINKED.get((call.service, call.operation))
    if service and not existing.service_linked_role(service):
        arn = place.role_arn("*", f"/aws-service-role/{service}/")
        yield Right("iam:CreateServiceLinkedRole", arn, {"iam:awsservicename": service})


def _deliver_logs(call: Call, _place: Place, _existing: Existing) -> Iterator[Right]:
    """https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-permissions.html

    Flow logs that go to a log group are written with a role, which is passed.
    """
    if call.operation == "CreateFlowLogs" and call.parameters.get("LogDestinationType") in (
        "s3",
        "kinesis-data-firehose",
    ):
        yield Right("logs:CreateLogDelivery", "*", {})


def _look_at_network(call: Call, _place: Place, _existing: Existing) -> Iterator[Right]:
    for what in LOOKS_AT_NETWORK.get((call.service, call.operation), ()):
        yield Right(f"ec2:Describe{what}", "*", {})


def _use_key(call: Call, place: Place, existing: Existing) -> Iterator[Right]:
    uses = KEY_USE.get((call.service, call.operation))
    key = _key(call, place, existing) if uses else None
    for use in uses or () if key else ():
        assert key is not None  # noqa: S101
        yield Right(f"kms:{use}", key, _through(call.service, place))


def _through(service: str, place: Place) -> Keys:
    return {"kms:viaservice": f"{service}.{place.region}.amazonaws.com", "kms:calleraccount": place.account}


def _key(call: Call, place: Place, existing: Existing) -> str | None:
    """The customer managed key of what the call names, or that it gives to what it makes."""
    encryption = call.parameters.get("encryptionConfiguration") or {}
    given = call.parameters.get("KmsKeyId") or encryption.get("kmsKey") or call.parameters.get("SSEKMSKeyId")
    if given:
        return existing.arn_of_key(str(given)) or str(given)
    action = reference.action(call.service, call.operation)
    found = [existing.key_of(arn) for arn in resources.of(call, action, place, existing)]
    return next((key for key in found if key), None)


def _master_password(call: Call, place: Place, existing: Existing) -> Iterator[Right]:
    """https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html"""
    if call.service != "rds" or str(call.parameters.get("ManageMasterUserPassword")).lower() != "true":
        return
    secret = place.arn("secretsmanager", "secret:rds!db-*")
    for action in ("CreateSecret", "TagResource"):
        yield Right(f"secretsmanager:{action}", secret, {})
    given = call.parameters.get("MasterUserSecretKmsKeyId")
    if given:
        key = existing.arn_of_key(str(given)) or str(given)
        yield Right("kms:DescribeKey", key, _through("rds", place))
        for use in ("CreateGrant", "Decrypt", "GenerateDataKey"):
            yield Right(f"kms:{use}", key, _through("secretsmanager", place))


def _final_snapshot(call: Call, place: Place, existing: Existing) -> Iterator[Right]:
    if call.operation == "DeleteDBInstance" and call.parameters.get("FinalDBSnapshotIdentifier"):
        for arn in resources.of(call, "rds:CreateDBSnapshot", place, existing):
            yield Right("rds:CreateDBSnapshot", arn, {})


def _private_names(call: Call, place: Place, _existing: Existing) -> Iterator[Right]:
    """https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html"""
    private = str(call.parameters.get("PrivateDnsEnabled")).lower() == "true"
    if call.operation in ("CreateVpcEndpoint", "ModifyVpcEndpoint") and private:
        yield Right("route53:AssociateVPCWithHostedZone", f"arn:{place.partition}:route53:::hostedzone/*", {})


def _web_acl(call: Call, place: Place, _existing: Existing) -> Iterator[Right]:
    """https://docs.aws.amazon.com/waf/latest/developerguide/security_iam_service-with-iam.html"""
    needed = {
        "AssociateWebACL": ("CreateWebACLAssociation", "SetWebAcl"),
        "DisassociateWebACL": ("DeleteWebACLAssociation", "SetWebAcl"),
        "GetWebACLForResource": ("GetLoadBalancerWebACL",),
    }.get(call.operation, ())
    for name in needed:
        known = reference.resource_types(f"elasticloadbalancing:{name}")
        yield Right(f"elasticloadbalancing:{name}", str(call.parameters.get("ResourceArn")) if known else "*", {})


def _copied(call: Call, place: Place, _existing: Existing) -> Iterator[Right]:
    """A copy reads its source, and an object with tags is tagged."""
    source, _, query = str(call.parameters.get("CopySource", "")).lstrip("/").partition("?")
    if call.service == "s3" and source:
        action = "s3:GetObjectVersion" if query else "s3:GetObject"
        yield Right(action, f"arn:{place.partition}:s3:::{unquote(source)}", {})
    if call.service == "s3" and call.parameters.get("Tagging") and "Key" in call.parameters:
        arn = f"arn:{place.partition}:s3:::{call.parameters['Bucket']}/{call.parameters['Key']}"
        yield Right("s3:PutObjectTagging", arn, {})


def _each_of_a_batch(call: Call, place: Place, existing: Existing) -> Iterator[Right]:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html"""
    if call.operation != "BatchGetSecretValue":
        return
    for name in call.parameters.get("SecretIdList") or ["*"]:
        one = Call("secretsmanager", "GetSecretValue", {"SecretId": name})
        for arn in resources.of(one, "secretsmanager:GetSecretValue", place, existing):
            yield Right("secretsmanager:GetSecretValue", arn, {})
        yield from _use_key(one, place, existing)


RULES: tuple[Rule, ...] = (
    _each_of_a_batch,
    _tag_new,
    _tag_new_in_ec2,
    _pass_roles,
    _first_use,
    _deliver_logs,
    _look_at_network,
    _use_key,
    _master_password,
    _final_snapshot,
    _private_names,
    _web_acl,
    _copied,
)
