# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Metrics of AWS itself, measured when somebody reads them or an alarm watches them: SQS, ALB, ECS and RDS."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import alb, ecs, sqs

from sm2a_local_aws import settings
from sm2a_local_aws.cloudwatch import metric_store
from sm2a_local_aws.cloudwatch.metric_store import Datum
from sm2a_local_aws.elbv2 import target_health
from sm2a_local_aws.elbv2.target_health import HEALTHY, UNHEALTHY
from sm2a_local_aws.patching.points import relies_on, replaces

relies_on("ministack.services.sqs", {"_expire_retained": "c0da3361632b"})

# Containers are asked through their engine.
SECONDS_BETWEEN = {"AWS/RDS": 60.0, "AWS/ECS": 60.0}
SECONDS_BETWEEN_OTHERS = 5.0

_measured: dict[tuple[str, str, str], float] = {}


@replaces("ministack.services.cloudwatch:_get_metric_data", "bf6a8e1132a2")
def get_metric_data(original: Callable[..., Any], *request: Any) -> Any:
    """Have a fresh value of what is asked for."""
    measure(MEASURES)
    return original(*request)


@replaces("ministack.services.cloudwatch:_get_metric_statistics", "332ec61708c8")
def get_metric_statistics(original: Callable[..., Any], *request: Any) -> Any:
    """Have a fresh value of what is asked for."""
    measure(MEASURES)
    return original(*request)


@replaces("ministack.services.cloudwatch:_list_metrics", "2464a5f77c28")
def list_metrics(original: Callable[..., Any], *request: Any) -> Any:
    """Computes the metrics of existing resources."""
    measure(MEASURES)
    return original(*request)


def measure(namespaces: Collection[str]) -> None:
    """Record the metrics of these namespaces in the caller's account and region, unless that was done just now."""
    now = time.time()
    for namespace in namespaces:
        key = (get_account_id(), get_region(), namespace)
        if namespace in MEASURES and now - _measured.get(key, 0.0) >= SECONDS_BETWEEN.get(
            namespace, SECONDS_BETWEEN_OTHERS
        ):
            _measured[key] = now
            for name, dimensions, unit, value in MEASURES[namespace](now):
                metric_store.record(Datum(namespace, name, dimensions, unit, [value], now))


Measured = Iterator[tuple[str, dict[str, str], str, float]]


def _queues(now: float) -> Measured:
    for queue in list(sqs._queues.values()):
        sqs._expire_retained(queue)
        messages = list(queue["messages"])
        dimensions = {"QueueName": queue["attributes"]["QueueArn"].rsplit(":", 1)[-1]}
        visible = sum(message["visible_at"] <= now for message in messages)
        yield "ApproximateNumberOfMessagesVisible", dimensions, "Count", visible
        hidden = sum(message["visible_at"] > now and message["receive_count"] > 0 for message in messages)
        yield "ApproximateNumberOfMessagesNotVisible", dimensions, "Count", hidden
        # A message counts until it is deleted, so one that a worker is busy with counts as well.
        oldest = min((message["sent_at"] for message in messages), default=now)
        yield "ApproximateAgeOfOldestMessage", dimensions, "Seconds", now - oldest


def _targets(_now: float) -> Measured:
    for group in list(alb._tgs.values()):
        targets = list(alb._targets.get(group["TargetGroupArn"], []))
        if not targets:
            continue  # An ALB reports nothing of a group without targets.
        states = [target_health.state(group, target).status for target in targets]
        for arn in group.get("LoadBalancerArns", []):
            dimensions = {
                "TargetGroup": group["TargetGroupArn"].rsplit(":", 1)[-1],
                "LoadBalancer": arn.partition(":loadbalancer/")[2],
            }
            yield "HealthyHostCount", dimensions, "Count", states.count(HEALTHY)
            yield "UnHealthyHostCount", dimensions, "Count", states.count(UNHEALTHY)


def _services(_now: float) -> Measured:
    """What Container Insights says of the services of clusters that have it on."""
    insights = {
        cluster["clusterArn"]
        for cluster in list(ecs._clusters.values())
        for setting in cluster.get("settings") or []
        if setting.get("name") == "containerInsights" and setting.get("value") in ("enabled", "enhanced")
    }
    for service in list(ecs._services.values()):
        if service["status"] == "ACTIVE" and service["clusterArn"] in insights:
            dimensions = {
                "ClusterName": service["clusterArn"].rsplit("/", 1)[-1],
                "ServiceName": service["serviceName"],
            }
            yield "DesiredTaskCount", dimensions, "Count", service["desiredCount"]
            yield "RunningTaskCount", dimensions, "Count", service["runningCount"]
            yield "PendingTaskCount", dimensions, "Count", service["pendingCount"]


def _tasks(_now: float) -> Measured:
    if settings.current().control_plane_only:
        return
    from sm2a_local_aws.fargate import metrics as fargate_metrics  # noqa: PLC0415  It needs an engine.

    yield from fargate_metrics.measure()


def _databases(_now: float) -> Measured:
    if settings.current().control_plane_only:
        return
    from sm2a_local_aws.rds import metrics as rds_metrics  # noqa: PLC0415  It needs an engine.

    yield from rds_metrics.measure()


MEASURES: dict[str, Callable[[float], Measured]] = {
    "AWS/SQS": _queues,
    "AWS/ApplicationELB": _targets,
    "ECS/ContainerInsights": _services,
    "AWS/ECS": _tasks,
    "AWS/RDS": _databases,
}
