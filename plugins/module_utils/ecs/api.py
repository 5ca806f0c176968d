# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Calls to the ECS API, one function each. Values are API-shaped (camelCase); tags are dictionaries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import TagChange, call
from ansible_collections.sm2a.airflow.plugins.module_utils.common.create_once import create_once
from ansible_collections.sm2a.airflow.plugins.module_utils.common.error_advice import QUOTA

NO_CLUSTER = ("ClusterNotFoundException",)
NO_SERVICE = (*NO_CLUSTER, "ServiceNotFoundException", "ServiceNotActiveException")
# DescribeServices and DeleteTaskDefinitions take ten names, DescribeTasks and GetTaskProtection a hundred.
SERVICES_PER_CALL = 10
REVISIONS_PER_CALL = 10
TASKS_PER_CALL = 100
USED_UP = "reached the limit"


def chunks(items: list[str], size: int) -> Iterator[list[str]]:
    """``items`` in lists of at most ``size``."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def tag_list(tags: dict[str, Any]) -> list[dict[str, str]]:
    """Tags as ECS takes them (lower-case ``key`` and ``value``)."""
    pairs: list[dict[str, str]] = ansible_dict_to_boto3_tag_list(tags, "key", "value")
    return pairs


def tag_dict(tags: list[dict[str, str]] | None) -> dict[str, str]:
    """Tags as ECS returns them, as a dictionary."""
    pairs: dict[str, str] = boto3_tag_list_to_ansible_dict(tags or [], "key", "value")
    return pairs


@call("tag an ECS resource")
def apply_tags(client: Any, arn: str, change: TagChange) -> None:
    """Set and remove tags of any ECS resource."""
    if change.remove:
        client.untag_resource(resourceArn=arn, tagKeys=change.remove)
    if change.set:
        client.tag_resource(resourceArn=arn, tags=tag_list(change.set))


@call("describe an ECS cluster", missing=NO_CLUSTER)
def describe_cluster(client: Any, name: str) -> dict[str, Any] | None:
    """The cluster, or None when it was never made or is deleted."""
    found = client.describe_clusters(clusters=[name], include=["SETTINGS", "CONFIGURATIONS", "TAGS"])["clusters"]
    return next((item for item in found if item["status"] in ("ACTIVE", "PROVISIONING")), None)


@call("create an ECS cluster")
def create_cluster(client: Any, **members: Any) -> dict[str, Any]:
    """CreateCluster; the same name again returns the same cluster."""
    cluster: dict[str, Any] = client.create_cluster(**members)["cluster"]
    return cluster


@call("update an ECS cluster")
def update_cluster(client: Any, name: str, **members: Any) -> None:
    """UpdateCluster: settings, configuration, serviceConnectDefaults."""
    client.update_cluster(cluster=name, **members)


@call("set the capacity providers of an ECS cluster")
@AWSRetry.jittered_backoff(  # type: ignore[untyped-decorator]
    retries=12, delay=3, max_delay=15, catch_extra_error_codes=["UpdateInProgressException", "ResourceInUseException"]
)
def put_capacity_providers(client: Any, name: str, providers: list[str], strategy: list[dict[str, Any]]) -> None:
    """Replace the capacity providers and the default strategy."""
    client.put_cluster_capacity_providers(
        cluster=name, capacityProviders=providers, defaultCapacityProviderStrategy=strategy
    )


@call("delete an ECS cluster", missing=NO_CLUSTER)
# Tasks of a service that has just gone count until they have stopped.
@AWSRetry.jittered_backoff(  # type: ignore[untyped-decorator]
    retries=12,
    delay=3,
    max_delay=15,
    catch_extra_error_codes=["ClusterContainsTasksException", "UpdateInProgressException"],
)
def delete_cluster(client: Any, name: str) -> None:
    """Delete an empty cluster."""
    client.delete_cluster(cluster=name)


def describe_revision(client: Any, name: str) -> dict[str, Any] | None:
    """A task definition by ``family`` (its latest ACTIVE revision), ``family:revision`` or ARN; None when not ACTIVE.

    Its tags are added as the dictionary ``tags``.
    """
    try:
        answer = _describe_task_definition(client, name)
    except AnsibleAWSError as error:
        # ECS has no code of its own for this.
        if "Unable to describe task definition" in str(error.exception):
            return None
        raise
    definition: dict[str, Any] = {**answer["taskDefinition"], "tags": tag_dict(answer.get("tags"))}
    return definition if definition["status"] == "ACTIVE" else None


@call("describe a task definition")
def _describe_task_definition(client: Any, name: str) -> dict[str, Any]:
    answer: dict[str, Any] = client.describe_task_definition(taskDefinition=name, include=["TAGS"])
    return answer


@call("register a task definition")
def register_task_definition(client: Any, find: Callable[[], dict[str, Any] | None], **members: Any) -> dict[str, Any]:
    """Register a revision and return it; ``find`` looks for it when the reply is lost."""
    return create_once(client, lambda: client.register_task_definition(**members)["taskDefinition"], find)


@call("list the families of task definitions")
def list_families(client: Any, prefix: str) -> list[str]:
    """Names of the families that start with ``prefix`` and have an active revision."""
    pages = client.get_paginator("list_task_definition_families").paginate(familyPrefix=prefix, status="ACTIVE")
    return [family for page in pages for family in page["families"]]


@call("list the revisions of a task definition")
def list_revisions(client: Any, family: str, status: str) -> list[str]:
    """ARNs of the revisions of exactly ``family`` whose status is ACTIVE or INACTIVE."""
    pages = client.get_paginator("list_task_definitions").paginate(familyPrefix=family, status=status)
    arns = [arn for page in pages for arn in page["taskDefinitionArns"]]
    return [arn for arn in arns if arn.rsplit("/", 1)[-1].rsplit(":", 1)[0] == family]


@call("deregister a task definition")
def deregister_revision(client: Any, arn: str) -> None:
    """Make one revision INACTIVE."""
    client.deregister_task_definition(taskDefinition=arn)


@call("delete task definitions")
def delete_revisions(client: Any, arns: list[str]) -> None:
    """Delete INACTIVE revisions."""
    for group in chunks(arns, REVISIONS_PER_CALL):
        client.delete_task_definitions(taskDefinitions=group)


@call("describe ECS services", missing=NO_CLUSTER, default={})
def describe_services(client: Any, cluster: str, names: list[str]) -> dict[str, dict[str, Any]]:
    """Services by name, DRAINING ones too; deleted (INACTIVE) and unknown ones are left out."""
    found: dict[str, dict[str, Any]] = {}
    for group in chunks(names, SERVICES_PER_CALL):
        for service in client.describe_services(cluster=cluster, services=group, include=["TAGS"])["services"]:
            if service["status"] != "INACTIVE":
                found[service["serviceName"]] = service
    return found


@call("list ECS services", missing=NO_CLUSTER, default=[])
def list_service_names(client: Any, cluster: str) -> list[str]:
    """Names of the ACTIVE and DRAINING services of a cluster."""
    pages = client.get_paginator("list_services").paginate(cluster=cluster)
    return [arn.rsplit("/", 1)[-1] for page in pages for arn in page["serviceArns"]]


@call("create an ECS service")
def create_service(client: Any, **members: Any) -> dict[str, Any]:
    """CreateService; the answer is the service as described."""
    service: dict[str, Any] = client.create_service(**members)["service"]
    return service


@call("update an ECS service")
def update_service(client: Any, cluster: str, name: str, **members: Any) -> dict[str, Any]:
    """UpdateService; the answer is the service as described."""
    service: dict[str, Any] = client.update_service(cluster=cluster, service=name, **members)["service"]
    return service


@call("delete an ECS service", missing=NO_SERVICE)
def delete_service(client: Any, cluster: str, name: str) -> None:
    """Stop every task of a service and delete it."""
    client.delete_service(cluster=cluster, service=name, force=True)


@call("run an ECS task")
def run_task(client: Any, **members: Any) -> dict[str, Any]:
    """RunTask for one task; AnsibleAWSError with ECS's reason when it was not placed."""
    # botocore adds a client token.
    answer = client.run_task(count=1, **members)
    if not answer["tasks"]:
        reasons = "; ".join(
            " ".join(filter(None, (item.get("reason"), item.get("detail")))) for item in answer["failures"]
        )
        next_step = f". {QUOTA}" if USED_UP in reasons else ""
        raise AnsibleAWSError(message=f"ECS did not place the task: {reasons or 'no reason given'}{next_step}")
    task: dict[str, Any] = answer["tasks"][0]
    return task


@call("list ECS tasks", missing=(*NO_CLUSTER, "ServiceNotFoundException", "ServiceNotActiveException"), default=[])
def list_tasks(client: Any, **filters: Any) -> list[str]:
    """ARNs of tasks; filters are those of ListTasks."""
    pages = client.get_paginator("list_tasks").paginate(**filters)
    return [arn for page in pages for arn in page["taskArns"]]


@call("read the protection of ECS tasks")
def protected_tasks(client: Any, cluster: str, arns: list[str]) -> set[str]:
    """Those of the tasks that hold scale-in protection."""
    found: set[str] = set()
    for group in chunks(arns, TASKS_PER_CALL):
        answer = client.get_task_protection(cluster=cluster, tasks=group)["protectedTasks"]
        found |= {item["taskArn"] for item in answer if item["protectionEnabled"]}
    return found


@call("describe ECS tasks")
def describe_tasks(client: Any, cluster: str, arns: list[str], **more: Any) -> list[dict[str, Any]]:
    """Tasks by ARN; forgotten ones are left out. Tags are there only with ``include=["TAGS"]``."""
    tasks: list[dict[str, Any]] = []
    for group in chunks(arns, TASKS_PER_CALL):
        tasks.extend(client.describe_tasks(cluster=cluster, tasks=group, **more)["tasks"])
    return tasks


@call("read a log stream", missing=("ResourceNotFoundException",), default=[])
def last_log_lines(logs: Any, group: str, stream: str, count: int) -> list[str]:
    """The last ``count`` messages of a CloudWatch log stream, oldest first; [] when it does not exist."""
    events = logs.get_log_events(logGroupName=group, logStreamName=stream, limit=count, startFromHead=False)["events"]
    return [str(event["message"]).rstrip("\n") for event in events]
