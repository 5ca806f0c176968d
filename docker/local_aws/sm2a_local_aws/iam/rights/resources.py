# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The ARNs that a call is about: its parameters, seen with what the reference says about the action."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sm2a_local_aws.iam.request.calls import Call
from sm2a_local_aws.iam.rights import reference
from sm2a_local_aws.iam.rights.existing import Existing, Place
from sm2a_local_aws.iam.rights.reference import ResourceType

Parameters = Mapping[str, Any]

EC2_ID = re.compile(r"(?P<prefix>[a-z]+)-[0-9a-zA-Z]+")
# How ids of EC2 begin, and the type of resource.
EC2_TYPES = {
    "acl": "network-acl",
    "eipalloc": "elastic-ip",
    "eni": "network-interface",
    "fl": "vpc-flow-log",
    "igw": "internet-gateway",
    "nat": "natgateway",
    "pl": "prefix-list",
    "rtb": "route-table",
    "sg": "security-group",
    "sgr": "security-group-rule",
    "subnet": "subnet",
    "vpc": "vpc",
    "vpce": "vpc-endpoint",
}
# Parameters that hold names, by service: the type of resource that they name.
NAMES = {
    "cloudwatch": {
        "AlarmName": "alarm",
        "AlarmNames": "alarm",
        "DashboardName": "dashboard",
        "DashboardNames": "dashboard",
    },
    "ecr": {"repositoryName": "repository", "repositoryNames": "repository"},
    "iam": {
        "UserName": "user",
        "GroupName": "group",
        "PolicyName": "policy",
        "InstanceProfileName": "instance-profile",
    },
    "kms": {"AliasName": "alias"},
    "rds": {
        "DBInstanceIdentifier": "db",
        "DBParameterGroupName": "pg",
        "DBSubnetGroupName": "subgrp",
        "OptionGroupName": "og",
        "DBSnapshotIdentifier": "snapshot",
        "FinalDBSnapshotIdentifier": "snapshot",
    },
    "route53": {"HostedZoneId": "hostedzone", "Id": "hostedzone"},
    "servicediscovery": {"ServiceId": "service", "NamespaceId": "namespace"},
    "sns": {"Name": "topic"},
    "sqs": {"QueueName": "queue"},
}
# Of these the reference knows load balancers only. Target groups, listeners and rules have tags too.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_AddTags.html
OF_ANY_TYPE = ("elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags")
# What a name begins with that its ARN has already.
PREFIXES = ("/hostedzone/", "alias/")


def of(call: Call, action: str, place: Place, existing: Existing) -> list[str]:
    """The resources of one action of the call, at least one: what does not exist yet ends in a star."""
    types = reference.resource_types(action)
    if not types:
        return [_without_types(action, place)]
    named = list(dict.fromkeys(_named(call, types, place, existing)))
    if named and action in OF_ANY_TYPE:
        return named
    met = [(kind, [arn for arn in named if kind.describes(arn)]) for kind in types]
    found = [arn for _kind, arns in met for arn in arns]
    # Types before a slash, such as those of load balancers, are alternatives.
    families = {kind.name.split("/")[0] for kind, arns in met if arns}
    missing: dict[str, str] = {}
    for kind, _arns in met:
        if kind.required and kind.name.split("/")[0] not in families:
            missing.setdefault(kind.name.split("/")[0], fill(kind, place))
    # A call that names nothing is about all there is.
    return list(dict.fromkeys([*found, *missing.values()])) or [fill(types[-1], place)]


def fill(kind: ResourceType, place: Place, *names: str) -> str:
    """The ARN of the type; its own placeholders take the names in their order, and stars."""
    given = {"Partition": place.partition, "Region": place.region, "Account": place.account}
    own = [one for one in reference.PLACEHOLDER.findall(kind.arn) if one not in given]
    return kind.fill(given | dict(zip(own, names, strict=False)))


def _without_types(action: str, place: Place) -> str:
    # AWS names it so in its refusals.
    return place.arn("logs", "log-group::log-stream:") if action == "logs:DescribeLogGroups" else "*"


def _named(call: Call, types: Iterable[ResourceType], place: Place, existing: Existing) -> Iterable[str]:
    """ARNs of everything that the parameters name, whatever its type."""
    by_name = {kind.name: kind for kind in types}
    for name, value in call.parameters.items():
        for text in _texts(value):
            kind = by_name.get(NAMES.get(call.service, {}).get(name, ""))
            if text.startswith("arn:"):
                # A subscription is called like its topic, with an id behind it.
                yield text.rpartition(":")[0] if name == "SubscriptionArn" else text
            elif kind is not None:
                yield fill(kind, place, _bare(text))
    resolve = SERVICES.get(call.service)
    if resolve is not None:
        yield from resolve(call, place, existing)


def _texts(value: Any) -> list[str]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


def _bare(name: str) -> str:
    for prefix in PREFIXES:
        name = name.removeprefix(prefix)
    return name


def _ec2(call: Call, place: Place, existing: Existing) -> Iterable[str]:
    """Only ids beside each other: a rule names other groups deeper down, which nothing is done to."""
    ids = [text for value in call.parameters.values() for text in _texts(value)]
    ids += [member for one in ids if "assoc-" in one for member in existing.members_of_association(one)]
    for one in ids:
        match = EC2_ID.fullmatch(one)
        if match and match["prefix"] in EC2_TYPES:
            yield place.arn("ec2", f"{EC2_TYPES[match['prefix']]}/{one}")


def cluster_arn(parameters: Parameters, place: Place) -> str:
    """The cluster of an ECS call."""
    name = str(parameters.get("cluster") or parameters.get("clusterName") or "default")
    return name if name.startswith("arn:") else place.arn("ecs", f"cluster/{name}")


def task_definition_arn(name: str, place: Place, existing: Existing) -> str:
    """Of a name, a name with a revision, or an ARN; the newest revision where none is named."""
    newest = existing.arn_of_task_definition(name) if ":" not in name else None
    return newest or (name if name.startswith("arn:") else place.arn("ecs", f"task-definition/{name}"))


def names_cluster(parameters: Parameters) -> bool:
    """Whether an ECS call is about one cluster, be it the default one: not with a list of them, nor with an ARN."""
    others = {"clusters", "resourceArn", "family", "familyPrefix", "taskDefinitions"}
    return "cluster" in parameters or not parameters.keys() & others


def _ecs(call: Call, place: Place, existing: Existing) -> Iterable[str]:
    parameters, cluster = call.parameters, cluster_arn(call.parameters, place)
    name = cluster.rpartition("/")[2]
    if names_cluster(parameters):
        yield cluster
    for one in _texts(parameters.get("clusters")):
        yield one if one.startswith("arn:") else place.arn("ecs", f"cluster/{one}")
    for key, kind in (("task", "task"), ("tasks", "task"), ("service", "service"), ("services", "service")):
        for one in _texts(parameters.get(key)):
            yield one if one.startswith("arn:") else place.arn("ecs", f"{kind}/{name}/{one}")
    # CreateService.
    for one in _texts(parameters.get("serviceName")):
        yield place.arn("ecs", f"service/{name}/{one}")
    for one in _texts(parameters.get("taskDefinition")) + _texts(parameters.get("taskDefinitions")):
        yield task_definition_arn(one, place, existing)
    for one in _texts(parameters.get("family")):
        yield place.arn("ecs", f"task-definition/{one}:*")


def _elbv2(call: Call, place: Place, _existing: Existing) -> Iterable[str]:
    for name in _texts(call.parameters.get("Name")):
        kind = "targetgroup" if call.operation == "CreateTargetGroup" else "loadbalancer/app"
        yield place.arn("elasticloadbalancing", f"{kind}/{name}/*")


def _iam(call: Call, place: Place, existing: Existing) -> Iterable[str]:
    for name in _texts(call.parameters.get("RoleName")):
        # Before the role exists only CreateRole knows its path.
        yield existing.arn_of_role(name) or place.role_arn(name, str(call.parameters.get("Path") or "/"))


def _kms(call: Call, place: Place, existing: Existing) -> Iterable[str]:
    for name in _texts(call.parameters.get("KeyId")) + _texts(call.parameters.get("TargetKeyId")):
        yield existing.arn_of_key(name) or place.arn("kms", name if name.startswith("alias/") else f"key/{name}")


def _logs(call: Call, place: Place, _existing: Existing) -> Iterable[str]:
    names = _texts(call.parameters.get("logGroupName")) + _texts(call.parameters.get("logGroupIdentifier"))
    for name in names:
        stream = call.parameters.get("logStreamName", "")
        # Only the calls about tags name a group without its streams.
        yield place.arn("logs", f"log-group:{name}:log-stream:{stream}")
    for arn in _texts(call.parameters.get("resourceArn")):
        yield arn.removesuffix(":*")


def _rds(call: Call, place: Place, _existing: Existing) -> Iterable[str]:
    if "DBInstanceClass" in call.parameters and "OptionGroupName" not in call.parameters:
        # A new instance gets the one of its engine and version.
        yield place.arn("rds", "og:default:*")


def _s3(call: Call, place: Place, _existing: Existing) -> Iterable[str]:
    bucket = call.parameters.get("Bucket")
    if not isinstance(bucket, str):
        return
    yield f"arn:{place.partition}:s3:::{bucket}"
    keys = _texts(call.parameters.get("Key"))
    keys += [one["Key"] for one in (call.parameters.get("Delete") or {}).get("Objects", []) if "Key" in one]
    for key in keys:
        yield f"arn:{place.partition}:s3:::{bucket}/{key}"


def _secretsmanager(call: Call, place: Place, existing: Existing) -> Iterable[str]:
    for name in _texts(call.parameters.get("SecretId")) + _texts(call.parameters.get("Name")):
        found = existing.arn_of_secret(name)
        yield found or (name if name.startswith("arn:") else place.arn("secretsmanager", f"secret:{name}"))


def _servicediscovery(call: Call, place: Place, _existing: Existing) -> Iterable[str]:
    for name in _texts(call.parameters.get("Id")):
        kind = "namespace" if "Namespace" in call.operation else "service"
        yield place.arn("servicediscovery", f"{kind}/{name}")


def _sqs(call: Call, place: Place, _existing: Existing) -> Iterable[str]:
    for url in _texts(call.parameters.get("QueueUrl")):
        yield place.arn("sqs", url.rstrip("/").rpartition("/")[2])


def _wafv2(call: Call, place: Place, existing: Existing) -> Iterable[str]:
    for name in _texts(call.parameters.get("Name")):
        yield existing.arn_of_web_acl(name) or place.arn("wafv2", f"regional/webacl/{name}/*")
    for arn in _texts(call.parameters.get("ResourceArn")):
        web_acl = existing.arn_of_associated_web_acl(arn)
        yield from [web_acl] if web_acl else []
    if "ManagedRuleGroupStatement" in str(call.parameters.get("Rules", "")):
        yield place.arn("wafv2", "regional/managedruleset/*/*")


SERVICES: dict[str, Callable[[Call, Place, Existing], Iterable[str]]] = {
    "ec2": _ec2,
    "ecs": _ecs,
    "elbv2": _elbv2,
    "iam": _iam,
    "kms": _kms,
    "logs": _logs,
    "rds": _rds,
    "s3": _s3,
    "secretsmanager": _secretsmanager,
    "servicediscovery": _servicediscovery,
    "sqs": _sqs,
    "wafv2": _wafv2,
}
