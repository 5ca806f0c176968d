# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Values as surveys, ``-e name=value`` and INI inventories give them: all text, and an unanswered question empty."""

from __future__ import annotations

import json

import pytest
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs

TEXT_GROUP = {
    **{key: str(value) for key, value in runs.DEFAULT_GROUP.items()},
    "own_task_role": "false",
    "cpu_architecture": "",
    "ephemeral_storage_gib": "",
}
ANSWERS = {
    "cluster_execute_command": "false",
    "airflow_metrics_enabled": "no",
    "network_flow_logs": "false",
    "monitoring_dashboard": "false",
    "database_tls_verification": "false",
    "database_multi_az": "False",
    "secrets_kms_key_arn": "",
    "broker_kms_key_arn": "",
    "load_balancer_certificate_arn": "",
    "load_balancer_hosted_zone_name": "",
    "database_engine_version": "",
    "network_vpc_id": "",
    "sm2a_tags": "owner: data\ncost-center: '17'",
    "airflow_worker_groups": json.dumps([TEXT_GROUP]),
    "broker_visibility_timeout": "1800",
    "airflow_triggerer_count": "0",
    "network_task_egress": '[{"ports": ["5439"], "cidrs": ["198.51.100.0/24"]}]',
    "network_https_egress_cidrs": "10.0.0.0/8, 192.0.2.0/24",
    "airflow_host_names": "airflow.corp.example.com\n",
    "airflow_dags_source": "git",
    "airflow_dags_git_url": "ssh://git@git.example.com:2222/team/dags.git",
}


@pytest.fixture(scope="module")
def answered(control_plane: runs.ControlPlane) -> runs.ControlPlane:
    """An environment with these values from the command line, which win over what a playbook sets."""
    site = control_plane.play("site", extra=ANSWERS)
    assert site.code == 0, site.end()
    return control_plane


def variables(aws: runs.ControlPlane, family: str) -> dict[str, str]:
    """Environment of the family's first container."""
    definition = aws.client("ecs").describe_task_definition(taskDefinition=f"{runs.NAME}-{family}")["taskDefinition"]
    return {pair["name"]: pair["value"] for pair in definition["containerDefinitions"][0]["environment"]}


def test_false_switches_off(answered: runs.ControlPlane) -> None:
    [cluster] = answered.client("ecs").describe_clusters(clusters=[runs.NAME], include=["CONFIGURATIONS"])["clusters"]
    assert cluster["configuration"]["executeCommandConfiguration"]["logging"] == "DEFAULT"
    role = {"RoleName": f"{runs.NAME}-worker", "PolicyName": "permissions"}
    policy = answered.client("iam").get_role_policy(**role)["PolicyDocument"]
    assert "ssmmessages" not in json.dumps(policy)
    definition = answered.client("ecs").describe_task_definition(taskDefinition=f"{runs.NAME}-scheduler")
    assert len(definition["taskDefinition"]["containerDefinitions"]) == 1
    assert answered.client("ec2").describe_flow_logs()["FlowLogs"] == []
    assert answered.client("cloudwatch").list_dashboards()["DashboardEntries"] == []
    [database] = answered.client("rds").describe_db_instances()["DBInstances"]
    assert database["MultiAZ"] is False
    uri = answered.client("secretsmanager").get_secret_value(SecretId=f"{runs.NAME}/config/sql_alchemy_conn")
    assert "sslmode=require" in uri["SecretString"]


def test_an_empty_answer_is_the_default(answered: runs.ControlPlane) -> None:
    [database] = answered.client("rds").describe_db_instances()["DBInstances"]
    assert database["EngineVersion"].startswith("17")
    assert database["KmsKeyId"].startswith("arn:")
    sqs = answered.client("sqs")
    url = sqs.get_queue_url(QueueName=f"{runs.NAME}-default")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["SqsManagedSseEnabled"] == "true"
    [balancer] = answered.client("elbv2").describe_load_balancers()["LoadBalancers"]
    listeners = answered.client("elbv2").describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    [https] = [listener for listener in listeners if listener["Protocol"] == "HTTPS"]
    assert https["Certificates"][0]["CertificateArn"].startswith("arn:")


def test_numbers_lists_and_dictionaries_are_read(answered: runs.ControlPlane) -> None:
    sqs = answered.client("sqs")
    url = sqs.get_queue_url(QueueName=f"{runs.NAME}-default")["QueueUrl"]
    assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["VisibilityTimeout"] == "1800"
    tags = sqs.list_queue_tags(QueueUrl=url)["Tags"]
    assert {name: tags.get(name) for name in ("owner", "cost-center")} == {"owner": "data", "cost-center": "17"}
    definition = answered.client("ecs").describe_task_definition(taskDefinition=f"{runs.NAME}-worker-default")
    assert definition["taskDefinition"]["cpu"] == str(runs.GROUP_SIZE["cpu"])
    [triggerer] = answered.client("ecs").describe_services(cluster=runs.NAME, services=["triggerer"])["services"]
    assert triggerer["desiredCount"] == 0


def test_what_the_playbook_adds_is_added_to_values_of_the_command_line(answered: runs.ControlPlane) -> None:
    name = {"Name": "group-name", "Values": [f"{runs.NAME}-worker"]}
    [group] = answered.client("ec2").describe_security_groups(Filters=[name])["SecurityGroups"]
    egress = {
        (rule["FromPort"], entry["CidrIp"]) for rule in group["IpPermissionsEgress"] for entry in rule["IpRanges"]
    }
    https = {(443, cidr) for cidr in ("10.0.0.0/8", "192.0.2.0/24")}
    assert egress >= {(5439, "198.51.100.0/24"), *((2222, cidr) for _port, cidr in https), *https}
    names = variables(answered, "api-server")["SM2A_HOST_NAMES"].split(",")
    assert "airflow.corp.example.com" in names
    assert len(names) > 1


def test_a_second_run_changes_nothing(answered: runs.ControlPlane) -> None:
    again = answered.play("site", extra=ANSWERS)
    assert (again.code, again.changed) == (0, []), again.end()
