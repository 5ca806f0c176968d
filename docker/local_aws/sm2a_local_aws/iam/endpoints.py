# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""VPC endpoints: the one through which a task reaches a service, what it tells policies, and its own policy."""

from __future__ import annotations

from dataclasses import dataclass, field

from ministack.services import ec2, ecs

from sm2a_local_aws.iam.policy import documents as policies
from sm2a_local_aws.iam.policy.documents import Document

# Services whose endpoints have another name than they sign with.
NAMES = {"ecr": "ecr.api"}


@dataclass(frozen=True)
class Way:
    """How a request comes: keys for policies, and the endpoint's policy, None for one that lets everything pass."""

    keys: dict[str, str] = field(default_factory=dict)
    policy: Document | None = None


def way_of(task_arn: str, service: str) -> Way:
    """The way of a task's request to a service: through an endpoint of its VPC, or over the internet."""
    task = ecs._tasks.get(task_arn) or {}
    vpc = (ec2._subnets.get(task.get("_subnet") or "") or {}).get("VpcId")
    name = f".{NAMES.get(service, service)}"
    for endpoint in ec2._vpc_endpoints.values():
        if vpc and endpoint["VpcId"] == vpc and endpoint["ServiceName"].endswith(name):
            document = endpoint.get("PolicyDocument")
            return Way(
                {
                    "aws:sourcevpc": vpc,
                    "aws:sourcevpce": endpoint["VpcEndpointId"],
                    **({"aws:vpcsourceip": task["_container_ip"]} if task.get("_container_ip") else {}),
                },
                policies.parse(document) if document else None,
            )
    return Way()
