# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The account as MiniStack has it: what existing.py asks for."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ministack.services import (
    acm,
    alb,
    cloudwatch,
    cloudwatch_logs,
    ec2,
    ecr,
    ecs,
    iam,
    kms,
    rds,
    s3,
    secretsmanager,
    servicediscovery,
    sns,
    sqs,
    waf,
)

from sm2a_local_aws.iam.request import tags
from sm2a_local_aws.patching.points import relies_on

relies_on("ministack.services.secretsmanager", {"_resolve": "457901fe05e6"})
relies_on("ministack.services.kms", {"_resolve_key": "90e6b84ded7c"})

KEY_OF_BUCKET = re.compile(r"<KMSMasterKeyID>([^<]+)</KMSMasterKeyID>")


class Account:
    """The account and Region of the request that is being answered (MiniStack's context variables)."""

    def tags(self, arn: str) -> dict[str, str]:
        read = TAGS.get(_service(arn))
        return tags.read(read(arn)) if read else {}

    def arn_of_role(self, name: str) -> str | None:
        role = iam._roles.get(name)
        return role["Arn"] if role else None

    def boundary_of_role(self, name: str) -> str | None:
        boundary = (iam._roles.get(name) or {}).get("PermissionsBoundary")
        found: str | None = boundary.get("PermissionsBoundaryArn") if isinstance(boundary, dict) else boundary
        return found

    def vpc_of(self, identifier: str) -> str | None:
        stores = (ec2._subnets, ec2._security_groups, ec2._route_tables, ec2._network_acls, ec2._vpc_endpoints)
        record = next((store.get(identifier) for store in stores if store.get(identifier)), None) or {}
        return record.get("VpcId")

    def arn_of_secret(self, name_or_arn: str) -> str | None:
        _name, secret = secretsmanager._resolve(name_or_arn)
        return secret["ARN"] if secret else None

    def arn_of_key(self, reference: str) -> str | None:
        key = kms._resolve_key(reference)
        return key["Arn"] if key else None

    def aliases_of_key(self, arn: str) -> list[str]:
        found = [alias for alias, key in kms._aliases.items() if key == _last(arn)]
        return sorted(alias.rpartition(":")[2] for alias in found)

    def arn_of_task_definition(self, family: str) -> str | None:
        revision = ecs._task_def_latest.get(family)
        found = ecs._task_defs.get(f"{family}:{revision}")
        return found["taskDefinitionArn"] if found else None

    def arn_of_web_acl(self, name: str) -> str | None:
        return next((one["ARN"] for one in waf._web_acls.values() if one["Name"] == name), None)

    def arn_of_associated_web_acl(self, resource: str) -> str | None:
        found: str | None = waf._associations.get(resource)
        return found

    def members_of_association(self, association: str) -> list[str]:
        for table in ec2._route_tables.values():
            for one in table.get("Associations", []):
                if one.get("RouteTableAssociationId") == association:
                    return [table["RouteTableId"], *([one["SubnetId"]] if one.get("SubnetId") else [])]
        for acl in ec2._network_acls.values():
            for one in acl.get("Associations", []):
                if one.get("NetworkAclAssociationId") == association:
                    return [acl["NetworkAclId"], one["SubnetId"]]
        return []

    def key_of(self, arn: str) -> str | None:
        read = KEYS.get(_service(arn))
        found = read(arn) if read else None
        # Keys of AWS itself let everybody in the account use them through their service.
        return (self.arn_of_key(found) or found) if found and "alias/aws/" not in found else None

    def roles_of_task_definition(self, arn: str) -> list[str]:
        found = ecs._task_defs.get(arn.rpartition("/")[2]) or {}
        return [found[name] for name in ("taskRoleArn", "executionRoleArn") if found.get(name)]

    def service_linked_role(self, service: str) -> bool:
        path = f"/aws-service-role/{service}/"
        return any(role["Path"] == path for role in iam._roles.values())


def _service(arn: str) -> str:
    return arn.split(":")[2] if arn.count(":") >= 5 else ""


def _last(arn: str) -> str:
    return arn.rpartition("/")[2]


def _of_task(arn: str) -> Any:
    return ecs._tags.get(arn) or (ecs._tasks.get(arn) or {}).get("tags")


def _of_certificate(arn: str) -> Any:
    return (acm._certificates.get(arn) or {}).get("Tags")


def _of_repository(arn: str) -> Any:
    return (ecr._repositories.get(arn.partition(":repository/")[2]) or {}).get("tags")


def _of_role(arn: str) -> Any:
    return (iam._roles.get(_last(arn)) or {}).get("Tags")


def _of_key(arn: str) -> Any:
    return (kms._keys.get(_last(arn)) or {}).get("Tags")


def _of_log_group(arn: str) -> Any:
    name = arn.partition(":log-group:")[2].partition(":")[0]
    return (cloudwatch_logs._log_groups.get(name) or {}).get("tags")


def _of_secret(arn: str) -> Any:
    return (secretsmanager._resolve(arn)[1] or {}).get("Tags")


def _of_topic(arn: str) -> Any:
    return (sns._topics.get(arn) or {}).get("tags")


def _queue(arn: str) -> Any:
    name = arn.rpartition(":")[2]
    return sqs._queues.get(sqs._queue_name_to_url.get(name, "")) or {}


def _of_queue(arn: str) -> Any:
    return _queue(arn).get("tags")


# How a service keeps the tags of a resource.
TAGS: dict[str, Callable[[str], Any]] = {
    "acm": _of_certificate,
    "cloudwatch": cloudwatch._resource_tags.get,
    "ec2": lambda arn: ec2._tags.get(_last(arn)),
    "ecr": _of_repository,
    "ecs": _of_task,
    "elasticloadbalancing": alb._tags.get,
    "iam": _of_role,
    "kms": _of_key,
    "logs": _of_log_group,
    "rds": rds._tags.get,
    "secretsmanager": _of_secret,
    "servicediscovery": servicediscovery._resource_tags.get,
    "sns": _of_topic,
    "sqs": _of_queue,
    "wafv2": waf._waf_tags.get,
}


def _key_of_bucket(arn: str) -> str | None:
    found = KEY_OF_BUCKET.search(str(s3._bucket_encryption.get(arn.rpartition(":::")[2].partition("/")[0]) or ""))
    return found[1] if found else None


def _key_of_repository(arn: str) -> str | None:
    repository = ecr._repositories.get(arn.partition(":repository/")[2]) or {}
    return (repository.get("encryptionConfiguration") or {}).get("kmsKey")


def _key_of_instance(arn: str) -> str | None:
    return (rds._instances.get(arn.rpartition(":")[2]) or {}).get("KmsKeyId")


# How a service keeps the key that a resource is encrypted with.
KEYS: dict[str, Callable[[str], str | None]] = {
    "ecr": _key_of_repository,
    "rds": _key_of_instance,
    "s3": _key_of_bucket,
    "secretsmanager": lambda arn: (secretsmanager._resolve(arn)[1] or {}).get("KmsKeyId"),
    "sns": lambda arn: (sns._topics.get(arn) or {}).get("attributes", {}).get("KmsMasterKeyId"),
    "sqs": lambda arn: _queue(arn).get("attributes", {}).get("KmsMasterKeyId"),
}
