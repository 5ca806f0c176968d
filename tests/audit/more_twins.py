# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Twins of tasks, buckets, repositories, roles, logs and keys."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.sm2a.airflow.tests.audit.twins import PUBLIC, policy, twin
from ansible_collections.sm2a.airflow.tests.support.certificate import self_signed
from ansible_collections.sm2a.airflow.tools.audit.environment import Environment

SAFE_CONTAINER: dict[str, Any] = {
    "name": "twin",
    "image": "registry.example.com/twin@sha256:" + "3" * 64,
    "user": "1000",
    "readonlyRootFilesystem": True,
    "logConfiguration": {"logDriver": "awslogs"},
}


@twin("ECS.4", "ECS.5", "ECS.8", "ECS.9", "ECS.20", "ECS.digest", "ECS.3", "ECS.17")
def task_definition(environment: Environment, identity: str) -> None:
    containers: dict[str, dict[str, Any]] = {
        "ECS.4": {"privileged": True},
        "ECS.5": {"readonlyRootFilesystem": False},
        "ECS.8": {"environment": [{"name": "DB_URL", "value": "postgresql://me:secret@db.example.com/facts"}]},
        "ECS.9": {"logConfiguration": None},
        "ECS.20": {"user": "0:0"},
        "ECS.digest": {"image": "registry.example.com/twin:latest"},
    }
    tasks: dict[str, dict[str, Any]] = {"ECS.3": {"pidMode": "host"}, "ECS.17": {"networkMode": "host"}}
    container = {**SAFE_CONTAINER, **containers.get(identity, {})}
    spoilt = {key: value for key, value in container.items() if value is not None}
    environment.aws("ecs").register_task_definition(
        family=f"{environment.name}-{identity.lower().replace('.', '-')}",
        **{"networkMode": "awsvpc", **tasks.get(identity, {})},
        containerDefinitions=[spoilt],
    )


@twin("ECS.2", "ECS.10", "ECS.exec", "ECS.rollback")
def service(environment: Environment, identity: str) -> None:
    one = environment.services[0]
    network = one["networkConfiguration"]["awsvpcConfiguration"]
    change: dict[str, dict[str, Any]] = {
        "ECS.2": {"networkConfiguration": {"awsvpcConfiguration": {**network, "assignPublicIp": "ENABLED"}}},
        "ECS.10": {"platformVersion": "1.3.0"},
        "ECS.exec": {"enableExecuteCommand": True},
        "ECS.rollback": {"deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": False, "rollback": False}}},
    }
    environment.aws("ecs").update_service(cluster=environment.name, service=one["serviceName"], **change[identity])


@twin("ECS.12")
def no_insights(environment: Environment) -> None:
    settings = [{"name": "containerInsights", "value": "disabled"}]
    environment.aws("ecs").update_cluster_settings(cluster=environment.name, settings=settings)


@twin("S3.8", "S3.policy", "S3.5", "S3.12", "S3.13", "S3.14", "S3.17", "S3.9")
def bucket(environment: Environment, identity: str) -> None:
    s3 = environment.aws("s3")
    name = next(name for name in environment.buckets if "-access-logs" not in name and "-run-lock" not in name)
    aes = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    match identity:
        case "S3.policy":
            kept = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])["Statement"]
            s3.put_bucket_policy(Bucket=name, Policy=policy(*kept, PUBLIC))
        case "S3.5":
            s3.delete_bucket_policy(Bucket=name)
        case "S3.8":
            s3.delete_public_access_block(Bucket=name)
        case "S3.9":
            s3.put_bucket_logging(Bucket=name, BucketLoggingStatus={})
        case "S3.12":
            s3.delete_bucket_ownership_controls(Bucket=name)
        case "S3.13":
            s3.delete_bucket_lifecycle(Bucket=name)
        case "S3.14":
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Suspended"})
        case "S3.17":
            s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": aes})


@twin("ECR.1", "ECR.2", "ECR.3")
def repository(environment: Environment, identity: str) -> None:
    ecr = environment.aws("ecr")
    name = environment.repositories[0]["repositoryName"]
    match identity:
        case "ECR.1":
            ecr.put_image_scanning_configuration(repositoryName=name, imageScanningConfiguration={"scanOnPush": False})
        case "ECR.2":
            ecr.put_image_tag_mutability(repositoryName=name, imageTagMutability="MUTABLE")
        case "ECR.3":
            ecr.delete_lifecycle_policy(repositoryName=name)


@twin("IAM.protection", "IAM.send", "IAM.logs", "IAM.groups")
def workers_apart(environment: Environment, identity: str) -> None:
    name = environment.name
    bucket = next(bucket for bucket in environment.buckets if bucket.startswith(f"{name}-logs-"))
    action, resource = {
        "IAM.protection": ("ecs:UpdateTaskProtection", f"arn:aws:ecs:eu-west-1:000000000000:task/{name}/*"),
        "IAM.send": ("sqs:SendMessage", f"arn:aws:sqs:eu-west-1:000000000000:{name}-*"),
        "IAM.logs": ("s3:Get*", f"arn:aws:s3:::{bucket}/*"),
        "IAM.groups": ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:*:*:secret:{name}/*"),
    }[identity]
    environment.aws("iam").put_role_policy(
        RoleName=f"{name}-worker",
        PolicyName=f"twin-{identity.lower()}",
        PolicyDocument=policy({"Effect": "Allow", "Action": action, "Resource": resource}),
    )


@twin("IAM.resource", "KMS.2", "IAM.21", "IAM.1")
def wide_policy(environment: Environment, identity: str) -> None:
    action, resource = {
        "IAM.resource": ("sqs:SendMessage", "*"),
        "KMS.2": ("kms:Decrypt", "*"),
        "IAM.21": ("s3:*", "arn:aws:s3:::twin"),
        "IAM.1": ("*", "*"),
    }[identity]
    environment.aws("iam").put_role_policy(
        RoleName=environment.roles[0]["RoleName"],
        PolicyName=f"twin-{identity.lower()}",
        PolicyDocument=policy({"Effect": "Allow", "Action": action, "Resource": resource}),
    )


@twin("IAM.trust")
def trust(environment: Environment) -> None:
    anybody = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}
    name = environment.roles[0]["RoleName"]
    environment.aws("iam").update_assume_role_policy(RoleName=name, PolicyDocument=policy(anybody))


@twin("IAM.attached")
def administrator(environment: Environment) -> None:
    wide = "arn:aws:iam::aws:policy/AdministratorAccess"
    environment.aws("iam").attach_role_policy(RoleName=environment.roles[0]["RoleName"], PolicyArn=wide)


@twin("CloudWatch.16")
def endless_log_group(environment: Environment) -> None:
    environment.aws("logs").delete_retention_policy(logGroupName=environment.log_groups[0]["logGroupName"])


@twin("CloudWatch.key")
def log_group_without_a_key(environment: Environment) -> None:
    environment.aws("logs").create_log_group(logGroupName=f"/aws/ecs/containerinsights/{environment.name}/twin")


@twin("CloudWatch.15")
def alarm_for_nobody(environment: Environment) -> None:
    environment.aws("cloudwatch").put_metric_alarm(
        AlarmName=f"{environment.name}/twin",
        MetricName="CPUUtilization",
        Namespace="AWS/RDS",
        Statistic="Average",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
    )


@twin("CloudWatch.17")
def silence(environment: Environment) -> None:
    environment.aws("cloudwatch").disable_alarm_actions(AlarmNames=[environment.alarms[0]["AlarmName"]])


@twin("ACM.2")
def weak_certificate(environment: Environment) -> None:
    certificate, key = self_signed(bits=1024)
    arn = environment.aws("acm").import_certificate(Certificate=certificate, PrivateKey=key)["CertificateArn"]
    listener = next(one["ListenerArn"] for one in environment.listeners if one["Protocol"] == "HTTPS")
    environment.aws("elbv2").modify_listener(ListenerArn=listener, Certificates=[{"CertificateArn": arn}])


@twin("KMS.4", "KMS.5", "KMS.3")
def key(environment: Environment, identity: str) -> None:
    kms = environment.aws("kms")
    one = environment.keys[0]["KeyId"]
    match identity:
        case "KMS.4":
            kms.disable_key_rotation(KeyId=one)
        case "KMS.5":
            kms.put_key_policy(KeyId=one, PolicyName="default", Policy=policy({**PUBLIC, "Action": "kms:*"}))
        case "KMS.3":
            kms.schedule_key_deletion(KeyId=one, PendingWindowInDays=7)
