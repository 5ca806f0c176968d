# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""S3: buckets for logs and DAGs. ECR: the repositories of the images."""

from __future__ import annotations

from typing import Any

from ..control import Verdicts, control, when
from ..environment import Environment, optional
from ..policies import public, refuses_plain_text

AGAIN = "Run site.yml: the role storage sets it."
IMAGES_AGAIN = "Run site.yml: the role images sets it."
BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def setting(environment: Environment, bucket: str, operation: str, *codes: str) -> dict[str, Any]:
    """What one of S3's get_bucket_* returns; {} when it was never set."""
    read = getattr(environment.aws("s3"), operation)
    return dict(optional(read, *codes, Bucket=bucket))


def policy(environment: Environment, bucket: str) -> str | None:
    return setting(environment, bucket, "get_bucket_policy", "NoSuchBucketPolicy").get("Policy")


def access_log_targets(environment: Environment) -> set[str]:
    """Buckets that receive access logs, which cannot write logs of themselves into themselves, nor be KMS encrypted."""
    return {
        target
        for name in environment.buckets
        if (target := setting(environment, name, "get_bucket_logging").get("LoggingEnabled", {}).get("TargetBucket"))
    }


@control("S3.5", "Requests without TLS are refused", AGAIN)
def tls(environment: Environment) -> Verdicts:
    found = environment.buckets
    yield from when(
        ((name, not refuses_plain_text(policy(environment, name))) for name in found), "its policy does not"
    )


@control("S3.policy", "No bucket policy allows anyone", AGAIN)
def private(environment: Environment) -> Verdicts:
    found = environment.buckets
    yield from when(((name, public(policy(environment, name))) for name in found), "its policy allows anyone")


@control("S3.8", "Public access is blocked", AGAIN)
def public_access(environment: Environment) -> Verdicts:
    for name in environment.buckets:
        answer = setting(environment, name, "get_public_access_block", "NoSuchPublicAccessBlockConfiguration")
        blocks = answer.get("PublicAccessBlockConfiguration", {})
        missing = [block for block in BLOCKS if not blocks.get(block)]
        yield name, f"without {', '.join(missing)}" if missing else ""


@control("S3.9", "Access to buckets is logged", AGAIN)
def access_logs(environment: Environment) -> Verdicts:
    targets = access_log_targets(environment)
    for name in environment.buckets:
        if name not in targets:
            logged = setting(environment, name, "get_bucket_logging").get("LoggingEnabled")
            yield name, "" if logged else "no access log"


@control("S3.12", "No ACLs", AGAIN)
def ownership(environment: Environment) -> Verdicts:
    code = "OwnershipControlsNotFoundError"
    for name in environment.buckets:
        controls = setting(environment, name, "get_bucket_ownership_controls", code).get("OwnershipControls", {})
        owners = [rule["ObjectOwnership"] for rule in controls.get("Rules", [])]
        yield name, "" if owners == ["BucketOwnerEnforced"] else "ACLs are possible"


@control("S3.13", "Objects have an end", AGAIN)
def lifecycle(environment: Environment) -> Verdicts:
    code = "NoSuchLifecycleConfiguration"
    for name in environment.buckets:
        rules = setting(environment, name, "get_bucket_lifecycle_configuration", code).get("Rules", [])
        active = [rule for rule in rules if rule["Status"] == "Enabled"]
        yield name, "" if active else "no lifecycle rule"


@control("S3.14", "Versioning is on", AGAIN)
def versioning(environment: Environment) -> Verdicts:
    for name in environment.buckets:
        status = setting(environment, name, "get_bucket_versioning").get("Status", "off")
        yield name, "" if status == "Enabled" else f"it is {status}"


@control("S3.17", "Objects are encrypted with a KMS key", AGAIN)
def encryption(environment: Environment) -> Verdicts:
    targets = access_log_targets(environment)
    code = "ServerSideEncryptionConfigurationNotFoundError"
    for name in environment.buckets:
        answer = setting(environment, name, "get_bucket_encryption", code)
        rules = answer.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
        kinds = {rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] for rule in rules}
        # Neither S3 nor ELB writes access logs into a bucket with a KMS key.
        wanted = {"AES256", "aws:kms"} if name in targets else {"aws:kms", "aws:kms:dsse"}
        yield name, "" if kinds & wanted else f"encrypted with {', '.join(kinds) or 'nothing'}"


@control("ECR.1", "Images are scanned when they are pushed", IMAGES_AGAIN)
def scan(environment: Environment) -> Verdicts:
    for one in environment.repositories:
        yield one["repositoryName"], "" if one["imageScanningConfiguration"]["scanOnPush"] else "not scanned"


@control("ECR.2", "Tags of images cannot move", IMAGES_AGAIN)
def immutable(environment: Environment) -> Verdicts:
    for one in environment.repositories:
        yield one["repositoryName"], "" if one["imageTagMutability"] == "IMMUTABLE" else "tags can move"


@control("ECR.3", "Old images are removed", IMAGES_AGAIN)
def images_lifecycle(environment: Environment) -> Verdicts:
    read = environment.aws("ecr").get_lifecycle_policy
    for one in environment.repositories:
        name = one["repositoryName"]
        found = optional(read, "LifecyclePolicyNotFoundException", repositoryName=name)
        yield name, "" if found else "no lifecycle policy"
