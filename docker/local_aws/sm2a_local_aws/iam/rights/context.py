# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Condition keys of a call: what AWS tells policies about it and about the resource."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from sm2a_local_aws.iam.request import tags
from sm2a_local_aws.iam.request.calls import Call
from sm2a_local_aws.iam.rights import reference
from sm2a_local_aws.iam.rights.existing import Existing, Place
from sm2a_local_aws.iam.rights.resources import cluster_arn, names_cluster, task_definition_arn

Keys = dict[str, str | tuple[str, ...]]


def of(call: Call, action: str, resource: str, place: Place, existing: Existing) -> Keys:
    """The keys of one action of the call on one resource, in small letters."""
    found = _common(place, resource) | _tags(call, action, resource, existing)
    read = SERVICES.get(call.service)
    own = dict(read(call, resource, place, existing)) if read else {}
    return found | {key.lower(): value for key, value in own.items() if value is not None}


def _common(place: Place, resource: str) -> Keys:
    owner = resource.split(":")[4] if resource.count(":") >= 5 else ""
    return {
        "aws:currenttime": datetime.now(UTC).isoformat(),
        "aws:epochtime": str(int(time.time())),
        "aws:requestedregion": place.region,
        "aws:resourceaccount": owner or place.account,
        # Plain HTTP to the local AWS stands for the HTTPS of AWS.
        "aws:securetransport": "true",
        "aws:principalisawsservice": "false",
        "aws:viaawsservice": "false",
    }


def _tags(call: Call, action: str, resource: str, existing: Existing) -> Keys:
    """Only where AWS has these keys for the action and the resource."""
    known = reference.keys(action, resource)
    found: Keys = {}
    if "aws:requesttag/" in known:
        found |= {f"aws:requesttag/{key.lower()}": value for key, value in tags.of(call, resource).items()}
    if "aws:tagkeys" in known and tags.keys(call, resource):
        found["aws:tagkeys"] = tags.keys(call, resource)
    prefix = action.partition(":")[0]
    for key, value in existing.tags(resource).items():
        for name in ("aws:resourcetag/", f"{prefix}:resourcetag/"):
            if name in known:
                found[f"{name}{key.lower()}"] = value
    return found


Read = Iterator[tuple[str, Any]]


def _acm(call: Call, _resource: str, _place: Place, _existing: Existing) -> Read:
    if call.operation == "RequestCertificate":
        more = call.parameters.get("SubjectAlternativeNames") or []
        yield "acm:DomainNames", tuple(dict.fromkeys([call.parameters.get("DomainName", ""), *more]))
        yield "acm:ValidationMethod", call.parameters.get("ValidationMethod")
        yield "acm:KeyAlgorithm", call.parameters.get("KeyAlgorithm")
        yield "acm:CertificateAuthority", call.parameters.get("CertificateAuthorityArn")


def _cloudwatch(call: Call, _resource: str, _place: Place, _existing: Existing) -> Read:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/iam-cw-condition-keys-alarm-actions.html

    It is about what an alarm does when it changes to any state.
    """
    states = ("AlarmActions", "OKActions", "InsufficientDataActions")
    yield "cloudwatch:AlarmActions", _each(one for name in states for one in call.parameters.get(name) or []) or None


def _ec2(call: Call, resource: str, place: Place, existing: Existing) -> Read:
    yield "ec2:Region", place.region
    identifier = resource.rpartition("/")[2]
    vpc = existing.vpc_of(identifier) or (call.parameters.get("VpcId") if identifier == "*" else None)
    yield "ec2:Vpc", vpc and place.arn("ec2", f"vpc/{vpc}")
    service = call.parameters.get("ServiceName")
    yield "ec2:VpceServiceName", service
    # Services of others are called com.amazonaws.vpce.<Region>.vpce-svc-<id>; here they are of the same account.
    # https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-iam.html
    yield "ec2:VpceServiceOwner", service and (place.account if ".vpce-svc-" in str(service) else "amazon")


def _ecs(call: Call, _resource: str, place: Place, existing: Existing) -> Read:
    if names_cluster(call.parameters):
        yield "ecs:cluster", cluster_arn(call.parameters, place)
    definition = call.parameters.get("taskDefinition")
    yield "ecs:task-definition", definition and task_definition_arn(str(definition), place, existing)
    enabled = call.parameters.get("enableExecuteCommand")
    yield "ecs:enable-execute-command", None if enabled is None else str(enabled).lower()
    yield "ecs:container-name", call.parameters.get("container")


def _iam(call: Call, _resource: str, _place: Place, existing: Existing) -> Read:
    role = call.parameters.get("RoleName")
    given = call.parameters.get("PermissionsBoundary")
    yield "iam:PolicyARN", call.parameters.get("PolicyArn")
    yield "iam:PermissionsBoundary", given or (role and existing.boundary_of_role(str(role)))
    yield "iam:AWSServiceName", call.parameters.get("AWSServiceName")


def _kms(call: Call, resource: str, place: Place, existing: Existing) -> Read:
    yield "kms:CallerAccount", place.account
    yield "kms:ResourceAliases", tuple(existing.aliases_of_key(resource)) or None
    for name, value in _texts(call.parameters.get("EncryptionContext")):
        yield f"kms:EncryptionContext:{name}", value
    alias = str(call.parameters.get("AliasName") or call.parameters.get("KeyId") or "")
    yield "kms:RequestAlias", alias if alias.startswith("alias/") and ":key/" in resource else None


def _texts(value: Any) -> Iterator[tuple[str, str]]:
    yield from value.items() if isinstance(value, Mapping) else ()


def _route53(call: Call, _resource: str, _place: Place, _existing: Existing) -> Read:
    """https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-conditions-route53.html"""
    changes = (call.parameters.get("ChangeBatch") or {}).get("Changes") or []
    if changes:
        yield "route53:ChangeResourceRecordSetsActions", _each(change["Action"] for change in changes)
        records = [change["ResourceRecordSet"] for change in changes]
        names = _each(record["Name"].lower().removesuffix(".").replace("*", r"\052") for record in records)
        yield "route53:ChangeResourceRecordSetsNormalizedRecordNames", names
        yield "route53:ChangeResourceRecordSetsRecordTypes", _each(record["Type"] for record in records)


def _each(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _s3(call: Call, _resource: str, _place: Place, _existing: Existing) -> Read:
    if call.operation.startswith("ListObject"):
        yield "s3:prefix", call.parameters.get("Prefix")
        yield "s3:delimiter", call.parameters.get("Delimiter")
        yield "s3:max-keys", call.parameters.get("MaxKeys")
    yield "s3:if-match", call.parameters.get("IfMatch")
    yield "s3:if-none-match", call.parameters.get("IfNoneMatch")
    yield "s3:VersionId", call.parameters.get("VersionId")
    yield "s3:x-amz-server-side-encryption", call.parameters.get("ServerSideEncryption")
    yield "s3:x-amz-server-side-encryption-aws-kms-key-id", call.parameters.get("SSEKMSKeyId")


def _secretsmanager(call: Call, resource: str, _place: Place, existing: Existing) -> Read:
    creating = call.operation == "CreateSecret"
    yield "secretsmanager:Name", call.parameters.get("Name") if creating else None
    yield "secretsmanager:SecretId", None if creating else resource
    key = call.parameters.get("KmsKeyId")
    yield "secretsmanager:KmsKeyId", key
    yield "secretsmanager:KmsKeyArn", existing.arn_of_key(str(key)) if key else existing.key_of(resource)
    yield "secretsmanager:VersionId", call.parameters.get("VersionId")
    yield "secretsmanager:VersionStage", call.parameters.get("VersionStage")
    for name in ("ForceDeleteWithoutRecovery", "BlockPublicPolicy", "RecoveryWindowInDays"):
        if name in call.parameters:
            yield f"secretsmanager:{name}", str(call.parameters[name]).lower()


def _servicediscovery(call: Call, _resource: str, place: Place, _existing: Existing) -> Read:
    namespace = call.parameters.get("NamespaceId")
    yield "servicediscovery:NamespaceArn", namespace and place.arn("servicediscovery", f"namespace/{namespace}")
    yield "servicediscovery:NamespaceName", call.parameters.get("Name") if "Namespace" in call.operation else None


def _sts(call: Call, _resource: str, _place: Place, _existing: Existing) -> Read:
    yield "sts:ExternalId", call.parameters.get("ExternalId")
    yield "sts:RoleSessionName", call.parameters.get("RoleSessionName")


SERVICES: dict[str, Callable[[Call, str, Place, Existing], Read]] = {
    "acm": _acm,
    "cloudwatch": _cloudwatch,
    "ec2": _ec2,
    "ecs": _ecs,
    "iam": _iam,
    "kms": _kms,
    "route53": _route53,
    "s3": _s3,
    "secretsmanager": _secretsmanager,
    "servicediscovery": _servicediscovery,
    "sts": _sts,
}
