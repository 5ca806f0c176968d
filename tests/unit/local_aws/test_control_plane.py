# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The API without a container engine: what roles and modules are tested against."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

CLUSTER = "tests"
EXIT_CODE = "SM2A_LOCAL_AWS_EXIT_CODE"


def _error_code(raised: pytest.ExceptionInfo[ClientError]) -> str:
    return str(raised.value.response["Error"]["Code"])


def test_one_off_task_ends_with_success(control_plane: Any) -> None:
    task = control_plane.wait_for_task(control_plane.run_task(control_plane.task_definition("ends")), "STOPPED")
    assert task["containers"][0]["exitCode"] == 0
    assert (task["stopCode"], task["stoppedReason"]) == (
        "EssentialContainerExited",
        "Essential container in task exited",
    )


def test_one_off_task_ends_with_the_code_that_was_asked_for(control_plane: Any) -> None:
    definition = control_plane.task_definition("fails", environment=[{"name": EXIT_CODE, "value": "3"}])
    task = control_plane.wait_for_task(control_plane.run_task(definition), "STOPPED")
    assert task["containers"][0]["exitCode"] == 3
    override = {"name": "main", "environment": [{"name": EXIT_CODE, "value": "4"}]}
    arn = control_plane.run_task(definition, overrides={"containerOverrides": [override]})
    assert control_plane.wait_for_task(arn, "STOPPED")["containers"][0]["exitCode"] == 4


def test_service_runs_and_keeps_what_it_was_given(control_plane: Any) -> None:
    connect = {"enabled": True, "namespace": "space", "services": []}
    network = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}}
    definition = control_plane.task_definition("kept")
    control_plane.create_service(
        "kept", definition, 2, serviceConnectConfiguration=connect, networkConfiguration=network
    )
    service = control_plane.wait_for_steady("kept", 2)
    (deployment,) = service["deployments"]
    assert deployment["serviceConnectConfiguration"] == connect
    assert deployment["networkConfiguration"] == network
    assert len(control_plane.tasks_of("kept")) == 2


def test_changed_network_makes_a_new_deployment(control_plane: Any) -> None:
    network = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}
    control_plane.create_service("moved", control_plane.task_definition("moved"), 1, networkConfiguration=network)
    first = control_plane.wait_for_steady("moved", 1)["deployments"][0]["id"]
    ecs = control_plane.client("ecs")
    ecs.update_service(cluster=CLUSTER, service="moved", networkConfiguration=network)
    assert control_plane.service("moved")["deployments"][0]["id"] == first
    elsewhere = {"awsvpcConfiguration": {"subnets": ["subnet-2"]}}
    ecs.update_service(cluster=CLUSTER, service="moved", networkConfiguration=elsewhere)
    second = control_plane.wait_for_steady("moved", 1)["deployments"][0]
    assert second["id"] != first
    assert second["networkConfiguration"] == elsewhere


def test_scale_in_passes_protected_tasks_by(control_plane: Any) -> None:
    control_plane.create_service("guarded", control_plane.task_definition("guarded"), 3)
    control_plane.wait_for_steady("guarded", 3)
    protected = sorted(control_plane.tasks_of("guarded"))[:2]
    ecs = control_plane.client("ecs")
    answer = ecs.update_task_protection(cluster=CLUSTER, tasks=protected, protectionEnabled=True, expiresInMinutes=5)
    until = answer["protectedTasks"][0]["expirationDate"]
    assert timedelta(minutes=4) < until - datetime.now(UTC) <= timedelta(minutes=5)
    ecs.update_service(cluster=CLUSTER, service="guarded", desiredCount=0)
    assert control_plane.tasks_of("guarded") == set(protected)
    ecs.update_task_protection(cluster=CLUSTER, tasks=protected[:1], protectionEnabled=False)
    control_plane.wait("the unprotected task's end", lambda: control_plane.tasks_of("guarded") == {protected[1]})


def test_rollout_waits_for_protected_tasks(control_plane: Any) -> None:
    control_plane.create_service("rolled", control_plane.task_definition("rolled"), 2)
    first = control_plane.wait_for_steady("rolled", 2)["deployments"][0]["id"]
    ecs = control_plane.client("ecs")
    kept, *_ = sorted(control_plane.tasks_of("rolled"))
    ecs.update_task_protection(cluster=CLUSTER, tasks=[kept], protectionEnabled=True)
    ecs.update_service(cluster=CLUSTER, service="rolled", taskDefinition=control_plane.task_definition("rolled"))

    def only_the_protected_is_left() -> bool:
        tasks = ecs.describe_tasks(cluster=CLUSTER, tasks=list(control_plane.tasks_of("rolled")))["tasks"]
        return [task["taskArn"] for task in tasks if task["startedBy"] == first] == [kept] and len(tasks) == 3

    control_plane.wait("the end of the other old task", only_the_protected_is_left)
    primary, old = control_plane.service("rolled")["deployments"]
    assert (primary["rolloutState"], old["id"], old["runningCount"]) == ("IN_PROGRESS", first, 1)
    ecs.update_task_protection(cluster=CLUSTER, tasks=[kept], protectionEnabled=False)
    control_plane.wait_for_steady("rolled", 2)
    assert kept not in control_plane.tasks_of("rolled")


def test_more_protected_tasks_than_desired_block_further_protection(control_plane: Any) -> None:
    control_plane.create_service("blocked", control_plane.task_definition("blocked"), 3)
    control_plane.wait_for_steady("blocked", 3)
    tasks = sorted(control_plane.tasks_of("blocked"))
    ecs = control_plane.client("ecs")
    ecs.update_task_protection(cluster=CLUSTER, tasks=tasks, protectionEnabled=True)
    ecs.update_service(cluster=CLUSTER, service="blocked", desiredCount=2)
    answer = ecs.update_task_protection(cluster=CLUSTER, tasks=tasks[:1], protectionEnabled=True)
    assert [failure["reason"] for failure in answer["failures"]] == ["DEPLOYMENT_BLOCKED"]
    ecs.update_task_protection(cluster=CLUSTER, tasks=tasks[:1], protectionEnabled=False)
    assert ecs.update_task_protection(cluster=CLUSTER, tasks=tasks[1:], protectionEnabled=True)["failures"] == []


def test_protection_reports_what_cannot_be_protected(control_plane: Any) -> None:
    one_off = control_plane.run_task(control_plane.task_definition("alone"))
    answer = control_plane.client("ecs").update_task_protection(
        cluster=CLUSTER, tasks=[one_off, "0" * 32], protectionEnabled=True
    )
    assert [failure["reason"] for failure in answer["failures"]] == ["TASK_NOT_VALID", "MISSING"]


def test_family_prefix_is_the_whole_family(control_plane: Any) -> None:
    short = control_plane.task_definition("worker")
    control_plane.task_definition("worker-big")
    answer = control_plane.client("ecs").list_task_definitions(familyPrefix="worker")
    assert answer["taskDefinitionArns"] == [short]


def test_cluster_keeps_its_service_connect_namespace(control_plane: Any) -> None:
    cluster = control_plane.client("ecs").create_cluster(
        clusterName="connected", serviceConnectDefaults={"namespace": "space"}
    )["cluster"]
    assert cluster["serviceConnectDefaults"] == {"namespace": "space"}


def test_log_events_of_a_stream_prefix(control_plane: Any) -> None:
    logs = control_plane.client("logs")
    logs.create_log_group(logGroupName="/prefix")
    for stream in ("a/1", "a/2", "b/1"):
        logs.create_log_stream(logGroupName="/prefix", logStreamName=stream)
        event = {"timestamp": int(datetime.now(UTC).timestamp() * 1000), "message": stream}
        logs.put_log_events(logGroupName="/prefix", logStreamName=stream, logEvents=[event])

    def messages(prefix: str) -> set[str]:
        answer = logs.filter_log_events(logGroupName="/prefix", logStreamNamePrefix=prefix)
        return {event["message"] for event in answer["events"]}

    assert messages("a/") == {"a/1", "a/2"}
    assert messages("c/") == set()


def test_rds_manages_the_master_password(control_plane: Any) -> None:
    rds, secrets = control_plane.client("rds"), control_plane.client("secretsmanager")
    instance = rds.create_db_instance(
        DBInstanceIdentifier="managed",
        DBInstanceClass="db.t4g.medium",
        Engine="postgres",
        EngineVersion="17",
        AllocatedStorage=20,
        MasterUsername="master",
        ManageMasterUserPassword=True,
        Port=5433,
    )["DBInstance"]
    assert instance["Endpoint"]["Address"] == "managed.rds.test-control.local"
    assert instance["Endpoint"]["Port"] == 5433
    assert instance["MasterUserSecret"]["SecretStatus"] == "active"
    arn = instance["MasterUserSecret"]["SecretArn"]
    first = json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])
    assert first["username"] == "master"
    rds.modify_db_instance(DBInstanceIdentifier="managed", RotateMasterUserPassword=True, ApplyImmediately=True)
    second = json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])
    assert second["password"] not in ("", first["password"])
    with pytest.raises(ClientError) as raised:
        rds.modify_db_instance(DBInstanceIdentifier="managed", MasterUserPassword="given-by-hand")
    assert _error_code(raised) == "InvalidParameterCombination"
    rds.delete_db_instance(DBInstanceIdentifier="managed", SkipFinalSnapshot=True)
    with pytest.raises(ClientError) as raised:
        secrets.get_secret_value(SecretId=arn)
    assert _error_code(raised) == "ResourceNotFoundException"


def test_databases_end_as_on_aws(control_plane: Any) -> None:
    rds = control_plane.client("rds")
    name = {"DBInstanceIdentifier": "ending"}
    rds.create_db_instance(
        **name, DBInstanceClass="db.t4g.micro", Engine="postgres", AllocatedStorage=20, DeletionProtection=True
    )

    def refusal(call: Callable[..., Any], **options: Any) -> str:
        with pytest.raises(ClientError) as raised:
            call(**name, **options)
        return _error_code(raised)

    assert refusal(rds.delete_db_instance, SkipFinalSnapshot=True) == "InvalidParameterCombination"
    rds.stop_db_instance(**name)
    assert refusal(rds.modify_db_instance, DeletionProtection=False) == "InvalidDBInstanceState"
    rds.start_db_instance(**name)
    rds.modify_db_instance(**name, DeletionProtection=False, ApplyImmediately=True)
    assert refusal(rds.delete_db_instance) == "InvalidParameterCombination"
    both = {"SkipFinalSnapshot": True, "FinalDBSnapshotIdentifier": "end"}
    assert refusal(rds.delete_db_instance, **both) == "InvalidParameterCombination"
    rds.create_db_snapshot(**name, DBSnapshotIdentifier="end")
    assert refusal(rds.delete_db_instance, FinalDBSnapshotIdentifier="end") == "DBSnapshotAlreadyExists"
    rds.stop_db_instance(**name)
    assert refusal(rds.delete_db_instance, FinalDBSnapshotIdentifier="end-2") == "InvalidDBInstanceState"
    rds.start_db_instance(**name)
    for number in range(99):
        rds.create_db_snapshot(**name, DBSnapshotIdentifier=f"another-{number}")
    quotas = rds.describe_account_attributes()["AccountQuotas"]
    assert {"AccountQuotaName": "ManualSnapshots", "Used": 100, "Max": 100} in quotas
    assert refusal(rds.create_db_snapshot, DBSnapshotIdentifier="end-2") == "SnapshotQuotaExceeded"
    assert refusal(rds.delete_db_instance, FinalDBSnapshotIdentifier="end-2") == "SnapshotQuotaExceeded"
    for number in range(99):
        rds.delete_db_snapshot(DBSnapshotIdentifier=f"another-{number}")
    rds.delete_db_instance(**name, FinalDBSnapshotIdentifier="end-2")
    for snapshot in ("end", "end-2"):
        rds.delete_db_snapshot(DBSnapshotIdentifier=snapshot)


def test_a_cluster_with_services_or_tasks_stays(control_plane: Any) -> None:
    ecs = control_plane.client("ecs")
    ecs.create_cluster(clusterName="serving")
    definition = control_plane.task_definition("serving")
    ecs.create_service(
        cluster="serving", serviceName="one", taskDefinition=definition, launchType="FARGATE", desiredCount=0
    )
    with pytest.raises(ClientError) as raised:
        ecs.delete_cluster(cluster="serving")
    assert _error_code(raised) == "ClusterContainsServicesException"
    ecs.delete_service(cluster="serving", service="one", force=True)
    ecs.run_task(cluster="serving", taskDefinition=definition, launchType="FARGATE")
    with pytest.raises(ClientError) as raised:
        ecs.delete_cluster(cluster="serving")
    assert _error_code(raised) == "ClusterContainsTasksException"
    control_plane.wait("the task's end", lambda: not ecs.list_tasks(cluster="serving")["taskArns"])
    ecs.delete_cluster(cluster="serving")


def test_load_balancer_has_every_attribute_and_its_protection(control_plane: Any) -> None:
    elb = control_plane.client("elbv2")
    arn = elb.create_load_balancer(Name="attributes", Subnets=["subnet-1"])["LoadBalancers"][0]["LoadBalancerArn"]
    attributes = elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    assert {"Key": "access_logs.s3.bucket", "Value": ""} in attributes
    enabled = [{"Key": "deletion_protection.enabled", "Value": "true"}]
    elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=enabled)
    with pytest.raises(ClientError) as raised:
        elb.delete_load_balancer(LoadBalancerArn=arn)
    assert _error_code(raised) == "OperationNotPermitted"


def test_unknown_target_group_is_an_error(control_plane: Any) -> None:
    with pytest.raises(ClientError) as raised:
        control_plane.client("elbv2").describe_target_groups(Names=["unknown"])
    assert _error_code(raised) == "TargetGroupNotFound"


def test_imported_certificate_is_read(control_plane: Any) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "airflow.test")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=900))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("www.airflow.test")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private_key = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    acm = control_plane.client("acm")
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    arn = acm.import_certificate(Certificate=pem, PrivateKey=private_key)["CertificateArn"]
    described = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert described["DomainName"] == "airflow.test"
    assert described["SubjectAlternativeNames"] == ["airflow.test", "www.airflow.test"]
    assert described["NotAfter"] == start + timedelta(days=900)
    assert "CertificateChain" not in acm.get_certificate(CertificateArn=arn)
    with pytest.raises(ClientError) as raised:
        acm.import_certificate(Certificate=b"nonsense", PrivateKey=private_key)
    assert _error_code(raised) == "ValidationException"


def test_requested_certificate_is_real(control_plane: Any) -> None:
    acm = control_plane.client("acm")
    arn = acm.request_certificate(DomainName="asked.test")["CertificateArn"]
    certificate = x509.load_pem_x509_certificate(acm.get_certificate(CertificateArn=arn)["Certificate"].encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["asked.test"]


def test_listener_takes_further_certificates(control_plane: Any) -> None:
    elb, acm = control_plane.client("elbv2"), control_plane.client("acm")
    default, further = (acm.request_certificate(DomainName=name)["CertificateArn"] for name in ("a.test", "b.test"))
    balancer = elb.create_load_balancer(Name="names", Subnets=["subnet-1"])["LoadBalancers"][0]["LoadBalancerArn"]
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
    listener = elb.create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": default}],
        DefaultActions=[answer],
    )["Listeners"][0]["ListenerArn"]
    elb.add_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": further}])
    found = elb.describe_listener_certificates(ListenerArn=listener)["Certificates"]
    assert [(item["CertificateArn"], item["IsDefault"]) for item in found] == [(default, True), (further, False)]
    elb.remove_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": further}])
    assert len(elb.describe_listener_certificates(ListenerArn=listener)["Certificates"]) == 1


def test_no_zone_is_signed(control_plane: Any) -> None:
    route53 = control_plane.client("route53")
    zone = route53.create_hosted_zone(Name="sm2a.test", CallerReference="1")["HostedZone"]["Id"]
    assert route53.get_dnssec(HostedZoneId=zone)["Status"]["ServeSignature"] == "NOT_SIGNING"


def test_tasks_get_the_tags_that_their_service_hands_on(control_plane: Any) -> None:
    ecs = control_plane.client("ecs")
    definition = control_plane.task_definition("tagged")
    tags = [{"key": "component", "value": "worker"}]
    ecs.tag_resource(resourceArn=definition, tags=[{"key": "component", "value": "any"}])
    for name, options in (("handed-on", {"propagateTags": "SERVICE"}), ("tagless", {})):
        control_plane.create_service(name, definition, 1, tags=tags, **options)
        control_plane.wait_for_steady(name, 1)
    found = {
        name: ecs.list_tags_for_resource(resourceArn=task)["tags"]
        for name in ("handed-on", "tagless")
        for task in control_plane.tasks_of(name)
    }
    assert found == {"handed-on": tags, "tagless": []}
    for name, expected in found.items():
        [task] = control_plane.tasks_of(name)
        assert ecs.describe_tasks(cluster=CLUSTER, tasks=[task], include=["TAGS"])["tasks"][0]["tags"] == expected
    own = control_plane.run_task(definition, propagateTags="TASK_DEFINITION", tags=[{"key": "own", "value": "1"}])
    described = ecs.describe_tasks(cluster=CLUSTER, tasks=[own], include=["TAGS"])["tasks"][0]["tags"]
    assert described == [{"key": "own", "value": "1"}, {"key": "component", "value": "any"}]
    for name in ("handed-on", "tagless"):
        ecs.delete_service(cluster=CLUSTER, service=name, force=True)


def test_a_db_subnet_group_has_its_name_alone(control_plane: Any) -> None:
    rds, ec2 = control_plane.client("rds"), control_plane.client("ec2")
    subnet_ids = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]][:2]
    group = {"DBSubnetGroupName": "alone", "DBSubnetGroupDescription": "d", "SubnetIds": subnet_ids}
    rds.create_db_subnet_group(**group)
    with pytest.raises(ClientError, match="DBSubnetGroupAlreadyExists"):
        rds.create_db_subnet_group(**group)
    rds.delete_db_subnet_group(DBSubnetGroupName="alone")
