# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What keeps data: buckets, queues, topics, secrets, log groups, image repositories and what a DB instance needs."""

from __future__ import annotations

from ansible_collections.sm2a.airflow.plugins.module_utils.propagation.model import (
    OWN_NAME,
    PROVIDER,
    Create,
    Late,
    Look,
)

S3 = f"{PROVIDER}/blob/main/internal/service/s3/bucket.go"
S3_ENCRYPTION = f"{PROVIDER}/blob/main/internal/service/s3/bucket_server_side_encryption_configuration.go"
SQS = f"{PROVIDER}/blob/main/internal/service/sqs/queue.go"
SNS = "https://github.com/ansible/ansible/pull/67089"
SECRETS = f"{PROVIDER}/pull/18462"
LOGS = "https://github.com/aws/aws-cdk/issues/15709"
ECR = f"{PROVIDER}/blob/main/internal/service/ecr/repository.go"
PARAMETER_GROUPS = "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBParameterGroup.html"
SUBNET_GROUPS = "https://github.com/aws-controllers-k8s/rds-controller/pull/88"
DB_INSTANCES = f"{PROVIDER}/blob/main/internal/service/rds/instance.go"

CREATES = (
    Create(
        "s3",
        "CreateBucket",
        "Bucket",
        (
            Late("s3", S3, ("NoSuchBucket", "404"), named="Bucket", status=404),
            # S3 refuses changes of one bucket that meet; the creation itself may be one of them.
            Late("s3", S3_ENCRYPTION, ("OperationAborted",), calls="CreateBucket|PutBucket.+", always=True, status=409),
        ),
        Look("s3", "HeadBucket", (("Bucket", "thing"),)),
    ),
    Create(
        "sqs",
        "CreateQueue",
        "[QueueName, QueueUrl]",
        (
            Late(
                "sqs",
                SQS,
                ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"),
                calls="GetQueueUrl|GetQueueAttributes|SetQueueAttributes|ListQueueTags|TagQueue|UntagQueue",
                named="[QueueName, QueueUrl]",
            ),
        ),
        Look("sqs", "GetQueueUrl", (("QueueName", f"{OWN_NAME} | [0]"),)),
    ),
    Create(
        "sns",
        "CreateTopic",
        "TopicArn",
        (Late("sns", SNS, ("NotFound", "NotFoundException"), named="[TopicArn, ResourceArn]", status=404),),
        Look("sns", "GetTopicAttributes", (("TopicArn", "thing"),)),
    ),
    Create(
        "secretsmanager",
        "CreateSecret",
        "[Name, ARN]",
        (Late("secretsmanager", SECRETS, ("ResourceNotFoundException",), says="specified secret.", named="SecretId"),),
        Look("secretsmanager", "DescribeSecret", (("SecretId", f"{OWN_NAME} | [0]"),)),
    ),
    Create(
        "logs",
        "CreateLogGroup",
        "logGroupName",
        (
            Late("logs", LOGS, ("ResourceNotFoundException",), says="log group", named="logGroupName"),
            Late(
                "logs",
                LOGS,
                ("OperationAbortedException",),
                says="try again",
                calls="CreateLogGroup|PutRetentionPolicy",
                always=True,
                seconds=60,
            ),
        ),
    ),
    Create(
        "ecr",
        "CreateRepository",
        "repositoryName",
        (
            Late(
                "ecr",
                ECR,
                ("RepositoryNotFoundException",),
                calls="DescribeRepositories|GetLifecyclePolicy|ListTagsForResource|Put.+|TagResource",
                named="[repositoryName, repositoryNames]",
            ),
        ),
        Look("ecr", "DescribeRepositories", (("repositoryNames", "[thing]"),)),
    ),
    Create(
        "rds",
        "CreateDBParameterGroup",
        "DBParameterGroupName",
        (
            Late(
                "rds",
                PARAMETER_GROUPS,
                ("DBParameterGroupNotFound", "DBParameterGroupNotFoundFault"),
                named="DBParameterGroupName",
                seconds=300,
                status=404,
            ),
        ),
        Look("rds", "DescribeDBParameterGroups", (("DBParameterGroupName", "thing"),)),
    ),
    Create(
        "rds",
        "CreateDBSubnetGroup",
        "DBSubnetGroupName",
        (
            Late(
                "rds",
                SUBNET_GROUPS,
                ("DBSubnetGroupNotFoundFault", "DBSubnetGroupNotFound"),
                named="DBSubnetGroupName",
                status=404,
            ),
        ),
        Look("rds", "DescribeDBSubnetGroups", (("DBSubnetGroupName", "thing"),)),
    ),
    *(
        Create(
            "rds",
            operation,
            "DBInstanceIdentifier",
            (
                Late(
                    "rds",
                    DB_INSTANCES,
                    ("DBInstanceNotFound", "DBInstanceNotFoundFault"),
                    named="DBInstanceIdentifier",
                    status=404,
                ),
            ),
            Look("rds", "DescribeDBInstances", (("DBInstanceIdentifier", "thing"),)),
        )
        for operation in ("CreateDBInstance", "RestoreDBInstanceFromDBSnapshot")
    ),
)
