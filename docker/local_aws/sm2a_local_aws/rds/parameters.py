# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""DB parameter groups: which parameters are static, and instances that wait for a reboot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import rds

from sm2a_local_aws.patching.points import relies_on, replaces

Handler = Callable[[dict[str, Any]], Any]

relies_on("ministack.services.rds", {"_p": "ecc7f2330470", "_parameter_member_prefix": "baa8cad5ea23"})

# Name -> whether a change waits for a reboot; here PostgreSQL reads rds.force_ssl when it starts.
POSTGRES = {
    "idle_in_transaction_session_timeout": False,
    "log_lock_waits": False,
    "rds.accepted_password_auth_method": False,
    "rds.force_ssl": True,
    "shared_preload_libraries": True,
}
MYSQL = {
    "collation_server": False,
    "explicit_defaults_for_timestamp": True,
    "innodb_flush_log_at_trx_commit": False,
    "log_bin_trust_function_creators": False,
    "log_output": False,
    "max_allowed_packet": False,
    "performance_schema": True,
    "require_secure_transport": False,
    "sort_buffer_size": False,
}


@replaces("ministack.services.rds:_default_parameters_for_family", "3bc99de06e26")
def default_parameters_for_family(original: Callable[[str], list[dict[str, Any]]], family: str) -> list[dict[str, Any]]:
    """The parameters that MiniStack lists, and those of ours."""
    listed = original(family)
    ours = MYSQL if family.startswith("mysql") else POSTGRES
    known = {parameter["name"] for parameter in listed}
    return listed + [
        {"name": name, "apply_type": "static" if static else "dynamic", "data_type": "string", "modifiable": True}
        for name, static in ours.items()
        if name not in known
    ]


@replaces("ministack.services.rds:_modify_param_group", "425eb7a2e04e")
def modify_param_group(original: Handler, parameters: dict[str, Any]) -> Any:
    """A static parameter makes the instances of the group wait for a reboot."""
    response = original(parameters)
    if response[0] == 200 and "pending-reboot" in _apply_methods(parameters):
        _mark_instances(rds._p(parameters, "DBParameterGroupName"))
    return response


@replaces("ministack.services.rds:_reset_param_group", "94da02c0a06e")
def reset_param_group(original: Handler, parameters: dict[str, Any]) -> Any:
    """Likewise."""
    response = original(parameters)
    if response[0] == 200 and "pending-reboot" in _apply_methods(parameters):
        _mark_instances(rds._p(parameters, "DBParameterGroupName"))
    return response


@replaces("ministack.services.rds:_finish_instance_reboot", "caa8eadfaf92", over=("rds.containers",))
def finish_instance_reboot(original: Callable[..., None], instance: dict[str, Any], cluster: Any) -> None:
    """Nothing waits any more."""
    original(instance, cluster)
    if instance["DBInstanceStatus"] == "available":
        for group in instance.get("DBParameterGroups") or []:
            group["ParameterApplyStatus"] = "in-sync"


def _apply_methods(parameters: dict[str, Any]) -> set[str]:
    prefix = rds._parameter_member_prefix(parameters)
    methods = set()
    number = 1
    while rds._p(parameters, f"{prefix}.{number}.ParameterName"):
        methods.add(rds._p(parameters, f"{prefix}.{number}.ApplyMethod"))
        number += 1
    return methods


def _mark_instances(name: str) -> None:
    for instance in list(rds._instances.values()):
        for group in instance.get("DBParameterGroups") or []:
            if group["DBParameterGroupName"] == name:
                group["ParameterApplyStatus"] = "pending-reboot"
