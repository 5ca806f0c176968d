# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""environment_removal_info: against the local AWS, and against scripted answers where that has no such state."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.removal import database, secrets, services, stores
from ansible_collections.sm2a.airflow.plugins.module_utils.removal.findings import Findings, counted, listed, size
from ansible_collections.sm2a.airflow.tests.support import modules as support
from botocore.stub import Stubber

Aws = Callable[[str], Any]
MODULE = "environment_removal_info"
MANIFEST = json.dumps({"schemaVersion": 2, "config": {}, "layers": []})
TAGS = {"sm2a:environment": "staging"}


@pytest.fixture(scope="session")
def aws_endpoint(local_aws_endpoint: str) -> str:
    """MiniStack as it is deletes what is protected."""
    return local_aws_endpoint


@pytest.fixture
def read(run_module: support.RunModule) -> Callable[..., Findings]:
    """What the module finds with these options; the same in check mode, and it changes nothing."""

    def run(**options: Any) -> Findings:
        result = run_module(MODULE, options)
        assert result["changed"] is False
        assert run_module(MODULE, options, check=True) == result
        return Findings(result["obstacles"], result["lost"], result["kept"])

    return run


@pytest.fixture
def scripted(aws_environment: None) -> Callable[[str], tuple[Any, Stubber]]:
    """``(client, stubber)`` of a service: the calls must be the scripted ones, in order."""

    def make(service: str) -> tuple[Any, Stubber]:
        client = boto3.client(service, region_name=support.REGION)
        stubber = Stubber(client)
        stubber.activate()
        return client, stubber

    return make


def test_nothing_is_said_of_what_is_not_there(read: Callable[..., Findings], unique_name: str) -> None:
    found = read(
        cluster={"name": unique_name, "tags": TAGS},
        log_groups=[f"/sm2a/{unique_name}/"],
        repositories={"names": [f"{unique_name}/airflow"]},
        load_balancer={"name": unique_name},
        queues={"name_prefix": f"{unique_name}-", "tags": TAGS},
        buckets={"names": [f"{unique_name}-logs"]},
        database={"identifier": unique_name},
        secrets=[{"name_prefix": f"{unique_name}/", "tags": TAGS, "recovery_window_in_days": 7}],
        kms_key={"alias": unique_name, "lookup_tags": {"sm2a:environment": unique_name}},
    )
    assert found == Findings() == read()


def test_images_are_lost_by_force_only(read: Callable[..., Findings], aws: Aws, unique_name: str) -> None:
    names = [f"{unique_name}/airflow", f"{unique_name}/autoscaler"]
    for name in names:
        aws("ecr").create_repository(repositoryName=name)
    assert read(repositories={"names": names}) == Findings()
    for tag, manifest in (("one", MANIFEST), ("uno", MANIFEST), ("two", MANIFEST.replace("2", "2 "))):
        aws("ecr").put_image(repositoryName=names[0], imageManifest=manifest, imageTag=tag)
    lost = [f"2 images in the repository {names[0]}."]
    assert read(repositories={"names": names}) == Findings(
        [f"The repository {names[0]} holds 2 images: set images_force_delete to true to lose them."], lost
    )
    assert read(repositories={"names": names, "force": True}) == Findings(lost=lost)


def test_buckets_that_are_not_empty_are_kept(read: Callable[..., Findings], aws: Aws, unique_name: str) -> None:
    where = {"LocationConstraint": support.REGION}
    for name in (f"{unique_name}-logs", f"{unique_name}-dags"):
        aws("s3").create_bucket(Bucket=name, CreateBucketConfiguration=where)
    name = f"{unique_name}-logs"
    for key in ("one", "two"):
        aws("s3").put_object(Bucket=name, Key=key, Body=b"")
    names = [name, f"{unique_name}-dags"]
    said = f"The bucket {name} with 2 objects and old versions"
    assert read(buckets={"names": names}) == Findings(kept=[f"{said}, as storage_force_destroy is false."])
    assert read(buckets={"names": names, "force": True}) == Findings(lost=[f"{said}."])


def test_only_the_first_page_is_counted(scripted: Callable[[str], tuple[Any, Stubber]]) -> None:
    ecr, answers = scripted("ecr")
    ids = [{"imageDigest": f"sha256:{number:064}"} for number in range(1000)]
    answers.add_response("list_images", {"imageIds": ids, "nextToken": "more"})
    [lost] = stores.repository(ecr, "staging/airflow", True).lost
    assert lost == "At least 1,000 images in the repository staging/airflow."
    s3, answers = scripted("s3")
    answers.add_response("head_bucket", {})
    versions = [{"Key": str(number), "VersionId": "1"} for number in range(1000)]
    answers.add_response("list_object_versions", {"IsTruncated": True, "Versions": versions})
    [kept] = stores.bucket(s3, "staging-logs", False).kept
    assert kept.startswith("The bucket staging-logs with at least 1,000 objects and old versions, as ")


def test_messages_of_own_queues_are_lost(read: Callable[..., Findings], aws: Aws, unique_name: str) -> None:
    for name, tags in (("full", TAGS), ("empty", TAGS), ("foreign", {})):
        url = aws("sqs").create_queue(QueueName=f"{unique_name}-{name}", tags=tags)["QueueUrl"]
        if name != "empty":
            aws("sqs").send_message(QueueUrl=url, MessageBody="task")
    found = read(queues={"name_prefix": f"{unique_name}-", "tags": TAGS})
    assert found == Findings(lost=[f"1 message in the queue {unique_name}-full."])


def test_logs_are_lost(read: Callable[..., Findings], aws: Aws, unique_name: str) -> None:
    prefix = f"/sm2a/{unique_name}/"
    for name in ("worker", "scheduler"):
        aws("logs").create_log_group(logGroupName=f"{prefix}{name}")
    assert read(log_groups=[prefix, "/sm2a/no/"]) == Findings(
        lost=[f"The logs in CloudWatch under {prefix}, 2 log groups of 0 bytes."]
    )


def test_a_protected_log_group_is_an_obstacle(scripted: Callable[[str], tuple[Any, Stubber]]) -> None:
    logs, answers = scripted("logs")
    groups = [
        {"logGroupName": "/sm2a/staging/worker", "deletionProtectionEnabled": True, "storedBytes": 3 * 1024**3},
        {"logGroupName": "/sm2a/staging/scheduler", "deletionProtectionEnabled": False},
    ]
    answers.add_response("describe_log_groups", {"logGroups": groups})
    found = stores.log_groups(logs, "/sm2a/staging/")
    assert found.obstacles == [
        "The log group /sm2a/staging/worker is protected from deletion: switch that off in CloudWatch Logs."
    ]
    assert found.lost == ["The logs in CloudWatch under /sm2a/staging/, 2 log groups of 3.0 GiB."]


def test_what_keeps_a_load_balancer_is_an_obstacle(read: Callable[..., Findings], aws: Aws, unique_name: str) -> None:
    ec2, elbv2 = aws("ec2"), aws("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{support.REGION}{zone}")
        for number, zone in enumerate("ab")
    ]
    ids = [subnet["Subnet"]["SubnetId"] for subnet in subnets]
    made = elbv2.create_load_balancer(Name=unique_name, Subnets=ids, Scheme="internal")["LoadBalancers"][0]
    assert read(load_balancer={"name": unique_name}) == Findings()
    arn = made["LoadBalancerArn"]
    protection = {"Key": "deletion_protection.enabled", "Value": "true"}
    elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[protection])
    assert read(load_balancer={"name": unique_name, "deletion_protection": False}) == Findings()
    group = elbv2.create_target_group(Name=unique_name, Protocol="HTTP", Port=8080, VpcId=vpc, TargetType="ip")
    forward = {"Type": "forward", "TargetGroupArn": group["TargetGroups"][0]["TargetGroupArn"]}
    elbv2.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=[forward])
    own = {"name": unique_name, "deletion_protection": False, "target_group": unique_name}
    assert read(load_balancer=own) == Findings()
    assert read(load_balancer={**own, "name": f"{unique_name}-2"}) == Findings(
        [
            f"The target group {unique_name} is used by other load balancers: remove it from the listeners of "
            f"{unique_name} first."
        ]
    )
    assert read(load_balancer={"name": unique_name}) == Findings(
        [f"The load balancer {unique_name} is protected from deletion: set load_balancer_deletion_protection to false."]
    )


def test_services_and_tasks_of_somebody_else_are_obstacles(scripted: Callable[[str], tuple[Any, Stubber]]) -> None:
    ecs, answers = scripted("ecs")
    arn = f"arn:aws:ecs:{support.REGION}:{support.ACCOUNT}:service/staging/"
    described = [
        {"serviceName": "scheduler", "status": "ACTIVE", "runningCount": 1},
        {"serviceName": "worker-old", "status": "ACTIVE", "runningCount": 3, "tags": [{"key": "a", "value": "1"}]},
        {"serviceName": "theirs", "status": "ACTIVE", "runningCount": 7, "tags": [{"key": "a", "value": "2"}]},
        {"serviceName": "leaving", "status": "DRAINING", "runningCount": 0},
    ]
    answers.add_response("list_services", {"serviceArns": [f"{arn}{one['serviceName']}" for one in described]})
    answers.add_response("describe_services", {"services": described})
    answers.add_response("list_tasks", {"taskArns": [f"{arn}1", f"{arn}2"]})
    answers.add_response("describe_tasks", {"tasks": [{"group": "service:scheduler"}, {"group": "family:debug"}]})
    found = services.cluster(ecs, {"name": "staging", "services": ["scheduler"], "tags": {"a": "1"}})
    assert found == Findings(
        [
            "The ECS cluster staging has services that are not of this environment: remove theirs first.",
            "The ECS cluster staging runs tasks that belong to no service: stop those of debug, or wait for their end.",
        ],
        ["The work of 4 running tasks of the ECS cluster staging."],
    )


def test_secrets_are_lost_after_some_days(read: Callable[..., Findings], aws: Aws, unique_name: str) -> None:
    tags = [{"Key": "sm2a:environment", "Value": "staging"}]
    for number in range(5):
        aws("secretsmanager").create_secret(Name=f"{unique_name}/{number}", SecretString="none", Tags=tags)
    aws("secretsmanager").create_secret(Name=f"{unique_name}/theirs", SecretString="none")
    aws("secretsmanager").delete_secret(SecretId=f"{unique_name}/4")
    found = read(secrets=[{"name_prefix": f"{unique_name}/", "tags": TAGS, "recovery_window_in_days": 7}])
    names = f"{unique_name}/0, {unique_name}/1, {unique_name}/2 and 1 more"
    assert found == Findings(lost=[f"4 secrets ({names}), after 7 days in which they can be restored."])


def test_the_key_is_kept_unless_it_is_destroyed(read: Callable[..., Findings], aws: Aws, unique_name: str) -> None:
    kms = aws("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=f"alias/{unique_name}", TargetKeyId=key)
    options = {"alias": unique_name, "lookup_tags": {"sm2a:environment": unique_name}}
    kept = [f"The KMS key alias/{unique_name}, as secrets_destroy_kms_key is false."]
    assert read(kms_key=options) == Findings(kept=kept)
    found = read(kms_key={**options, "destroy": True, "pending_window": 14})
    [lost] = found.lost
    assert lost.startswith(f"The KMS key alias/{unique_name}, after 14 days in which that can be cancelled; what ")
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert read(kms_key={**options, "destroy": True}) == Findings()


def make_database(aws: Aws, name: str, **more: Any) -> None:
    """A PostgreSQL instance."""
    aws("rds").create_db_instance(
        DBInstanceIdentifier=name,
        DBInstanceClass="db.t4g.micro",
        Engine="postgres",
        EngineVersion="17.4",
        AllocatedStorage=20,
        ManageMasterUserPassword=True,
        MasterUsername="sm2a_admin",
        **more,
    )


def test_database_ends_in_a_snapshot_or_is_lost(read: Callable[..., Findings], aws: Aws, unique_name: str) -> None:
    make_database(aws, unique_name, BackupRetentionPeriod=7)
    described = f"database {unique_name} (postgres 17.4, 20 GiB)"
    backups = f"The automated backups of the database {unique_name}, of the last 7 days"
    assert read(database={"identifier": unique_name}) == Findings(
        lost=[f"{backups}."],
        kept=[f"The data of the {described}, in the final snapshot {unique_name}-final-, with the time at the end."],
    )
    careless = {"identifier": unique_name, "skip_final_snapshot": True, "delete_automated_backups": False}
    assert read(database=careless) == Findings(
        lost=[f"The {described}, without a final snapshot."], kept=[f"{backups}, each until it is as old as that."]
    )
    # A name in use is no obstacle: rds_instance appends a number.
    aws("rds").create_db_snapshot(DBInstanceIdentifier=unique_name, DBSnapshotIdentifier=f"{unique_name}-end")
    [kept] = read(database={"identifier": unique_name, "final_snapshot_identifier": f"{unique_name}-end"}).kept
    assert kept.endswith(f"in the final snapshot {unique_name}-end-2.")


def test_a_database_of_somebody_else_is_kept_and_a_former_one_is_an_obstacle(
    read: Callable[..., Findings], aws: Aws, unique_name: str
) -> None:
    tags = {"sm2a:environment": unique_name, "sm2a:role": "database"}
    options = {"address": "db.example.com", "former_identifier": unique_name, "former_tags": tags}
    kept = ["Airflow's databases and users in db.example.com, and the secret of the master user."]
    assert read(existing_database=options) == Findings(kept=kept)
    make_database(aws, unique_name, Tags=[{"Key": "sm2a:environment", "Value": "another"}])
    assert read(existing_database=options) == Findings(kept=kept)
    arn = aws("rds").describe_db_instances(DBInstanceIdentifier=unique_name)["DBInstances"][0]["DBInstanceArn"]
    aws("rds").add_tags_to_resource(ResourceName=arn, Tags=[{"Key": key, "Value": tags[key]} for key in tags])
    found = read(existing_database=options)
    assert found.kept == kept
    [obstacle] = found.obstacles
    assert obstacle.startswith(f"The environment still has its former database {unique_name}")


def test_a_protected_database_is_an_obstacle(read: Callable[..., Findings], aws: Aws, unique_name: str) -> None:
    make_database(aws, unique_name, DeletionProtection=True)
    protected = f"The database {unique_name} is protected from deletion: set database_deletion_protection to false."
    assert read(database={"identifier": unique_name}).obstacles == [protected]
    assert read(database={"identifier": unique_name, "deletion_protection": False}).obstacles == []
    aws("rds").stop_db_instance(DBInstanceIdentifier=unique_name)
    found = read(database={"identifier": unique_name, "deletion_protection": False, "skip_final_snapshot": True})
    assert found.obstacles == [
        f"RDS cannot lift the protection of the database {unique_name} while it is stopped: start it first."
    ]
    assert len(read(database={"identifier": unique_name}).obstacles) == 3


OPTIONS = {
    "identifier": "staging",
    "deletion_protection": True,
    "skip_final_snapshot": False,
    "final_snapshot_identifier": None,
    "delete_automated_backups": True,
}


def obstacles(client: tuple[Any, Stubber], instance: dict[str, Any], snapshots: int = 99, **options: Any) -> list[str]:
    """What stands in the way of deleting this instance, in an account with so many manual snapshots of 100."""
    rds, answers = client
    described = {"DBInstanceIdentifier": "staging", "DBInstanceStatus": "available", **instance}
    answers.add_response("describe_db_instances", {"DBInstances": [described]})
    if not options.get("skip_final_snapshot"):
        quota = {"AccountQuotaName": "ManualSnapshots", "Used": snapshots, "Max": 100}
        answers.add_response("describe_account_attributes", {"AccountQuotas": [quota]})
    answers.add_client_error("describe_db_snapshots", "DBSnapshotNotFound")
    return database.database(rds, {**OPTIONS, **options}).obstacles


@pytest.mark.parametrize(
    "status", ["failed", "incompatible-network", "incompatible-restore", "storage-full", "stopped"]
)
def test_states_without_a_final_snapshot(scripted: Callable[[str], tuple[Any, Stubber]], status: str) -> None:
    [obstacle] = obstacles(scripted("rds"), {"DBInstanceStatus": status})
    assert obstacle.startswith(f"RDS makes no final snapshot of the database staging while it is {status}: ")
    assert "database_skip_final_snapshot" in obstacle
    assert obstacles(scripted("rds"), {"DBInstanceStatus": status}, skip_final_snapshot=True) == []


@pytest.mark.parametrize("status", ["available", "creating", "backing-up", "modifying", "deleting"])
def test_states_that_pass_are_no_obstacles(scripted: Callable[[str], tuple[Any, Stubber]], status: str) -> None:
    assert obstacles(scripted("rds"), {"DBInstanceStatus": status}) == []


@pytest.mark.parametrize("name", ["the_end", "the-end-", "the--end", "1-end"])
def test_names_that_rds_refuses(scripted: Callable[[str], tuple[Any, Stubber]], name: str) -> None:
    [obstacle] = obstacles(scripted("rds"), {}, final_snapshot_identifier=name)
    assert obstacle.startswith(f"RDS takes no snapshot name {name} (database_final_snapshot_identifier)")
    assert obstacles(scripted("rds"), {}, final_snapshot_identifier="the-end-2") == []


def test_the_quota_of_snapshots(scripted: Callable[[str], tuple[Any, Stubber]]) -> None:
    [obstacle] = obstacles(scripted("rds"), {}, snapshots=100)
    assert "the account has as many manual DB snapshots as its quota allows: delete some" in obstacle
    assert obstacles(scripted("rds"), {}, snapshots=100, skip_final_snapshot=True) == []


def test_read_replicas_in_the_same_region_are_obstacles(scripted: Callable[[str], tuple[Any, Stubber]]) -> None:
    elsewhere = f"arn:aws:rds:eu-central-1:{support.ACCOUNT}:db:far"
    [obstacle] = obstacles(scripted("rds"), {"ReadReplicaDBInstanceIdentifiers": ["near", elsewhere]})
    assert obstacle.endswith(": delete near first.")


def test_numbers_are_said() -> None:
    assert [counted(1, "image"), counted(0, "image"), counted(12345, "object", "things")] == [
        "1 image",
        "0 images",
        "12,345 things",
    ]
    assert [size(1), size(1023), size(1536), size(5 * 1024**4)] == ["1 byte", "1,023 bytes", "1.5 KiB", "5.0 TiB"]
    assert [listed(["a"]), listed(["a", "b", "c"]), listed(list("abcde"))] == ["a", "a, b, c", "a, b, c and 2 more"]


def test_a_key_without_its_alias_is_named_by_its_id(aws: Aws, unique_name: str) -> None:
    tags = [{"TagKey": "sm2a:environment", "TagValue": unique_name}]
    key = aws("kms").create_key(Tags=tags)["KeyMetadata"]["KeyId"]
    options = {"alias": unique_name, "lookup_tags": {"sm2a:environment": unique_name}, "destroy": False}
    assert secrets.kms_key(aws("kms"), options).kept == [f"The KMS key {key}, as secrets_destroy_kms_key is false."]
