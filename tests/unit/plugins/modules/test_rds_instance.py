# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""rds_instance and rds_instance_wait: against the emulator, and against scripted answers where it has no such state."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import boto3
import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils.rds import instance_settings as rds_fields
from ansible_collections.sm2a.airflow.plugins.module_utils.rds import instances as api
from ansible_collections.sm2a.airflow.plugins.modules import rds_instance
from ansible_collections.sm2a.airflow.tests.support import modules as support
from botocore.stub import ANY, Stubber

Aws = Callable[[str], Any]


@pytest.fixture(scope="session")
def aws_endpoint(local_aws_endpoint: str) -> str:
    """MiniStack as it is drops some settings."""
    return local_aws_endpoint


def present(name: str, **more: Any) -> dict[str, Any]:
    """A protected PostgreSQL instance."""
    return {
        "identifier": name,
        "engine": "postgres",
        "engine_version": "17",
        "instance_class": "db.t4g.medium",
        "allocated_storage": 20,
        "storage_type": "gp3",
        "storage_encrypted": True,
        "database_name": "airflow",
        "master_username": "sm2a_admin",
        "backup_retention_period": 7,
        "multi_az": False,
        "publicly_accessible": False,
        "security_group_ids": ["sg-00000000000000001"],
        "deletion_protection": True,
        "copy_tags_to_snapshot": True,
        "tags": {"team": "data"},
        **more,
    }


def described(name: str, status: str, **more: Any) -> dict[str, Any]:
    """What AWS says about an instance."""
    return {"DBInstanceIdentifier": name, "DBInstanceStatus": status, **more}


def test_ladder(ladder: Callable[..., support.Ladder], aws: Aws, unique_name: str) -> None:
    def read() -> Any:
        return api.describe_instance(aws("rds"), unique_name)

    absent = {"identifier": unique_name, "state": "absent", "deletion_protection": False}
    rungs = ladder("rds_instance", present(unique_name), absent, read)

    assert rungs.predicted["instance"]["status"] == "creating"
    for option in (
        "engine",
        "instance_class",
        "allocated_storage",
        "security_group_ids",
        "deletion_protection",
        "tags",
    ):
        assert rungs.predicted["instance"][option] == rungs.applied["instance"][option] == present("")[option]
    snapshots = aws("rds").describe_db_snapshots(DBInstanceIdentifier=unique_name)["DBSnapshots"]
    assert [re.sub(r"\d{14}$", "", snapshot["DBSnapshotIdentifier"]) for snapshot in snapshots] == [
        f"{unique_name}-final-"
    ]


def test_final_snapshot_is_skipped_on_demand(run_module: support.RunModule, aws: Aws, unique_name: str) -> None:
    run_module("rds_instance", present(unique_name, deletion_protection=False))
    run_module("rds_instance", {"identifier": unique_name, "state": "absent", "skip_final_snapshot": True})
    assert aws("rds").describe_db_snapshots(DBInstanceIdentifier=unique_name)["DBSnapshots"] == []


def test_protected_instance_is_not_deleted(run_module: support.RunModule, aws: Aws, unique_name: str) -> None:
    run_module("rds_instance", present(unique_name))
    for check in (True, False):
        with pytest.raises(support.ModuleFailedError, match="set deletion_protection to false"):
            run_module("rds_instance", {"identifier": unique_name, "state": "absent"}, check=check)
    assert api.describe_instance(aws("rds"), unique_name)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("instance_class", "db.m7g.large"),
        ("allocated_storage", 40),
        ("backup_retention_period", 14),
        ("backup_window", "01:00-02:00"),
        ("maintenance_window", "mon:02:00-mon:03:00"),
        ("multi_az", True),
        ("publicly_accessible", True),
        ("copy_tags_to_snapshot", False),
        ("deletion_protection", False),
        ("engine_version", "17.99"),
        ("security_group_ids", ["sg-00000000000000002", "sg-00000000000000001"]),
        ("parameter_group_name", "airflow"),
        ("iam_database_authentication", True),
        ("auto_minor_version_upgrade", False),
        ("monitoring_interval", 60),
        ("database_insights_mode", "standard"),
        ("performance_insights", True),
        ("performance_insights_retention_period", 31),
        ("storage_throughput", 250),
        ("ca_certificate_identifier", "rds-ca-ecc384-g1"),
        ("max_allocated_storage", 200),
        ("tags", {"team": "platform"}),
    ],
)
def test_every_option_is_changed_once(
    run_module: support.RunModule, aws: Aws, unique_name: str, *, option: str, value: Any
) -> None:
    run_module("rds_instance", present(unique_name))
    change = {"identifier": unique_name, option: value}
    support.change_once(run_module, "rds_instance", change, lambda: api.describe_instance(aws("rds"), unique_name))
    now = rds_fields.view(api.describe_instance(aws("rds"), unique_name) or {})
    assert now[option] == value


def test_what_aws_cannot_change_is_refused(run_module: support.RunModule, unique_name: str) -> None:
    run_module("rds_instance", present(unique_name))
    change = {"identifier": unique_name, "master_username": "other", "database_name": "other"}
    with pytest.raises(support.ModuleFailedError, match="AWS cannot change database_name, master_username"):
        run_module("rds_instance", change)


def test_creation_names_what_it_needs(run_module: support.RunModule, unique_name: str) -> None:
    with pytest.raises(support.ModuleFailedError, match="set engine, instance_class, allocated_storage"):
        run_module("rds_instance", {"identifier": unique_name})


def test_storage_never_shrinks_and_minor_versions_float(run_module: support.RunModule, unique_name: str) -> None:
    run_module("rds_instance", present(unique_name, engine_version="17.4"))
    unchanged = {"identifier": unique_name, "allocated_storage": 10, "engine_version": "17"}
    assert not run_module("rds_instance", unchanged)["changed"]
    assert run_module("rds_instance", {**unchanged, "engine_version": "17.40"}, check=True)["changed"]


def test_pending_changes_count_as_made() -> None:
    instance = {"DBInstanceClass": "db.t4g.medium", "PendingModifiedValues": {"DBInstanceClass": "db.m7g.large"}}
    assert not rds_fields.differing_fields(instance, {"instance_class": "db.m7g.large"})
    assert [field.option for field in rds_fields.differing_fields(instance, {"instance_class": "db.t4g.medium"})] == [
        "instance_class"
    ]


def test_log_exports_are_added_and_removed() -> None:
    instance = {
        "EnabledCloudwatchLogsExports": ["postgresql"],
        "PendingModifiedValues": {"PendingCloudwatchLogsExports": {"LogTypesToEnable": ["upgrade"]}},
    }
    assert rds_fields.log_export_change(instance, None) == {}
    assert rds_fields.log_export_change(instance, ["upgrade", "postgresql"]) == {}
    assert rds_fields.log_export_change(instance, ["iam"]) == {
        "EnableLogTypes": ["iam"],
        "DisableLogTypes": ["postgresql", "upgrade"],
    }


def options(**given: Any) -> Mapping[str, Any]:
    """Every option of the module, unset but for those given and the defaults."""
    spec = rds_instance.argument_spec()
    return {**{name: each.get("default") for name, each in spec.items()}, **given}


@pytest.fixture
def scripted(aws_environment: None) -> Any:
    """``(client, stubber)`` of RDS: the calls must be the scripted ones, in order."""
    client = boto3.client("rds", region_name=support.REGION)
    with Stubber(client) as stubber:
        yield client, stubber
        stubber.assert_no_pending_responses()


def test_rds_keeps_the_master_password(scripted: Any) -> None:
    """The password is asked from RDS with its key, and the secret that RDS made is returned."""
    client, stubber = scripted
    secret = {"SecretArn": "arn:aws:secretsmanager:eu-west-1:000000000000:secret:rds!db-1", "SecretStatus": "creating"}
    stubber.add_client_error("describe_db_instances", "DBInstanceNotFound")
    stubber.add_response(
        "create_db_instance",
        {"DBInstance": described("airflow", "creating", MasterUserSecret=secret)},
        {
            "DBInstanceIdentifier": "airflow",
            "Engine": "postgres",
            "DBInstanceClass": "db.t4g.micro",
            "AllocatedStorage": 20,
            "ManageMasterUserPassword": True,
            "MasterUserSecretKmsKeyId": "alias/sm2a",
            "EnableCloudwatchLogsExports": ["postgresql"],
            "Tags": [],
        },
    )
    wanted = options(
        identifier="airflow",
        engine="postgres",
        instance_class="db.t4g.micro",
        allocated_storage=20,
        manage_master_user_password=True,
        master_user_secret_kms_key_id="alias/sm2a",
        cloudwatch_logs_exports=["postgresql"],
    )
    outcome = rds_instance.ensure_present(client, wanted, check_mode=False)
    assert outcome.changed
    assert outcome.after["master_user_secret_arn"] == secret["SecretArn"]
    assert outcome.after["address"] is None


def test_rds_takes_over_the_master_password(scripted: Any) -> None:
    """An instance with a password of its own gets a managed one; an instance with a secret is left alone."""
    client, stubber = scripted
    instance = described("airflow", "available")
    stubber.add_response("describe_db_instances", {"DBInstances": [instance]})
    stubber.add_response("describe_db_instances", {"DBInstances": [instance]})
    stubber.add_response(
        "modify_db_instance",
        {"DBInstance": instance},
        {"DBInstanceIdentifier": "airflow", "ApplyImmediately": True, "ManageMasterUserPassword": True},
    )
    wanted = options(identifier="airflow", manage_master_user_password=True)
    assert rds_instance.ensure_present(client, wanted, check_mode=False).changed

    managed = {**instance, "MasterUserSecret": {"SecretArn": "arn:aws:secretsmanager:eu-west-1:0:secret:rds!db-1"}}
    stubber.add_response("describe_db_instances", {"DBInstances": [managed]})
    assert not rds_instance.ensure_present(client, wanted, check_mode=False).changed


def test_an_instance_being_deleted_is_created_again(scripted: Any) -> None:
    client, stubber = scripted
    stubber.add_response("describe_db_instances", {"DBInstances": [described("airflow", "deleting")]})
    stubber.add_client_error("describe_db_instances", "DBInstanceNotFound")
    stubber.add_response(
        "create_db_instance",
        {"DBInstance": described("airflow", "creating")},
        dict.fromkeys(("DBInstanceIdentifier", "Engine", "DBInstanceClass", "AllocatedStorage", "Tags"), ANY),
    )
    wanted = options(identifier="airflow", engine="postgres", instance_class="db.t4g.micro", allocated_storage=20)
    assert rds_instance.ensure_present(client, wanted, check_mode=False).changed


def test_changes_can_wait_for_the_maintenance_window(run_module: support.RunModule, aws: Aws, unique_name: str) -> None:
    run_module("rds_instance", present(unique_name))
    change = {"identifier": unique_name, "instance_class": "db.m7g.large", "apply_immediately": False}
    assert run_module("rds_instance", change)["changed"]
    again = run_module("rds_instance", change)
    assert not again["changed"]
    assert again["instance"]["pending_changes"] == ["DBInstanceClass"]
    assert again["instance"]["instance_class"] == "db.t4g.medium"


def test_a_reboot_is_opted_in(run_module: support.RunModule, aws: Aws, unique_name: str) -> None:
    client = aws("rds")
    client.create_db_parameter_group(
        DBParameterGroupName=unique_name, DBParameterGroupFamily="postgres17", Description="d"
    )
    static = {"ParameterName": "shared_buffers", "ParameterValue": "32768", "ApplyMethod": "pending-reboot"}
    wanted = present(unique_name, parameter_group_name=unique_name)
    run_module("rds_instance", wanted)
    client.modify_db_parameter_group(DBParameterGroupName=unique_name, Parameters=[static])
    waiting = run_module("rds_instance", wanted)
    assert (waiting["changed"], waiting["instance"]["parameters_pending_reboot"]) == (False, True)
    assert run_module("rds_instance", {**wanted, "reboot_for_parameters": True}, check=True)["changed"]
    assert run_module("rds_instance", {**wanted, "reboot_for_parameters": True})["changed"]
    run_module("rds_instance_wait", {"identifier": unique_name, "delay": 1})
    settled = run_module("rds_instance", {**wanted, "reboot_for_parameters": True})
    assert (settled["changed"], settled["instance"]["parameters_pending_reboot"]) == (False, False)


def test_restored_then_brought_to_the_rest(run_module: support.RunModule, aws: Aws, unique_name: str) -> None:
    run_module("rds_instance", present(unique_name))
    aws("rds").create_db_snapshot(DBInstanceIdentifier=unique_name, DBSnapshotIdentifier=f"{unique_name}-kept")
    name = f"{unique_name}-new"
    wanted = present(
        name,
        port=5433,
        snapshot_identifier=f"{unique_name}-kept",
        database_name="other",
        master_username="other",
        manage_master_user_password=True,
        cloudwatch_logs_exports=["postgresql"],
    )
    predicted = run_module("rds_instance", wanted, check=True)
    assert predicted["restored"]
    restored = run_module("rds_instance", wanted)
    assert restored["restored"]
    assert restored["instance"]["database_name"] == "airflow", "what the snapshot decides"
    for option in ("port", "security_group_ids", "deletion_protection", "copy_tags_to_snapshot", "tags"):
        assert restored["instance"][option] == wanted[option]
    rest = run_module("rds_instance", wanted)
    assert (rest["changed"], rest["restored"]) == (True, False)
    assert rest["instance"]["backup_retention_period"] == 7
    assert not run_module("rds_instance", wanted)["changed"]
    instance = api.describe_instance(aws("rds"), name) or {}
    assert instance["MasterUserSecret"]["SecretArn"]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"snapshot_identifier": "none"}, "DB snapshot none does not exist"),
        ({"engine": "mysql"}, "has the engine postgres, not mysql"),
        ({}, "is not encrypted: copy it with a KMS key"),
    ],
)
def test_unfit_snapshots_are_refused(
    run_module: support.RunModule, aws: Aws, unique_name: str, more: dict[str, str], reason: str
) -> None:
    run_module("rds_instance", present(unique_name, storage_encrypted=False))
    snapshot = f"{unique_name}-plain"
    aws("rds").create_db_snapshot(DBInstanceIdentifier=unique_name, DBSnapshotIdentifier=snapshot)
    wanted = present(f"{unique_name}-new", **{"snapshot_identifier": snapshot, **more})
    with pytest.raises(support.ModuleFailedError, match=reason):
        run_module("rds_instance", wanted, check=True)


def test_a_final_snapshot_never_meets_another(run_module: support.RunModule, aws: Aws, unique_name: str) -> None:
    run_module("rds_instance", present(unique_name))
    client = aws("rds")
    client.create_db_snapshot(DBInstanceIdentifier=unique_name, DBSnapshotIdentifier=f"{unique_name}-last")
    absent = {"identifier": unique_name, "state": "absent", "deletion_protection": False}
    run_module("rds_instance", {**absent, "final_snapshot_identifier": f"{unique_name}-last"})
    snapshots = client.describe_db_snapshots(DBInstanceIdentifier=unique_name)["DBSnapshots"]
    assert sorted(each["DBSnapshotIdentifier"] for each in snapshots) == [
        f"{unique_name}-last",
        f"{unique_name}-last-2",
    ]


@pytest.mark.parametrize(
    "begun",
    [
        {"DBInstanceStatus": "modifying", "PendingModifiedValues": {"DBInstanceClass": "db.m7g.large"}},
        {"DBInstanceClass": "db.m7g.large"},
    ],
)
def test_a_modification_is_left_when_it_has_begun(
    scripted: Any, monkeypatch: pytest.MonkeyPatch, begun: dict[str, Any]
) -> None:
    """RDS is available at first, first without any sign of the modification, then with one."""
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    client, stubber = scripted
    pending = {"PendingModifiedValues": {"DBInstanceClass": "db.m7g.large"}}
    old = described("airflow", "available", DBInstanceClass="db.t4g.medium")
    for instance in (old, {**old, **pending}, {**old, **begun}):
        stubber.add_response("describe_db_instances", {"DBInstances": [instance]})
    api.wait_until_begun(client, "airflow", {**old, **pending})
    stubber.assert_no_pending_responses()
    assert len(pauses) == 2


def test_a_modification_that_is_done_at_once_is_not_waited_for(scripted: Any) -> None:
    client, _stubber = scripted
    api.wait_until_begun(client, "airflow", described("airflow", "available", PendingModifiedValues={}))


def test_a_repeated_deletion_is_no_failure(scripted: Any) -> None:
    """The reply to DeleteDBInstance was lost; the repeated call meets an instance that is being deleted."""
    client, stubber = scripted
    stubber.add_response("describe_db_instances", {"DBInstances": [described("airflow", "available")]})
    stubber.add_client_error("delete_db_instance", "InvalidDBInstanceState")
    stubber.add_response("describe_db_instances", {"DBInstances": [described("airflow", "deleting")]})
    wanted = options(identifier="airflow", skip_final_snapshot=True)
    assert rds_instance.ensure_absent(client, wanted, check_mode=False).changed


@pytest.mark.parametrize("delete", [True, False])
def test_automated_backups_go_with_the_instance_or_stay(scripted: Any, delete: bool) -> None:
    client, stubber = scripted
    stubber.add_response("describe_db_instances", {"DBInstances": [described("airflow", "available")]})
    expected = {"DBInstanceIdentifier": "airflow", "SkipFinalSnapshot": True, "DeleteAutomatedBackups": delete}
    stubber.add_response("delete_db_instance", {"DBInstance": described("airflow", "deleting")}, expected)
    wanted = options(identifier="airflow", skip_final_snapshot=True, delete_automated_backups=delete)
    assert rds_instance.ensure_absent(client, wanted, check_mode=False).changed
    stubber.assert_no_pending_responses()


def test_a_failed_instance_leaves_no_snapshot(scripted: Any) -> None:
    client, stubber = scripted
    stubber.add_response("describe_db_instances", {"DBInstances": [described("airflow", "failed")]})
    with pytest.raises(AnsibleAWSError, match="while it is failed: set skip_final_snapshot"):
        rds_instance.ensure_absent(client, options(identifier="airflow"), check_mode=False)


def test_a_stopped_instance_keeps_its_protection(scripted: Any) -> None:
    client, stubber = scripted
    stopped = described("airflow", "stopped", DeletionProtection=True)
    stubber.add_response("describe_db_instances", {"DBInstances": [stopped]})
    wanted = options(identifier="airflow", deletion_protection=False, skip_final_snapshot=True)
    with pytest.raises(AnsibleAWSError, match="while it is stopped: start it first"):
        rds_instance.ensure_absent(client, wanted, check_mode=True)


def test_a_final_snapshot_waits_until_rds_is_done(scripted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a backup that is under way before, and with the protection that is being lifted."""
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    client, stubber = scripted

    def describe(*statuses: str) -> None:
        for status in statuses:
            instance = described("airflow", status, DeletionProtection=True)
            stubber.add_response("describe_db_instances", {"DBInstances": [instance]})

    describe("backing-up", "backing-up", "available")
    stubber.add_response("modify_db_instance", {"DBInstance": described("airflow", "available")})
    stubber.add_client_error("describe_db_snapshots", "DBSnapshotNotFound")
    stubber.add_client_error("delete_db_instance", "InvalidDBInstanceState")
    describe("modifying", "modifying", "available")
    stubber.add_response("delete_db_instance", {"DBInstance": described("airflow", "deleting")})
    wanted = options(identifier="airflow", deletion_protection=False)
    assert rds_instance.ensure_absent(client, wanted, check_mode=False).changed


def test_what_belongs_together_is_sent_together() -> None:
    wanted = options(
        database_insights_mode="advanced",
        performance_insights=True,
        performance_insights_retention_period=465,
        performance_insights_kms_key_id="key",
    )
    instance = {"DatabaseInsightsMode": "standard", "PerformanceInsightsEnabled": True}
    fields = rds_fields.differing_fields(instance, wanted)
    assert rds_fields.modification_parameters(fields, wanted) == {
        "DatabaseInsightsMode": "advanced",
        "EnablePerformanceInsights": True,
        "PerformanceInsightsRetentionPeriod": 465,
    }


def test_wait_looks_until_available(scripted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    client, stubber = scripted
    for status in ("creating", "backing-up", "available"):
        stubber.add_response("describe_db_instances", {"DBInstances": [described("airflow", status)]})
    api.wait_until(client, "airflow", "available", timeout=60, delay=3)
    assert waits == [3, 3]


@pytest.mark.parametrize("status", ["failed", "incompatible-network", "incompatible-restore", "storage-full"])
def test_wait_fails_at_once_with_the_reason(scripted: Any, status: str) -> None:
    client, stubber = scripted
    stubber.add_response("describe_db_instances", {"DBInstances": [described("airflow", status)]})
    stubber.add_response("describe_events", {"Events": [{"Message": "The subnet has no free address."}]})
    with pytest.raises(AnsibleAWSError, match=f"it is {status}. RDS reports: The subnet has no free address."):
        api.wait_until(client, "airflow", "available", timeout=60, delay=5)


def test_wait_ends_with_its_timeout(scripted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    client, stubber = scripted
    for _ in range(2):
        stubber.add_response("describe_db_instances", {"DBInstances": [described("airflow", "creating")]})
    stubber.add_response("describe_events", {"Events": []})
    with pytest.raises(AnsibleAWSError, match="still creating after 10 seconds"):
        api.wait_until(client, "airflow", "available", timeout=10, delay=5)


def test_wait_for_an_instance_that_does_not_exist(run_module: support.RunModule, unique_name: str) -> None:
    with pytest.raises(support.ModuleFailedError, match=f"{unique_name} is not available: .*not found"):
        run_module("rds_instance_wait", {"identifier": unique_name})
    assert run_module("rds_instance_wait", {"identifier": unique_name}, check=True)["instance"] == {}
    assert run_module("rds_instance_wait", {"identifier": unique_name, "until": "deleted"})["instance"] == {}


def test_wait_returns_the_instance(run_module: support.RunModule, unique_name: str) -> None:
    run_module("rds_instance", present(unique_name))
    result = run_module("rds_instance_wait", {"identifier": unique_name})
    assert not result["changed"]
    assert (result["instance"]["status"], result["instance"]["engine"]) == ("available", "postgres")


def test_info_reads_the_instance(run_module: support.RunModule, unique_name: str) -> None:
    asked = {"identifier": unique_name}
    [made_up] = support.placeholders(run_module, "rds_instance_info", asked, "instances")
    assert made_up["address"] == f"{unique_name}.{support.ACCOUNT}.{support.REGION}.rds.amazonaws.com"
    secret = f"arn:aws:secretsmanager:{support.REGION}:{support.ACCOUNT}:secret:rds!db-"
    assert made_up["master_user_secret_arn"].startswith(secret)

    run_module("rds_instance", present(unique_name))
    waited = run_module("rds_instance_wait", asked)["instance"]
    [read] = run_module("rds_instance_info", asked)["instances"]
    assert read == {**waited, "exists": True}
    assert (read["pending_changes"], read["parameters_pending_reboot"]) == ([], False)
    assert not read["master_user_secret_arn"]
    [completed] = run_module("rds_instance_info", {**asked, "placeholders": True}, check=True)["instances"]
    assert completed == {**read, "master_user_secret_arn": made_up["master_user_secret_arn"]}
