# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The first use of a service in an account makes its service-linked role; until the service can assume it, AWS refuses.

Whether the caller may have it made was judged before (rights/on_behalf.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from sm2a_local_aws.asgi import Application
from sm2a_local_aws.iam import judging, service_linked_roles
from sm2a_local_aws.iam.refusals import Refused
from sm2a_local_aws.iam.request.calls import Call
from sm2a_local_aws.iam.rights.on_behalf import SERVICE_LINKED

OPERATIONS = frozenset(operation for _service, operation in SERVICE_LINKED)
# A role's record has this while no service can assume it (waiting_times/service_linked_roles.py).
PROPAGATING = "_propagating"


@dataclass(frozen=True)
class _Words:
    code: str
    message: str


_ECS = _Words(
    "InvalidParameterException",
    "Unable to assume the service linked role. Please verify that the ECS service linked role exists.",
)
# What a service says of a role that it cannot assume yet. Of load balancers no such refusal is known: these find the
# role that they made at once.
WORDS = {
    # https://github.com/LondonAppDeveloper/devops-recipe-app-api/pull/44
    ("ecs", "CreateCluster"): _ECS,
    ("ecs", "CreateService"): _ECS,
    # https://github.com/aws-samples/eks-workshop-v2/issues/1609
    ("rds", "CreateDBInstance"): _Words(
        "InvalidParameterValue",
        "Unable to create the resource. Verify that you have permission to create service linked role. "
        "Otherwise wait and try again later",
    ),
    # https://github.com/terraform-aws-modules/terraform-aws-rds/issues/364
    ("rds", "CreateDBSubnetGroup"): _Words(
        "InvalidParameterValue",
        "Missing necessary credentials. Please check "
        "http://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAM.ServiceLinkedRoles.html",
    ),
}


def middleware(application: Application) -> Application:
    """The ASGI application, which gets a call when its service has its role."""
    return judging.middleware(application, OPERATIONS.__contains__, _refusal)


def _refusal(call: Call) -> Refused | None:
    """Make the role when it is missing; why the call is refused while it cannot be assumed."""
    service = SERVICE_LINKED.get((call.service, call.operation))
    if service is None:
        return None
    if service_linked_roles.role_of(service) is None:
        service_linked_roles.make(service)
    role = service_linked_roles.role_of(service) or {}
    words = WORDS.get((call.service, call.operation))
    return Refused(call.service, words.code, words.message, status=400) if words and role.get(PROPAGATING) else None
