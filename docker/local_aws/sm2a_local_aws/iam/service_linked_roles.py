# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Service-linked roles: a new account has none, a service makes its own at its first use, and it stays while in use.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

from ministack.core.responses import get_account_id
from ministack.services import alb, ecs, iam, rds

from sm2a_local_aws.patching.points import relies_on, replaces

Handler = Callable[[dict[str, Any]], Any]
Role = dict[str, Any]

# The service -> its role.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using-service-linked-roles-for-clusters.html
# https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-service-linked-roles.html
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAM.ServiceLinkedRoles.html
NAMES = {
    "ecs.amazonaws.com": "AWSServiceRoleForECS",
    "elasticloadbalancing.amazonaws.com": "AWSServiceRoleForElasticLoadBalancing",
    "rds.amazonaws.com": "AWSServiceRoleForRDS",
}
DESCRIPTIONS = {
    "ecs.amazonaws.com": "Role to enable Amazon ECS to manage your cluster.",
    "elasticloadbalancing.amazonaws.com": "Allows ELB to call AWS services on your behalf.",
    "rds.amazonaws.com": "Allows Amazon RDS to manage AWS resources on your behalf.",
}
# Where a service has what needs its role, and the member that is its ARN.
NEEDED_BY: dict[str, tuple[Any, str]] = {
    "ecs.amazonaws.com": (ecs._clusters, "clusterArn"),
    "elasticloadbalancing.amazonaws.com": (alb._lbs, "LoadBalancerArn"),
    "rds.amazonaws.com": (rds._instances, "DBInstanceArn"),
}
FAILED = "FAILED"

relies_on("ministack.services.iam", {"_p": "4fea18546662", "_error": "b0214044b75c", "_xml": "d35959f8c3e3"})

# Called with each role that was made.
after_creation: list[Callable[[Role], None]] = []


def role_of(service: str) -> Role | None:
    """The role of a service, such as ``rds.amazonaws.com``, in this account; None when it has none."""
    found: Role | None = iam._roles.get(NAMES[service])
    return found


def make(service: str) -> None:
    """What a service does at its first use."""
    iam._create_service_linked_role({"AWSServiceName": [service]})


@replaces("ministack.services.iam:_create_service_linked_role", "91eea53d4cec")
def create_service_linked_role(original: Handler, parameters: dict[str, Any]) -> Any:
    """With AWS's name and description; refused when the role is there."""
    service = iam._p(parameters, "AWSServiceName")
    if service not in NAMES:
        return original(parameters)
    name = NAMES[service]
    if name in iam._roles:
        # https://github.com/cube-js/cube/pull/11581
        message = f"Service role name {name} has been taken in this account, please try a different suffix."
        return iam._error(400, "InvalidInput", message, ns="iam")
    known = set(iam._roles.keys())
    original(parameters)
    (made,) = set(iam._roles.keys()) - known
    role: Role = iam._roles.pop(made)
    given = iam._p(parameters, "Description") or DESCRIPTIONS[service]
    role.update(RoleName=name, Arn=role["Arn"].replace(made, name), Description=given)
    iam._roles[name] = role
    for after in after_creation:
        after(role)
    shown = f"<Role>{iam._role_xml(name)}</Role>"
    body = f"<CreateServiceLinkedRoleResult>{shown}</CreateServiceLinkedRoleResult>"
    return iam._xml(200, "CreateServiceLinkedRoleResponse", body, ns="iam")


@replaces("ministack.services.iam:_delete_role", "6611fd0972d1")
def delete_role(original: Handler, parameters: dict[str, Any]) -> Any:
    """Refuse one of a service."""
    name = iam._p(parameters, "RoleName")
    path = (iam._roles.get(name) or {}).get("Path", "")
    if not path.startswith("/aws-service-role/"):
        return original(parameters)
    message = f"Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS"
    return iam._error(400, "UnmodifiableEntity", message, ns="iam")


@replaces("ministack.services.iam:_delete_service_linked_role", "ab9a0a7d3ac1")
def delete_service_linked_role(original: Handler, parameters: dict[str, Any]) -> Any:
    """The deletion of a role that its service needs fails."""
    name = iam._p(parameters, "RoleName")
    role = iam._roles.get(name)
    response = original(parameters)
    if role is None or response[0] != 200:
        return response
    service = role["Path"].removeprefix("/aws-service-role/").rstrip("/")
    needing = _needing(service)
    if needing:
        iam._roles[name] = role
        task = iam._service_linked_role_deletion_tasks[list(iam._service_linked_role_deletion_tasks.keys())[-1]]
        task.update(Status=FAILED, Reason=f"The role is in use by {service}", Resources=needing)
    return response


@replaces("ministack.services.iam:_get_service_linked_role_deletion_status", "7c1a5b141175")
def deletion_status(original: Handler, parameters: dict[str, Any]) -> Any:
    """With what needs the role."""
    task = iam._service_linked_role_deletion_tasks.get(iam._p(parameters, "DeletionTaskId"))
    if not task or task["Status"] != FAILED or "Resources" not in task:
        return original(parameters)
    resources = "".join(f"<member>{escape(arn)}</member>" for arn in task["Resources"])
    usage = f"<RoleUsageList><member><Resources>{resources}</Resources></member></RoleUsageList>"
    reason = f"<Reason><Reason>{escape(task['Reason'])}</Reason>{usage}</Reason>"
    name = "GetServiceLinkedRoleDeletionStatus"
    return iam._xml(200, f"{name}Response", f"<{name}Result><Status>{FAILED}</Status>{reason}</{name}Result>", ns="iam")


def _needing(service: str) -> list[str]:
    """ARNs of what a service has in this account, in all Regions."""
    if service not in NEEDED_BY:
        return []
    store, member = NEEDED_BY[service]
    own = [one for (account, _region, _key), one in store.all_items() if account == get_account_id()]
    return [one[member] for one in own if one.get("status") != "INACTIVE"]
