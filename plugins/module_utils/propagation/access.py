# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""IAM roles, also those of services, and KMS keys: their own services know them late, others even later."""

from __future__ import annotations

from ansible_collections.sm2a.airflow.plugins.module_utils.propagation.model import (
    ANY_CALL,
    PROVIDER,
    Create,
    Late,
    Look,
)

IAM = "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency"
KMS = "https://docs.aws.amazon.com/kms/latest/developerguide/accessing-kms.html#programming-eventual-consistency"
KMS_TAGS = "https://docs.aws.amazon.com/kms/latest/developerguide/tag-authorization.html"
INVALID_PARAMETER = ("InvalidParameterException", "ClientException")

CREATES = (
    Create(
        "iam",
        "CreateRole",
        "[RoleName, Role.Arn]",
        (
            Late(
                "iam",
                f"{PROVIDER}/pull/18435",
                ("NoSuchEntity",),
                says="role with name",
                named="RoleName",
                status=404,
            ),
            # These calls do not name the role itself: the task definition does.
            Late(
                "ecs",
                "https://github.com/hashicorp/terraform/issues/4375",
                INVALID_PARAMETER,
                says="nable to assume",
                calls="CreateService|RunTask|UpdateService",
                always=True,
            ),
            Late(
                "ec2",
                IAM,
                ("InvalidParameter",),
                says="Unable to assume given IAM role",
                calls="CreateFlowLogs",
                always=True,
            ),
            Late(
                "rds",
                f"{PROVIDER}/blob/main/internal/service/rds/instance.go",
                ("InvalidParameterValue",),
                says="ENHANCED_MONITORING",
                calls="CreateDBInstance|ModifyDBInstance|RestoreDBInstanceFromDBSnapshot",
                always=True,
            ),
            # Policies of resources that name the role.
            Late(
                "kms",
                f"{PROVIDER}/blob/main/internal/service/kms/key.go",
                ("MalformedPolicyDocumentException",),
                says="invalid principals",
                calls="CreateKey|PutKeyPolicy",
            ),
            Late(
                "s3",
                f"{PROVIDER}/blob/main/internal/service/s3/bucket_policy.go",
                ("MalformedPolicy",),
                says="Invalid principal in policy",
                calls="PutBucketPolicy",
            ),
            Late(
                "secretsmanager",
                "https://github.com/boto/boto3/issues/3206",
                ("MalformedPolicyDocumentException",),
                says="unsupported principal",
                calls="PutResourcePolicy",
            ),
            Late(
                "sqs",
                f"{PROVIDER}/pull/35861",
                ("InvalidAttributeValue",),
                says="Invalid value for the parameter Policy",
                calls="CreateQueue|SetQueueAttributes",
                # SQS has the same words for every mistake in a policy.
                seconds=30,
            ),
            Late(
                "sns",
                f"{PROVIDER}/issues/26041",
                ("InvalidParameter", "InvalidParameterException"),
                says="PrincipalNotFound",
                calls="CreateTopic|SetTopicAttributes",
            ),
        ),
        Look("iam", "GetRole", (("RoleName", "name"),)),
        r"arn:[\w-]+:iam::\d{12}:role/[\w+=,.@/-]+",
    ),
    # Services make these themselves when an account first uses them.
    Create(
        "iam",
        "CreateServiceLinkedRole",
        "[Role.RoleName, Role.Arn]",
        (
            Late(
                "ecs",
                f"{PROVIDER}/pull/15457",
                INVALID_PARAMETER,
                says="nable to assume the service linked role",
                calls="CreateCluster|PutClusterCapacityProviders",
                always=True,
            ),
            Late(
                "rds",
                "https://github.com/terraform-aws-modules/terraform-aws-rds/issues/364",
                ("InvalidParameterValue",),
                says="Missing necessary credentials",
                calls="CreateDBSubnetGroup",
                always=True,
            ),
            Late(
                "rds",
                "https://github.com/aws-samples/eks-workshop-v2/issues/1609",
                ("InvalidParameterValue",),
                says="permission to create service linked role",
                calls="CreateDBInstance|RestoreDBInstanceFromDBSnapshot",
                always=True,
            ),
        ),
        by_service=True,
    ),
    Create(
        "kms",
        "CreateKey",
        "[KeyMetadata.KeyId, KeyMetadata.Arn]",
        (
            Late("kms", KMS, ("NotFoundException",), named="[KeyId, TargetKeyId]"),
            # Who may use only keys with certain tags is refused until IAM knows the tags: up to five minutes.
            Late(
                "kms",
                KMS_TAGS,
                ("AccessDeniedException",),
                calls=f"(?!CreateKey|DescribeKey){ANY_CALL}",
                named="[KeyId, TargetKeyId]",
                seconds=360,
                own=True,
            ),
        ),
        Look("kms", "DescribeKey", (("KeyId", "name"),)),
    ),
    Create(
        "kms",
        "CreateAlias",
        "AliasName",
        (Late("kms", f"{PROVIDER}/blob/main/internal/service/kms/alias.go", ("NotFoundException",), named="KeyId"),),
        Look("kms", "DescribeKey", (("KeyId", "thing"),)),
    ),
)
