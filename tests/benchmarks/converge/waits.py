# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What a first deployment waits for, for how long on AWS, and in which order at best.

The one table of waiting times: the local AWS and the stand-in of the container engine take as long (``seconds``), and
the critical path is computed from it. AWS promises none of these times; each is about what somebody measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TERRAFORM = "https://github.com/hashicorp/terraform"
CDK = "https://github.com/aws/aws-cdk"
PROVIDER = "https://github.com/hashicorp/terraform-provider-aws"


@dataclass(frozen=True)
class Time:
    """Seconds of one kind of wait; ``why`` is what was measured, and ``sources`` where. Without sources it was here."""

    title: str
    seconds: float
    why: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """One wait of a first deployment: its kind, and the steps that must be over before it begins, or before it ends."""

    title: str
    kind: str
    after: tuple[str, ...] = ()
    not_before: tuple[str, ...] = ()


# By kind, as the local AWS calls it (sm2a_local_aws/waiting_times), and two of the container engine.
TIMES: Mapping[str, Time] = {
    "db_instance_multi_az": Time(
        "a DB instance, Multi-AZ",
        900,
        "15 to 20 minutes; restored, about 10 minutes more than without a standby",
        (f"{TERRAFORM}/issues/498", f"{PROVIDER}/pull/20926"),
    ),
    "nat_gateway": Time(
        "a NAT gateway",
        120,
        "a private one made and deleted in 187 seconds; up to 5 minutes",
        (f"{PROVIDER}/pull/47349", "https://github.com/kubernetes/kops/pull/944"),
    ),
    "vpc_endpoint": Time(
        "a VPC endpoint",
        120,
        "one of GatewayLoadBalancer, pending for 120 to 150 seconds",
        (f"{PROVIDER}/issues/32774",),
    ),
    "certificate": Time(
        "a certificate, DNS validation",
        300,
        "more than 5 minutes; just above 10, twice",
        (f"{CDK}/issues/2914", f"{CDK}/issues/5831"),
    ),
    "load_balancer": Time(
        "an Application Load Balancer", 170, "made and deleted in 171 seconds", (f"{PROVIDER}/pull/15170",)
    ),
    "namespace": Time("a Cloud Map namespace", 60, "made and deleted in 120 seconds", (f"{PROVIDER}/pull/6864",)),
    "image_build": Time("building an image", 300, "the first `make up` takes eight minutes, the next one one to two"),
    "image_push": Time("pushing it", 60, "of the same minutes"),
    "task_start": Time(
        "a Fargate task starts",
        60,
        "an image of 413 MB, behind NAT: 53 to 62 seconds",
        ("https://elasticscale.com/blog/reduce-aws-fargate-pull-times-with-soci",),
    ),
    "one_off_task": Time("the migration", 30, "on containers here it takes 63 seconds together with all services"),
    "service_healthy": Time("a service is healthy", 60, "two of its health checks, which are every 30 seconds"),
}

# What depends on what, on AWS and in SM2A. Everything else is made in no time worth a wait: VPC, subnets, security
# groups, subnet and parameter group of the database, queues, buckets, secrets, roles, task definitions, alarms.
STEPS: Mapping[str, Step] = {
    "database": Step("DB instance, Multi-AZ", "db_instance_multi_az"),
    "nat_gateway": Step("NAT gateway", "nat_gateway"),
    "endpoints": Step("VPC endpoints", "vpc_endpoint"),
    "certificate": Step("certificate", "certificate"),
    "load_balancer": Step("load balancer", "load_balancer"),
    "namespace": Step("Service Connect namespace", "namespace"),
    "image_build": Step("images: build", "image_build"),
    "image_push": Step("images: push", "image_push", ("image_build",)),
    "migration_start": Step(
        "migration: task starts", "task_start", ("database", "nat_gateway", "endpoints", "image_push")
    ),
    "migration": Step("migration: database, users", "one_off_task", ("migration_start",)),
    "services_start": Step("services: tasks start", "task_start", ("migration", "certificate", "namespace")),
    "services": Step("services: healthy", "service_healthy", ("services_start",), ("load_balancer",)),
    "autoscaler_start": Step("autoscaler: task starts", "task_start", ("migration", "namespace")),
    "autoscaler": Step("autoscaler: healthy", "service_healthy", ("autoscaler_start",)),
}


def seconds() -> dict[str, float]:
    """Seconds by kind."""
    return {kind: time.seconds for kind, time in TIMES.items()}


def earliest_ends(steps: Mapping[str, Step], times: Mapping[str, float]) -> dict[str, float]:
    """When each step is over at best, with every step begun as soon as it can be, in seconds from the beginning."""
    ends: dict[str, float] = {}

    def end(name: str) -> float:
        if name not in ends:
            step = steps[name]
            begun = max((end(other) for other in step.after), default=0.0)
            ends[name] = max(begun + times[step.kind], *(end(other) for other in step.not_before), 0.0)
        return ends[name]

    for name in steps:
        end(name)
    return ends


def critical_path(steps: Mapping[str, Step], times: Mapping[str, float]) -> tuple[float, list[str]]:
    """Its seconds, and its steps in order."""
    ends = earliest_ends(steps, times)
    name = max(ends, key=lambda each: ends[each])
    path = [name]
    while before := (*steps[name].after, *steps[name].not_before):
        name = max(before, key=lambda each: ends[each])
        path.append(name)
    return max(ends.values()), path[::-1]
