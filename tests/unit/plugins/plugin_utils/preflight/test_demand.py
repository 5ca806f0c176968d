# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What an inventory asks of AWS is what the roles will make."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.modules import environment_preflight_info
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.check import converted
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.specs import all_specs
from ansible_collections.sm2a.airflow.plugins.plugin_utils.preflight import demand, network_demand
from ansible_collections.sm2a.airflow.plugins.plugin_utils.preflight.demand import preflight_demand
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tests.support.role_files import read_yaml

ARN = "arn:aws:iam::123456789012:role/mine"
GROUP: dict[str, Any] = {"cpu": 2048, "memory": 4096, "concurrency": 4}
GROUPS = [
    {"name": "default", "queue": "default", "min": 1, "max": 3, **GROUP},
    {"name": "spot", "queue": "spot", "min": 0, "max": 10, "capacity_provider": "FARGATE_SPOT", **GROUP},
    {"name": "own", "queue": "own", "min": 1, "max": 1, "own_task_role": True, **GROUP},
]


def asked(**variables: Any) -> dict[str, Any]:
    """The demand of an inventory with these variables."""
    spec = {name: option for options in all_specs().values() for name, option in options.items()}
    typed, problems = converted({"sm2a_name": "staging", "sm2a_region": "eu-west-1", **variables}, [], spec)
    assert not problems
    return preflight_demand(typed)


def test_the_module_takes_every_option_and_the_role_hands_over_each() -> None:
    everything = asked(
        load_balancer_domain_name="airflow.example.com",
        load_balancer_hosted_zone_name="example.com",
        airflow_worker_groups=GROUPS,
    )
    assert everything.keys() == environment_preflight_info.argument_spec().keys() - {"ignore"}
    for option, value in environment_preflight_info.argument_spec().items():
        inner = everything.get(option)
        for each in inner if isinstance(inner, list) and "options" in value else [inner]:
            assert not isinstance(each, dict) or set(each) == set(value["options"]), option
    task = read_yaml(PROJECT / "roles/preflight/tasks/look.yml")[0]["sm2a.airflow.environment_preflight_info"]
    assert task.keys() == environment_preflight_info.argument_spec().keys()


def test_what_runs_is_counted_by_capacity_provider() -> None:
    on_demand, spot = asked(airflow_worker_groups=GROUPS)["fargate"]
    services = 2 * 1 + 1 + 0.5 + 0.5
    assert on_demand == {
        "capacity_provider": "FARGATE",
        "at_start": services + 0.25 + 2 + 2,
        "at_most": services * 2 + 0.25 + 0.5 + 3 * 2 + 2,
    }
    assert spot == {"capacity_provider": "FARGATE_SPOT", "at_start": 0, "at_most": 20}
    assert [one["capacity_provider"] for one in asked()["fargate"]] == ["FARGATE"]


def test_sizes_and_names_are_those_of_the_roles() -> None:
    services = (PROJECT / "roles/airflow/templates/services.yml.j2").read_text(encoding="utf-8")
    assert re.findall(r"maximum_percent: (\d+)", services) == [str(100 * demand.ROLLING)]
    assert read_yaml(PROJECT / "roles/autoscaler/vars/main.yml")["__autoscaler_cpu"] == demand.AUTOSCALER_CPU
    components = read_yaml(PROJECT / "roles/airflow/vars/components.yml")["__airflow_components"]
    assert [name for name, component in components.items() if "count" in component] == list(demand.COMPONENTS)
    database = (PROJECT / "roles/database/vars/main.yml").read_text(encoding="utf-8")
    assert f"default({demand.VERSIONS}[" in database
    endpoints = read_yaml(PROJECT / "roles/network/vars/main/endpoints.yml")
    assert endpoints["__network_core_services"] == list(network_demand.CORE_SERVICES)
    groups = read_yaml(PROJECT / "roles/network/vars/main/security_groups.yml")
    assert len(groups["__network_always_groups"]) == network_demand.COMPONENT_GROUPS
    assert demand.DATABASE_CA_BUNDLE.is_file()


@pytest.mark.parametrize(
    ("variables", "gateways", "endpoints"),
    [
        ({}, 1, 5),
        ({"network_egress": "nat_per_zone", "network_availability_zone_count": 3}, 3, 5),
        ({"network_egress": "endpoints"}, 0, 11),
        ({"network_egress": "endpoints", "cluster_execute_command": True}, 0, 12),
        ({"cluster_execute_command": True}, 1, 5),
        ({"network_interface_endpoints": False}, 1, 0),
        ({"network_https_egress_cidrs": ["10.0.0.0/8"]}, 1, 11),
        ({"network_vpc_id": "vpc-1"}, 0, 0),
        ({"network_vpc_id": "vpc-1", "network_interface_endpoints": True}, 0, 5),
    ],
)
def test_the_way_out_decides_on_gateways_and_endpoints(
    variables: dict[str, Any], gateways: int, endpoints: int
) -> None:
    network = asked(**variables)["network"]
    assert network["nat_gateways"] == gateways
    assert len(network["interface_endpoints"]) == endpoints
    assert network["security_groups"] == 8 + bool(endpoints)
    assert network["gateway_endpoints"] == int(bool(endpoints) or "network_vpc_id" not in variables)


@pytest.mark.parametrize(
    ("variables", "rules"),
    [
        ({}, 6),
        ({"load_balancer_allowed_cidrs": [f"192.0.2.{number}/32" for number in range(40)]}, 80),
        ({"network_task_egress": [{"ports": [5432, 3306], "cidrs": [f"10.{n}.0.0/16" for n in range(10)]}]}, 23),
        ({"network_https_egress_cidrs": [f"10.{number}.0.0/16" for number in range(50)]}, 54),
    ],
)
def test_rules_of_security_groups(variables: dict[str, Any], rules: int) -> None:
    assert asked(**variables)["network"]["security_group_rules"] == rules


def test_what_somebody_else_brings_is_not_asked_for() -> None:
    existing = {"address": "db.example.com", "port": 5432, "master_secret_arn": "arn:aws:secretsmanager:a:1:secret:x"}
    without = asked(
        database_existing=existing,
        network_vpc_id="vpc-1",
        images_airflow_image="a@sha256:1",
        images_autoscaler_image="b@sha256:1",
        secrets_kms_key_arn="arn:aws:kms:eu-west-1:123456789012:key/1",
        load_balancer_certificate_arn="arn:aws:acm:eu-west-1:123456789012:certificate/1",
        storage_access_logs_bucket="theirs",
        sm2a_lock=False,
    )
    assert not {"database", "container_engine", "kms_key", "domain", "certificate_authorities"} & without.keys()
    assert without["load_balancer"]["certificate"] is None
    assert without["buckets"] == ["staging-logs"]
    assert not {"staging-flow-logs", "staging-rds-monitoring"} & set(without["roles"])


def test_roles_are_those_of_the_groups_too() -> None:
    assert "staging-worker-own" in asked(airflow_worker_groups=GROUPS)["roles"]
    assert "staging-rds-monitoring" not in asked(database_monitoring_role_arn=ARN)["roles"]


@pytest.mark.parametrize(
    ("variables", "bundle", "certain"),
    [
        ({}, str(demand.DATABASE_CA_BUNDLE), True),
        ({"images_database_ca_bundle": "/mine.pem"}, "/mine.pem", True),
        ({"images_airflow_image": "a@sha256:1"}, str(demand.DATABASE_CA_BUNDLE), False),
    ],
)
def test_the_bundle_is_that_of_the_images(variables: dict[str, Any], bundle: str, certain: bool) -> None:
    assert asked(**variables)["certificate_authorities"] == {"bundle": bundle, "certain": certain}
    assert "certificate_authorities" not in asked(**variables, database_tls_verification=False)


@pytest.mark.parametrize(
    ("variables", "validated"),
    [
        ({}, False),
        ({"load_balancer_certificate_source": "request"}, True),
        (
            {
                "load_balancer_certificate_source": "request",
                "load_balancer_certificate_hosted_zone_id": "Z2",
            },
            False,
        ),
    ],
)
def test_a_certificate_is_validated_in_the_zone_of_the_domain(variables: dict[str, Any], validated: bool) -> None:
    place = {"load_balancer_domain_name": "airflow.example.com", "load_balancer_hosted_zone_id": "Z1"}
    assert asked(**place, **variables)["domain"] == {
        "name": "airflow.example.com",
        "hosted_zone_id": "Z1",
        "hosted_zone_name": None,
        "dns_role_arn": None,
        "dns_role_external_id": None,
        "validated": validated,
        "load_balancer": "staging",
    }


def test_the_zone_of_another_account_is_looked_up_as_its_role() -> None:
    role = "arn:aws:iam::210987654321:role/staging-dns"
    zone = {"load_balancer_domain_name": "airflow.example.com", "load_balancer_hosted_zone_name": "example.com"}
    assert asked(**zone, load_balancer_dns_role_arn=role)["domain"]["dns_role_arn"] == role


def test_records_that_people_make_are_not_looked_for() -> None:
    zone = {"load_balancer_domain_name": "airflow.example.com", "load_balancer_hosted_zone_name": "example.com"}
    assert "domain" not in asked(**zone, load_balancer_dns="manual")


@pytest.mark.parametrize(
    ("variables", "group", "version"),
    [
        ({}, "staging-postgres17", "17"),
        ({"database_engine_version": "16.9"}, "staging-postgres16", "16.9"),
        ({"database_engine": "mysql"}, "staging-mysql8-4", "8.4"),
        ({"database_engine": "mysql", "database_engine_version": "8.0.42"}, "staging-mysql8-0", "8.0.42"),
    ],
)
def test_the_database_is_that_of_the_role(variables: dict[str, Any], group: str, version: str) -> None:
    database = asked(**variables)["database"]
    assert (database["parameter_group"], database["engine_version"]) == (group, version)
    assert database["insights"]
    assert not asked(database_insights="none")["database"]["insights"]
