# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What an inventory asks of the network: gateways, endpoints, and the rules of the security groups. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# As roles/network/vars/main has them.
CORE_SERVICES = (
    "ecr.api",
    "ecr.dkr",
    "ecs",
    "ecs-agent",
    "ecs-telemetry",
    "kms",
    "logs",
    "monitoring",
    "secretsmanager",
    "sqs",
    "sts",
)
COMPONENT_GROUPS = 8
# Everybody but the load balancer and the database itself connects to the database.
CLIENTS_OF_THE_DATABASE = COMPONENT_GROUPS - 2
ANYWHERE = "0.0.0.0/0"

Inputs = Mapping[str, Any]


def interface_services(inputs: Inputs) -> Sequence[str]:
    """Services that get an interface endpoint, as roles/network/vars/main/endpoints.yml decides."""
    only = inputs["network_egress"] == "endpoints"
    if not has_interface_endpoints(inputs):
        return []
    needed = only or ANYWHERE not in inputs["network_https_egress_cidrs"]
    # site.yml adds this one to those that are needed.
    sessions = ("ssmmessages",) if inputs["cluster_execute_command"] else ()
    chosen = inputs["network_interface_endpoint_services"]
    return list(dict.fromkeys([*chosen, *((*CORE_SERVICES, *sessions) if needed else ())]))


def has_interface_endpoints(inputs: Inputs) -> bool:
    """Unset means: in a VPC of its own."""
    wanted = inputs.get("network_interface_endpoints")
    given = not inputs.get("network_vpc_id") if wanted is None else bool(wanted)
    return inputs["network_egress"] == "endpoints" or given


def nat_gateways(inputs: Inputs) -> int:
    """None in somebody else's VPC."""
    if inputs.get("network_vpc_id"):
        return 0
    zones = int(inputs["network_availability_zone_count"])
    return {"nat_single": 1, "nat_per_zone": zones}.get(inputs["network_egress"], 0)


def rules(listed: Iterable[Mapping[str, Any]]) -> int:
    """How many rules of a security group these are: one for each port to each range."""
    return sum(len(rule["ports"]) * len(rule["cidrs"]) for rule in listed)


def most_rules(inputs: Inputs) -> int:
    """The most rules that a security group has in one direction, of what an inventory can make long."""
    ports = {inputs["load_balancer_https_port"], inputs["load_balancer_http_port"]}
    cidrs = [] if inputs["network_egress"] == "endpoints" else inputs["network_https_egress_cidrs"]
    to_https = 1 if ANYWHERE in cidrs else len(cidrs) + int(has_interface_endpoints(inputs)) + 1
    to_database = 1 + len(inputs["network_database_cidrs"])
    from_workers = to_https + to_database + 1 + rules(inputs["network_task_egress"])
    from_workers += len(cidrs) if inputs.get("airflow_dags_source") == "git" else 0
    to_load_balancer = len(ports) * len(inputs["load_balancer_allowed_cidrs"])
    from_load_balancer = 2 + rules(inputs["network_load_balancer_egress"])
    return max(from_workers, to_load_balancer, from_load_balancer, CLIENTS_OF_THE_DATABASE)


def network(inputs: Inputs) -> dict[str, Any]:
    """The option ``network`` of environment_preflight_info."""
    endpoints = interface_services(inputs)
    own = not inputs.get("network_vpc_id")
    return {
        "vpc_id": inputs.get("network_vpc_id"),
        "private_subnet_ids": inputs["network_private_subnet_ids"],
        "availability_zones": inputs["network_availability_zones"],
        "availability_zone_count": int(inputs["network_availability_zone_count"]),
        "nat_gateways": nat_gateways(inputs),
        "interface_endpoints": endpoints,
        "gateway_endpoints": int(own or bool(endpoints)),
        "security_groups": COMPONENT_GROUPS + int(bool(endpoints)),
        "security_group_rules": most_rules(inputs),
    }
