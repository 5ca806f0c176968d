# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Inventories that AWS or Airflow would refuse, or that would be deployed otherwise than meant: all named at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.as_written import KEEPS_PLACES
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT

GROUP = {"name": "a", "queue": "a", "cpu": 1024, "memory": 2048, "concurrency": 2, "min": 0, "max": 2}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "queue-with-a-dot": ({"airflow_worker_groups": [{**GROUP, "queue": "gpu.large"}]}, "queue of group a must be"),
    "queue-of-dead-letters": ({"airflow_worker_groups": [{**GROUP, "queue": "dead-letter"}]}, "dead-letter"),
    "no-groups": ({"airflow_worker_groups": []}, "airflow_worker_groups: "),
    "small-network": ({"network_cidr": "10.0.0.0/28"}, "network_cidr: "),
    "host-bits": ({"network_cidr": "10.0.0.1/24"}, "network_cidr: "),
    "name-of-a-connection": ({"secrets_connections": {"team a/db": "postgres://x"}}, "secrets_connections: "),
    "empty-variable": ({"secrets_variables": {"empty": ""}}, "secrets_variables.empty: must not be empty"),
    "null-dictionary": ({"airflow_config": None}, "airflow_config: has no value"),
    "null-secrets": ({"secrets_variables": None, "secrets_connections": None}, "secrets_variables: has no value"),
    "null-groups": ({"airflow_worker_groups": None}, "airflow_worker_groups: has no value"),
    "null-tags": ({"sm2a_tags": None}, "sm2a_tags: has no value"),
    "null-in-a-group": (
        {"airflow_worker_groups": [{**GROUP, "max": None}]},
        "airflow_worker_groups, group a, max: has",
    ),
    "hyphen-at-the-end": ({"sm2a_name": "prod-"}, "sm2a_name: "),
    "internal-name": ({"sm2a_name": "internal-airflow"}, "sm2a_name: "),
    "two-hyphens": ({"sm2a_name": "data--prod"}, "sm2a_name: "),
    "domain-with-a-scheme": (
        {"load_balancer_domain_name": "https://airflow.example.com/"},
        "load_balancer_domain_name: ",
    ),
    "domain-with-an-underscore": (
        {"load_balancer_domain_name": "airflow_prod.example.com"},
        "load_balancer_domain_name: ",
    ),
    "reserved-tag": ({"sm2a_tags": {"aws:owner": "x"}}, "sm2a_tags: "),
    "nested-tag": ({"sm2a_tags": {"owner": {"team": "a"}}}, "sm2a_tags: "),
    "token-in-the-url": (
        {"airflow_dags_source": "git", "airflow_dags_git_url": "https://EXAMPLETOKEN@git.example.com/team/dags.git"},
        "airflow_dags_git_url: must not hold",
    ),
    "password-option": (
        {"airflow_config": {"smtp": {"smtp_password": "EXAMPLE"}}},
        "airflow_config.smtp.smtp_password: ",
    ),
    "storage-at-its-maximum": (
        {"database_allocated_storage": 100, "database_max_allocated_storage": 100},
        "database_allocated_storage",
    ),
    "retention": ({"cluster_log_retention_in_days": 42}, "cluster_log_retention_in_days: "),
    "recovery-window": ({"secrets_recovery_window_in_days": 5}, "secrets_recovery_window_in_days: "),
    "port": ({"load_balancer_https_port": 70000}, "load_balancer_https_port: "),
    "idle-timeout": ({"load_balancer_idle_timeout_seconds": 4001}, "load_balancer_idle_timeout_seconds: "),
    "misspelt-prefix": ({"load_balancr_https_port": 443}, "did you mean load_balancer_https_port?"),
    "short-prefix": (
        {"lb_https_port": 8443},
        "lb_https_port: there is no such variable; did you mean load_balancer_https_",
    ),
    "capitals": ({"Airflow_config": {"core": {"parallelism": 1}}}, "did you mean airflow_config?"),
    "text-for-a-number-of-airflow": (
        {"airflow_config": {"core": {"parallelism": "many"}}},
        "airflow_config.core.parallelism: must be a whole number",
    ),
    "tag-without-quotes": ({"sm2a_tags": {"reviewed": True}}, "sm2a_tags: reviewed must be text in quotes"),
    "environment-without-quotes": (
        {"airflow_worker_groups": [{**GROUP, "environment": {"RELEASE": 1.1}}]},
        "group a: environment.RELEASE: must be text in quotes",
    ),
    "connection-without-type": (
        {"secrets_connections": {"warehouse": {"host": "EXAMPLE"}}},
        "secrets_connections.warehouse: must have a conn_type",
    ),
    "percent-in-a-connection": (
        {"secrets_connections": {"warehouse": "postgres://a:EXAMPLE%@b"}},
        "secrets_connections.warehouse: must have two hexadecimal digits",
    ),
    "another-partition": (
        {"cluster_permissions_boundary": "arn:aws-cn:iam::111122223333:policy/a"},
        "must be ARNs that begin with arn:aws: in eu-west-1",
    ),
    "dns-role-without-a-zone": (
        {"load_balancer_dns_role_arn": "arn:aws:iam::111122223333:role/dns"},
        "one of the zones must be set",
    ),
    "misspelt-option-of-airflow": ({"airflow_config": {"core": {"paralelism": 64}}}, "did you mean parallelism?"),
    "misspelt-section-of-airflow": ({"airflow_config": {"scheduller": {"num_runs": 1}}}, "did you mean scheduler?"),
    "misspelt-key-of-a-group": ({"airflow_worker_groups": [{**GROUP, "memmory": 1}]}, "did you mean memory?"),
    "text-that-is-no-number": (
        {"airflow_worker_groups": [{**GROUP, "cpu": "one"}]},
        "group a, cpu: must be a whole number",
    ),
    "undefined": (
        {"monitoring_queue_oldest_message_seconds": "{{ nobody }}"},
        "seconds: cannot be rendered",
    ),
    "undefined-in-a-group": (
        {"airflow_worker_groups": [{**GROUP, "environment": {"DAY": "{{ ds }}"}}]},
        "airflow_worker_groups: cannot be rendered: 'ds' is undefined",
    ),
    "wrong-template": ({"network_cidr": "{{ 1 / 0 }}"}, "network_cidr: cannot be rendered"),
    "two-at-once": ({"network_flow_logs": "maybe", "network_cidr": "10.0.0.1/24"}, "network_cidr: "),
    "state": ({"network_state": "absent"}, "network_state: this playbook sets it itself"),
    "version-as-a-number": ({"database_engine_version": 17.10}, "database_engine_version: must be text in quotes"),
    "git-address": (
        {"airflow_dags_source": "git", "airflow_dags_git_url": "/srv/repo"},
        "airflow_dags_git_url: must be",
    ),
    "subnets-of-no-network": ({"network_private_subnet_ids": ["subnet-1", "subnet-2"]}, "network_vpc_id"),
    "not-the-users": (
        {"network_kms_key_arn": "arn:aws:kms:eu-west-1:111122223333:key/a"},
        "this playbook sets it itself",
    ),
}
# Text of a file of variables that YAML reads otherwise than it is written.
WRITTEN = {
    "octal": "broker_visibility_timeout: 03600\n",
    "time-of-day": "load_balancer_health_check_path: 12:30\n",
    "release-in-the-environment": "secrets_variables: {release: 1.10}\n",
}
REFUSED_AS_WRITTEN = {
    "octal": "broker_visibility_timeout: is written 03600, which YAML reads as 1920",
    "time-of-day": "load_balancer_health_check_path: is written 12:30, which YAML reads as 750",
    "release-in-the-environment": "secrets_variables, release: the value is refused (not shown: it may be secret)",
}
ACCEPTED: dict[str, dict[str, Any]] = {
    "plain": {},
    "longest-name": {"sm2a_name": "a" + "b" * 20},
    "european-sovereign-cloud": {"sm2a_region": "eusc-de-east-1"},
    "govcloud": {"sm2a_region": "us-gov-west-1"},
    "text": {"airflow_worker_groups": [{name: str(value) for name, value in GROUP.items()}], "sm2a_lock": "false"},
    "not-given": {"secrets_kms_key_arn": "", "database_engine_version": "", "airflow_worker_groups": ""},
    "omit": {"secrets_kms_key_arn": "{{ nobody | default(omit) }}"},
    "waits-for-a-role": {"monitoring_queue_oldest_message_seconds": "{{ broker_outputs.visibility_timeout }}"},
    "dates": {"secrets_variables": {"start": "2024-01-01"}},
    "user-of-git": {"airflow_dags_source": "git", "airflow_dags_git_url": "git@git.example.com:team/dags.git"},
    "own-section": {"airflow_config": {"my_company": {"region": "north"}}},
    "own-short-name": {"lb_https_port": 8443, "load_balancer_https_port": "{{ lb_https_port }}"},
    "booleans-of-airflow": {"airflow_config": {"core": {"load_examples": False, "parallelism": 64}}},
    "dns-by-hand": {"load_balancer_dns": "manual", "load_balancer_certificate_source": "request"},
    "tags": {"sm2a_tags": {"k" * 128: "v" * 256, "Größe": "a b_.:/=+-@"}},
}
TASKS = [
    {
        "name": "Check",
        "sm2a.airflow.validate_variables": {},
        "register": "checked",
        "ignore_errors": True,
    },
    {
        "name": "Write",
        "ansible.builtin.copy": {
            "content": "{{ checked.msg | default('') }}",
            "dest": "{{ folder }}/{{ inventory_hostname }}",
        },
    },
]


@pytest.fixture(scope="module")
def sentences(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What is said about each inventory, all in one run."""
    folder = tmp_path_factory.mktemp("refused")
    common = {"sm2a_name": "try", "sm2a_region": "eu-west-1", "ansible_connection": "local", "folder": str(folder)}
    cases = {name: values for name, (values, _sentence) in REFUSED.items()} | ACCEPTED | {name: {} for name in WRITTEN}
    hosts = {name: {**common, "ansible_python_interpreter": sys.executable, **values} for name, values in cases.items()}
    inventory, book = folder / "inventory.yml", folder / "play.yml"
    inventory.write_text(yaml.safe_dump({"all": {"hosts": hosts}}), encoding="utf-8")
    (folder / "host_vars").mkdir()
    for name, text in WRITTEN.items():
        (folder / "host_vars" / f"{name}.yml").write_text(text, encoding="utf-8")
    # A variable that the playbook sets itself, as site.yml does.
    role = {"name": "Network", "when": False, "ansible.builtin.import_role": {"name": "sm2a.airflow.network"}}
    tasks = [*TASKS, {**role, "vars": {"network_kms_key_arn": "{{ secrets_outputs.kms_key_arn }}"}}]
    book.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(inventory), str(book), "--forks", "4"]
    run = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    return {name: (folder / name).read_text(encoding="utf-8") for name in cases}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(sentences: dict[str, str], name: str) -> None:
    assert REFUSED[name][1] in sentences[name]
    assert "EXAMPLE" not in sentences[name]


@pytest.mark.skipif(not KEEPS_PLACES, reason="this ansible-core does not say where a value is from")
@pytest.mark.parametrize("name", WRITTEN)
def test_refused_as_written(sentences: dict[str, str], name: str) -> None:
    assert REFUSED_AS_WRITTEN[name] in sentences[name]


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(sentences: dict[str, str], name: str) -> None:
    assert sentences[name] == ""
