# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""RDS: a DB instance is creating at first, has no endpoint yet, and cannot be changed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ministack.services import rds

from sm2a_local_aws.patching.points import relies_on, replaces
from sm2a_local_aws.waiting_times import states

Handler = Callable[[dict[str, Any]], Any]
Instance = dict[str, Any]

CREATING = "creating"
ENDPOINT = re.compile(r"<Endpoint>\s*<Address>.*?</Endpoint>", re.DOTALL)

relies_on(
    "ministack.services.rds",
    {
        "_p": "ecc7f2330470",
        "_error": "34296a4c9bf4",
        "_resolve_instance": "fae07a45111e",
        "_single_instance_response": "0a7625aa98bd",
    },
)


@replaces("ministack.services.rds:_create_db_instance", "5edfd4666b24", over=("rds.instances", "rds.orderable"))
def create_db_instance(original: Handler, parameters: dict[str, Any]) -> Any:
    """Creating at first; with a standby in another zone it takes longer."""
    response = original(parameters)
    identifier = rds._p(parameters, "DBInstanceIdentifier")
    instance = rds._instances.get(identifier)
    if response[0] != 200 or instance is None:
        return response
    what = "db_instance_multi_az" if instance.get("MultiAZ") else "db_instance"
    states.hold(instance, "DBInstanceStatus", CREATING, what, identifier)
    return rds._single_instance_response("CreateDBInstanceResponse", "CreateDBInstanceResult", instance)


@replaces("ministack.services.rds:_modify_db_instance", "05a4f3f74e13", over=("rds.instances", "rds.orderable"))
def modify_db_instance(original: Handler, parameters: dict[str, Any]) -> Any:
    """Refuse one that is being created. (MiniStack refuses to reboot it.)"""
    instance = rds._resolve_instance(rds._p(parameters, "DBInstanceIdentifier"))
    if instance is not None and instance["DBInstanceStatus"] == CREATING:
        return rds._error("InvalidDBInstanceState", "Database instance is not in available state.", 400)
    return original(parameters)


@replaces("ministack.services.rds:_instance_xml", "97bb74e4c17b", over=("rds.instances",))
def instance_xml(original: Callable[[Instance], str], instance: Instance) -> str:
    """Without an endpoint while it is being created."""
    shown = original(instance)
    return ENDPOINT.sub("", shown, count=1) if instance["DBInstanceStatus"] == CREATING else shown
