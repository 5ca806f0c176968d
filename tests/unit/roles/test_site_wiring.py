# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What site.yml hands to a role: the user's own value takes part, unless the option is not the user's to set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.names import wired_variables
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tests.support.role_files import main_options, read_yaml, role_names
from ansible_collections.sm2a.airflow.tests.unit.roles.rendering import render

# Ids of what another role made, and names that it gave.
MADE_BY_ANOTHER_ROLE = {
    "airflow_admin_secret_name",
    "airflow_cluster_name",
    "airflow_config_prefix",
    "airflow_connections_prefix",
    "airflow_database",
    "airflow_execution_role_arn",
    "airflow_extra_host_names",
    "airflow_storage_dags_uri",
    "airflow_groups_prefix",
    "airflow_log_group_names",
    "airflow_logs_uri",
    "airflow_namespace_arn",
    "airflow_queues",
    "airflow_security_group_ids",
    "airflow_subnet_ids",
    "airflow_target_group_arn",
    "airflow_task_role_arns",
    "airflow_url",
    "airflow_variables_prefix",
    "airflow_vpc_cidr",
    "airflow_worker_task_role_arns",
    "autoscaler_cluster_name",
    "autoscaler_database",
    "autoscaler_database_secret_name",
    "autoscaler_execution_role_arn",
    "autoscaler_log_group_name",
    "autoscaler_security_group_ids",
    "autoscaler_subnet_ids",
    "autoscaler_task_role_arn",
    "cluster_logs_bucket_arn",
    "cluster_master_secret_arn",
    "cluster_queue_arns",
    "cluster_repository_arns",
    "cluster_secrets_prefix",
    "database_config_prefix",
    "database_secrets_policies",
    "database_security_group_ids",
    "database_subnet_ids",
    "load_balancer_access_logs_bucket",
    "load_balancer_security_group_ids",
    "load_balancer_subnet_ids",
    "load_balancer_vpc_id",
    "monitoring_cluster_name",
    "monitoring_database_identifier",
    "monitoring_dead_letter_queue",
    "monitoring_load_balancer_arn",
    "monitoring_log_group_names",
    "monitoring_queues",
    "monitoring_services",
    "monitoring_target_group_arn",
}
# Set once for the environment under another name, by which both roles go.
NAMED_ELSEWHERE = {
    "airflow_execute_command": "cluster_execute_command",
    "airflow_image": "images_airflow_image",
    "airflow_region": "sm2a_region",
    "airflow_task_queued_timeout": "broker_task_queued_timeout",
    "airflow_visibility_timeout": "broker_visibility_timeout",
    "autoscaler_image": "images_autoscaler_image",
    "autoscaler_region": "sm2a_region",
    "autoscaler_worker_groups": "airflow_worker_groups",
    "broker_queues": "airflow_worker_groups",
    "broker_task_roles": "airflow_worker_groups",
    "cluster_config_secret_names": "airflow_config_secrets",
    "cluster_dags_uris": "airflow_dags_s3_uri",
    "cluster_kms_key_arn": "secrets_kms_key_arn",
    "cluster_worker_groups": "airflow_worker_groups",
    "database_kms_key_arn": "secrets_kms_key_arn",
    "monitoring_airflow_metrics": "airflow_metrics_enabled",
    "monitoring_container_insights": "cluster_container_insights",
    "monitoring_kms_key_arn": "secrets_kms_key_arn",
    "monitoring_region": "sm2a_region",
    "monitoring_worker_groups": "airflow_worker_groups",
    "network_database_port": "database_port",
    "network_kms_key_arn": "secrets_kms_key_arn",
    "network_load_balancer_allowed_cidrs": "load_balancer_allowed_cidrs",
    "network_load_balancer_internal": "load_balancer_scheme",
    "network_load_balancer_ports": "load_balancer_https_port",
    "images_extra_git": "airflow_dags_source",
    "images_worker_queues": "airflow_worker_groups",
    "network_extra_endpoint_resources": "airflow_dags_s3_uri",
    "network_extra_interface_endpoint_services": "cluster_execute_command",
    "network_extra_load_balancer_egress": "load_balancer_oidc",
    "network_extra_task_egress": "airflow_dags_git_url",
    "run_lock_allow_simultaneous": "sm2a_lock_allow_simultaneous",
    "run_lock_state": "sm2a_lock",
    "run_lock_timeout": "sm2a_lock_timeout",
    "storage_kms_key_arn": "secrets_kms_key_arn",
}
# site.yml waits in the end, whatever is set: it joins the role later.
JOINED_LATER = {"airflow_wait", "network_wait"}
# Made of all variables together.
OF_EVERYTHING = {"preflight_demand"}
DERIVED = MADE_BY_ANOTHER_ROLE | NAMED_ELSEWHERE.keys() | JOINED_LATER | OF_EVERYTHING


def imports(tasks: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Role and variables of each import, those in blocks and in imported files too."""
    for task in tasks:
        if file := task.get("ansible.builtin.import_tasks"):
            yield from imports(read_yaml(PLAYBOOKS / file))
        for part in ("block", "rescue", "always"):
            yield from imports(task.get(part, []))
        if imported := task.get("ansible.builtin.import_role"):
            yield imported["name"].rpartition(".")[2], task.get("vars", {})


PLAYBOOKS = PROJECT / "playbooks"
[PLAY] = read_yaml(PLAYBOOKS / "site.yml")
GIVEN = [
    (name, value)
    for role, variables in imports(PLAY["tasks"])
    for name, value in variables.items()
    if name in main_options(role)
]


def test_site_sets_no_option_that_is_the_users() -> None:
    """A value of the command line would take the place of what it sets."""
    assert {name for name, _ in GIVEN} - DERIVED == set()


def test_every_derived_option_is_one_that_site_sets() -> None:
    assert DERIVED - {name for name, _ in GIVEN} == set()


def test_the_name_elsewhere_is_one_that_users_may_set() -> None:
    elsewhere = {name for name in NAMED_ELSEWHERE.values() if not name.startswith("sm2a_")}
    documented = {name for role in role_names() for name in main_options(role)}
    assert elsewhere <= documented - DERIVED


def test_the_image_knows_the_queues_of_the_worker_groups_and_nobody_keeps_a_second_list(tmp_path: Path) -> None:
    variables = next(variables for role, variables in imports(PLAY["tasks"]) if role == "images")
    expression = variables["images_worker_queues"].replace("{{", "(").replace("}}", ")")
    groups = [{"queue": queue} for queue in ("main", "large", "a", "large")]
    given = [{"sm2a_inputs": {"airflow_worker_groups": groups}}]
    # The first group runs the tasks that name no queue.
    assert render(tmp_path, "images", ["defaults/main.yml"], expression, given) == [["main", "large", "a"]]
    assert wired_variables({"images_worker_queues"}, [PLAY]) == [
        "images_worker_queues: this playbook sets it itself; set airflow_worker_groups instead"
    ]


def test_a_repository_by_ssh_can_be_reached(tmp_path: Path) -> None:
    variables = next(variables for role, variables in imports(PLAY["tasks"]) if role == "network")
    internal = {name: value for name, value in variables.items() if name.startswith("__")}
    expression = variables["network_extra_task_egress"].strip().replace("{{", "(").replace("}}", ")")
    ports = {
        "git@git.example.com:team/dags.git": [["22"]],
        "ssh://git@git.example.com/team/dags.git": [["22"]],
        "ssh://git@git.example.com:2222/team/dags.git": [["2222"]],
        "https://ada@git.example.com:8443/team/dags.git": [],
    }
    play = {**PLAY["vars"], **internal}
    inputs = {"network_task_egress": [], "network_https_egress_cidrs": ["0.0.0.0/0"], "airflow_dags_source": "git"}
    cases = [{**play, "sm2a_inputs": {**inputs, "airflow_dags_git_url": url}} for url in ports]
    image = {**inputs, "airflow_dags_source": "image"}
    cases += [{**play, "sm2a_inputs": {**image, "airflow_dags_git_url": url}} for url in (next(iter(ports)), None)]
    rendered = render(tmp_path, "network", ["defaults/main.yml"], expression, cases)
    assert [[[str(port) for port in rule["ports"]] for rule in rules] for rules in rendered] == [
        *ports.values(),
        [],
        [],
    ]
    assert {cidr for rules in rendered for rule in rules for cidr in rule["cidrs"]} == {"0.0.0.0/0"}
