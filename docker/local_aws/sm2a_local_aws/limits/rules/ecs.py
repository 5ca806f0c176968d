# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What ECS refuses of clusters and services. Task definitions have a table of their own (ecs.fargate_rules)."""

from __future__ import annotations

from sm2a_local_aws.limits.rules.checks import at_most, below, inside, named, number, text, within
from sm2a_local_aws.limits.rules.table import Parameters, Problem, Rule

REFERENCE = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/"
NETWORK = f"{REFERENCE}API_AwsVpcConfiguration.html"
REBALANCING = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-rebalancing.html"
CODE = "InvalidParameterException"
NAME = "{parameter} '{value}' must be up to 255 letters, digits, underscores and hyphens"
ALIKE = r"[A-Za-z0-9_-]{1,255}"


def _in_network(problem: Problem) -> Problem:
    return below("networkConfiguration", below("awsvpcConfiguration", problem))


def _rebalancing(parameters: Parameters) -> str | None:
    """It starts a task in another zone before it stops one."""
    most = number(inside(parameters, "deploymentConfiguration"), "maximumPercent")
    if text(parameters, "availabilityZoneRebalancing") != "ENABLED" or most is None or most > 100:
        return None
    return "Availability Zone Rebalancing does not support maximumPercent <= 100 % as deployment configuration"


SERVICES = ("CreateService", "UpdateService")
RULES = (
    Rule(("CreateCluster",), named("clusterName", ALIKE, NAME), CODE, f"{REFERENCE}API_CreateCluster.html"),
    Rule(("CreateService",), named("serviceName", ALIKE, NAME), CODE, f"{REFERENCE}API_CreateService.html"),
    Rule(
        SERVICES,
        within("desiredCount", 0, 5000, "desiredCount must be {least} to {most}, not {value}"),
        CODE,
        "https://docs.aws.amazon.com/general/latest/gr/ecs-service.html",
    ),
    Rule(SERVICES, _rebalancing, CODE, REBALANCING),
    Rule(SERVICES, _in_network(at_most("subnets", 16, "subnets can have at most {most} items.")), CODE, NETWORK),
    Rule(
        SERVICES,
        _in_network(at_most("securityGroups", 5, "securityGroup can have at most {most} items.")),
        CODE,
        NETWORK,
    ),
)
