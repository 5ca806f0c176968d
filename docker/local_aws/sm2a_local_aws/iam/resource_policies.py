# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The policies of resources, as the services of MiniStack keep them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import iam, kms, s3, secretsmanager, sns, sqs

from sm2a_local_aws.iam.policy import documents as policies
from sm2a_local_aws.iam.policy.documents import Document
from sm2a_local_aws.patching.points import relies_on

relies_on("ministack.services.kms", {"key_policy_for_arn": "f2a07f08d904"})
relies_on("ministack.services.s3", {"bucket_policy_for_arn": "6715df59894b"})
relies_on("ministack.services.secretsmanager", {"secret_policy_for_arn": "f185a3f2909a"})
relies_on("ministack.services.sqs", {"queue_policy_for_arn": "fd2276b9eed5"})


def of(action: str, resource: str) -> Document | None:
    """The policy of the resource that an action is done to; None where there is none."""
    read = READ.get(action if action == "sts:AssumeRole" else action.partition(":")[0])
    document = read(resource) if read else None
    if document:
        return policies.parse(document)
    # Nobody gets into a role that does not exist.
    return () if action == "sts:AssumeRole" else None


def _first(found: Any) -> Any:
    """MiniStack gives (policy, owner)."""
    return found[0] if found else None


READ: dict[str, Callable[[str], Any]] = {
    "kms": lambda arn: _first(kms.key_policy_for_arn(arn)),
    "s3": lambda arn: _first(s3.bucket_policy_for_arn(arn)),
    "secretsmanager": lambda arn: _first(secretsmanager.secret_policy_for_arn(arn)),
    "sns": lambda arn: (sns._topics.get(arn) or {}).get("attributes", {}).get("Policy"),
    "sqs": lambda arn: _first(sqs.queue_policy_for_arn(arn)),
    "sts:AssumeRole": lambda arn: (iam._roles.get(arn.rpartition("/")[2]) or {}).get("AssumeRolePolicyDocument"),
}
