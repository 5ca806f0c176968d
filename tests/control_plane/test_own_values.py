# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What an inventory sets reaches AWS also where site.yml sets the same option, and options that no other test sets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from ansible_collections.sm2a.airflow.plugins.module_utils.acm import x509 as certificates
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs

DOMAIN = "airflow.example.com"
DAGS_KEY = "arn:aws:kms:eu-west-1:000000000000:key/dags"
# Variables of the host: extra ones would win over what site.yml sets, and hide what it does.
VALUES: dict[str, Any] = {
    "airflow_dags_source": "s3",
    "airflow_dags_s3_uri": "s3://company-dags/airflow",
    "cluster_dags_kms_key_arn": DAGS_KEY,
    "network_load_balancer_egress": [{"ports": [8443], "cidrs": ["192.0.2.0/24"]}],
    "network_task_egress": [{"ports": [5439], "cidrs": ["198.51.100.0/24"]}],
    "network_api_server_port": 8081,
    "network_worker_log_port": 9793,
    "network_triggerer_log_port": 9794,
    "load_balancer_certificate_source": "import",
    "load_balancer_ssl_policy": "ELBSecurityPolicy-TLS13-1-3-2021-06",
    "load_balancer_desync_mitigation_mode": "strictest",
    "load_balancer_idle_timeout_seconds": 90,
    "load_balancer_access_logs_prefix": "front",
    "load_balancer_target_port": 8081,
    "load_balancer_deregistration_delay_seconds": 60,
    "load_balancer_health_check_path": "/healthy",
    "load_balancer_health_check_unhealthy_threshold": 3,
    "load_balancer_health_check_interval_seconds": 20,
    "load_balancer_health_check_timeout_seconds": 8,
    "load_balancer_connection_logs": True,
    "load_balancer_connection_logs_prefix": "connections",
    "load_balancer_waf": "create",
    "load_balancer_waf_managed_rule_groups": [{"name": "AWSManagedRulesLinuxRuleSet"}],
    "database_storage_type": "gp2",
    "database_master_username": "keeper",
    "database_username": "flow",
    "database_result_name": "flow_results",
    "airflow_api_server_cpu": 2048,
    "airflow_api_server_memory": 5120,
    "airflow_dag_processor_count": 2,
    "airflow_dag_processor_cpu": 512,
    "airflow_dag_processor_memory": 3072,
    "airflow_triggerer_count": 0,
    "airflow_triggerer_cpu": 256,
    "airflow_triggerer_memory": 2048,
    "airflow_migrate_cpu": 1024,
    "airflow_migrate_memory": 4096,
    "airflow_health_check_start_period": 240,
    "airflow_trusted_proxies": ["203.0.113.7"],
    "airflow_metrics_allow_list": ["ti_successes", "scheduler.heartbeat"],
    "airflow_metrics_enabled": True,
    "airflow_metrics_dimensions": ["queue"],
    "airflow_metrics_dimension_limit": 20,
    "sm2a_lock": False,
}


class Environment:
    """An environment whose variables come from an inventory."""

    def __init__(self, aws: runs.ControlPlane, folder: Path) -> None:
        self.aws, self.folder = aws, folder

    def deploy(self, values: dict[str, Any]) -> None:
        """Run site.yml with these variables of the host."""
        inventory = self.folder / "values.yml"
        inventory.write_text(yaml.safe_dump({"sm2a": {"hosts": {"control_plane": values}}}), encoding="utf-8")
        self.site = self.aws.play("site", "-i", str(inventory))
        assert self.site.code == 0, self.site.end()

    def rules(self, group: str, direction: str) -> list[dict[str, Any]]:
        """Rules of the component's security group; the direction is as boto3 has it."""
        name = {"Name": "group-name", "Values": [f"{runs.NAME}-{group}"]}
        [found] = self.aws.client("ec2").describe_security_groups(Filters=[name])["SecurityGroups"]
        rules: list[dict[str, Any]] = found[direction]
        return rules

    def egress(self, group: str) -> set[tuple[int, str]]:
        """Ports and ranges that the security group lets out to."""
        rules = self.rules(group, "IpPermissionsEgress")
        return {(rule["FromPort"], entry["CidrIp"]) for rule in rules for entry in rule["IpRanges"]}

    def admitted_ports(self, group: str) -> set[int]:
        """Ports that the security group lets in to."""
        return {rule["FromPort"] for rule in self.rules(group, "IpPermissions")}

    def statements(self, component: str) -> dict[str, dict[str, Any]]:
        """What the component's task role allows, by the names of the statements."""
        role = {"RoleName": f"{runs.NAME}-{component}", "PolicyName": "permissions"}
        document = self.aws.client("iam").get_role_policy(**role)["PolicyDocument"]
        return {each["Sid"]: each for each in document["Statement"]}

    def definition(self, family: str) -> dict[str, Any]:
        """The family's task definition."""
        answer = self.aws.client("ecs").describe_task_definition(taskDefinition=f"{runs.NAME}-{family}")
        definition: dict[str, Any] = answer["taskDefinition"]
        return definition

    def variables(self, family: str, container: int = 0) -> dict[str, str]:
        """Environment of one of the family's containers."""
        pairs = self.definition(family)["containerDefinitions"][container]["environment"]
        return {pair["name"]: pair["value"] for pair in pairs}


@pytest.fixture(scope="module")
def environment(control_plane: runs.ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    folder = tmp_path_factory.mktemp("inventory")
    made, above = (certificates.self_signed([name], 365) for name in (DOMAIN, "authority.example.com"))
    files = {"file": made.certificate, "private_key_file": made.private_key, "chain_file": above.certificate}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    given = {f"load_balancer_certificate_{name}": str(folder / name) for name in files}
    deployed = Environment(control_plane, folder)
    deployed.deploy({**VALUES, **given})
    return deployed


def test_dags_come_from_a_bucket_of_ones_own(environment: Environment) -> None:
    for component in ("dag-processor", "worker"):
        allowed = environment.statements(component)
        assert allowed["ReadDags"]["Resource"] == ["arn:aws:s3:::company-dags/airflow/*"]
        assert allowed["ListDags"]["Resource"] == ["arn:aws:s3:::company-dags"]
        assert allowed["DecryptDags"]["Resource"] == DAGS_KEY
    assert "ReadDags" not in environment.statements("scheduler")
    for family in ("dag-processor", "worker-default"):
        variables = environment.variables(family)
        [bundle] = json.loads(variables["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"])
        assert (bundle["kwargs"]["bucket_name"], bundle["kwargs"]["prefix"]) == ("company-dags", "airflow")


def test_the_load_balancer_may_reach_what_the_inventory_says(environment: Environment) -> None:
    assert environment.egress("load-balancer") == {(8443, "192.0.2.0/24")}


def test_dags_may_reach_what_the_inventory_says(environment: Environment) -> None:
    for component in ("worker", "triggerer", "dag-processor"):
        assert environment.egress(component) == {(443, "0.0.0.0/0"), (5439, "198.51.100.0/24")}
    assert environment.egress("scheduler") == {(443, "0.0.0.0/0")}


def test_the_ports_of_the_components(environment: Environment) -> None:
    assert environment.admitted_ports("api-server") == {8081}
    assert environment.admitted_ports("worker") == {9793}
    assert environment.admitted_ports("triggerer") == {9794}


def test_the_load_balancer(environment: Environment) -> None:
    elbv2 = environment.aws.client("elbv2")
    [balancer] = elbv2.describe_load_balancers()["LoadBalancers"]
    answer = elbv2.describe_load_balancer_attributes(LoadBalancerArn=balancer["LoadBalancerArn"])
    attributes = {pair["Key"]: pair["Value"] for pair in answer["Attributes"]}
    assert attributes["routing.http.desync_mitigation_mode"] == "strictest"
    assert attributes["idle_timeout.timeout_seconds"] == "90"
    assert attributes["access_logs.s3.prefix"] == "front"
    assert attributes["connection_logs.s3.enabled"] == "true"
    assert attributes["connection_logs.s3.prefix"] == "connections"
    listeners = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    [https] = [listener for listener in listeners if listener["Protocol"] == "HTTPS"]
    assert https["SslPolicy"] == VALUES["load_balancer_ssl_policy"]


def test_the_target_group(environment: Environment) -> None:
    elbv2 = environment.aws.client("elbv2")
    [group] = elbv2.describe_target_groups()["TargetGroups"]
    assert (group["Port"], group["HealthCheckPath"], group["UnhealthyThresholdCount"]) == (8081, "/healthy", 3)
    assert (group["HealthCheckIntervalSeconds"], group["HealthCheckTimeoutSeconds"]) == (20, 8)
    answer = elbv2.describe_target_group_attributes(TargetGroupArn=group["TargetGroupArn"])
    assert {"Key": "deregistration_delay.timeout_seconds", "Value": "60"} in answer["Attributes"]


def test_the_certificate_comes_from_files(environment: Environment) -> None:
    acm = environment.aws.client("acm")
    [summary] = acm.list_certificates()["CertificateSummaryList"]
    assert acm.describe_certificate(CertificateArn=summary["CertificateArn"])["Certificate"]["Type"] == "IMPORTED"
    held = acm.get_certificate(CertificateArn=summary["CertificateArn"])
    folder = environment.folder
    assert held["Certificate"].strip() == (folder / "file").read_text(encoding="utf-8").strip()
    assert held["CertificateChain"].strip() == (folder / "chain_file").read_text(encoding="utf-8").strip()


def test_the_rule_groups_of_the_web_acl(environment: Environment) -> None:
    waf = environment.aws.client("wafv2")
    [summary] = waf.list_web_acls(Scope="REGIONAL")["WebACLs"]
    acl = waf.get_web_acl(Name=summary["Name"], Scope="REGIONAL", Id=summary["Id"])["WebACL"]
    groups = [rule["Statement"].get("ManagedRuleGroupStatement", {}).get("Name") for rule in acl["Rules"]]
    assert [name for name in groups if name] == ["AWSManagedRulesLinuxRuleSet"]


def test_the_database_and_its_users(environment: Environment) -> None:
    [instance] = environment.aws.client("rds").describe_db_instances()["DBInstances"]
    assert (instance["StorageType"], instance["MasterUsername"]) == ("gp2", "keeper")
    secrets = environment.aws.client("secretsmanager")
    users = {
        "sql_alchemy_conn": "flow",
        "dag_processor_sql_alchemy_conn": "flow_dag_processor",
        "triggerer_sql_alchemy_conn": "flow_triggerer",
        "autoscaler_sql_alchemy_conn": "flow_autoscaler",
        "result_backend": "flow_results",
        "scheduler_result_backend": "flow_results_reader",
    }
    for secret, user in users.items():
        uri = secrets.get_secret_value(SecretId=f"{runs.NAME}/config/{secret}")["SecretString"]
        assert urlsplit(uri).username == user
        assert json.loads(secrets.get_secret_value(SecretId=f"{runs.NAME}/database/{user}")["SecretString"])
    migration = environment.variables("migrate")
    assert migration["SM2A_RESULT_DATABASE_NAME"] == "flow_results"
    assert migration["SM2A_DATABASE_USER_SECRET"] == f"{runs.NAME}/database/flow"
    assert migration["SM2A_DAG_PROCESSOR_USER_SECRET"] == f"{runs.NAME}/database/flow_dag_processor"
    assert migration["SM2A_TRIGGERER_USER_SECRET"] == f"{runs.NAME}/database/flow_triggerer"
    assert migration["SM2A_AUTOSCALER_USER_SECRET"] == f"{runs.NAME}/database/flow_autoscaler"
    assert migration["SM2A_RESULT_READER_SECRET"] == f"{runs.NAME}/database/flow_results_reader"


def test_without_a_triggerer_nothing_is_expected_of_it(environment: Environment) -> None:
    ecs = environment.aws.client("ecs")
    [service] = ecs.describe_services(cluster=runs.NAME, services=["triggerer"])["services"]
    assert service["desiredCount"] == 0
    alarms = environment.aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    names = [alarm["AlarmName"] for alarm in alarms]
    assert any("dag-processor" in name for name in names)
    assert not any("triggerer" in name for name in names)


@pytest.mark.parametrize("component", ["api_server", "dag_processor", "triggerer", "migrate"])
def test_the_size_of_the_components(environment: Environment, component: str) -> None:
    definition = environment.definition(component.replace("_", "-"))
    sizes = [str(VALUES[f"airflow_{component}_{size}"]) for size in ("cpu", "memory")]
    assert [definition["cpu"], definition["memory"]] == sizes


def test_the_services_of_the_components(environment: Environment) -> None:
    names = ["api-server", "dag-processor"]
    services = environment.aws.client("ecs").describe_services(cluster=runs.NAME, services=names)["services"]
    web_server, dag_processor = sorted(services, key=lambda service: str(service["serviceName"]))
    assert dag_processor["desiredCount"] == 2
    assert web_server["healthCheckGracePeriodSeconds"] == 240
    container = environment.definition("dag-processor")["containerDefinitions"][0]
    assert container["healthCheck"]["startPeriod"] == 240
    trusted = environment.variables("api-server")["FORWARDED_ALLOW_IPS"].split(",")
    assert "203.0.113.7" in trusted


def test_the_metrics(environment: Environment) -> None:
    allowed = environment.variables("scheduler")["AIRFLOW__METRICS__METRICS_ALLOW_LIST"]
    assert allowed == "ti_successes,scheduler.heartbeat"
    sidecar = environment.variables("scheduler", 1)
    assert (sidecar["SM2A_METRICS_DIMENSIONS"], sidecar["SM2A_METRICS_LIMIT"]) == ("queue", "20")


def test_a_deployment_without_the_lock(environment: Environment) -> None:
    buckets = [bucket["Name"] for bucket in environment.aws.client("s3").list_buckets()["Buckets"]]
    assert [name for name in buckets if "run-lock" in name] == []
    assert [task for task in environment.site.tasks("ok") + environment.site.changed if "lock" in task.lower()] == []
