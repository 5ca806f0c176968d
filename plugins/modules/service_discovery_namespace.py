#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
---
module: service_discovery_namespace
version_added: 0.1.0
short_description: Manage an AWS Cloud Map HTTP namespace
description:
  - Create, update and delete an HTTP namespace of AWS Cloud Map, which is what ECS Service Connect needs.
  - An option that is not set is left as it is; an option that is set is enforced.
author:
  - SM2A contributors (@sm2a)
options:
  name:
    description: Name of the namespace.
    type: str
    required: true
  state:
    description: Whether the namespace exists.
  description:
    description: What the namespace is for.
    type: str
  purge_services:
    description:
      - With O(state=absent), first delete the Cloud Map services that are left in the namespace, with their instances.
        ECS leaves some behind.
    type: bool
    default: false
  wait_timeout:
    description: Seconds to wait for Cloud Map to carry out a change.
    type: int
    default: 300
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
  - sm2a.airflow.attributes
  - sm2a.airflow.state
"""

EXAMPLES = r"""
- name: A namespace for Service Connect
  sm2a.airflow.service_discovery_namespace:
    name: analytics
    description: Internal names of the analytics services
    tags:
      team: data

- name: No such namespace
  sm2a.airflow.service_discovery_namespace:
    name: analytics
    purge_services: true
    state: absent
"""

RETURN = r"""
namespace:
  description: The namespace as it is now, or in check mode as it would be; empty when absent.
  type: dict
  returned: always
  contains:
    id:
      description: Id of the namespace.
      type: str
      sample: ns-abcdefghijklmnop
    arn:
      description: ARN of the namespace.
      type: str
      sample: arn:aws:servicediscovery:eu-west-1:123456789012:namespace/ns-abcdefghijklmnop
    name:
      description: Name of the namespace.
      type: str
    description:
      description: What the namespace is for.
      type: str
    tags:
      description: Tags of the namespace.
      type: dict
"""

import uuid
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list
from ansible_collections.sm2a.airflow.plugins.module_utils import service_discovery
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import (
    STATE_OPTION,
    TAG_OPTIONS,
    TagChange,
    call,
    client,
    manage,
    tag_change,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.common.results import Outcome
from ansible_collections.sm2a.airflow.plugins.module_utils.common.waiters import wait_until

MISSING = ("NamespaceNotFound",)
POLL_SECONDS = 2


@call("create a Cloud Map namespace")
def create_namespace(cloud_map: Any, name: str, description: str | None, tags: dict[str, str]) -> str:
    """Start the creation; returns the operation's id."""
    members: dict[str, Any] = {"Tags": ansible_dict_to_boto3_tag_list(tags)}
    if description:
        members["Description"] = description
    answer = cloud_map.create_http_namespace(Name=name, CreatorRequestId=uuid.uuid4().hex, **members)
    return str(answer["OperationId"])


@call("update a Cloud Map namespace")
def update_description(cloud_map: Any, namespace_id: str, description: str) -> str:
    """Start the update; returns the operation's id."""
    answer = cloud_map.update_http_namespace(Id=namespace_id, Namespace={"Description": description})
    return str(answer["OperationId"])


@call("tag a Cloud Map namespace")
def apply_tags(cloud_map: Any, arn: str, change: TagChange) -> None:
    """Set and remove tags."""
    if change.remove:
        cloud_map.untag_resource(ResourceARN=arn, TagKeys=change.remove)
    if change.set:
        cloud_map.tag_resource(ResourceARN=arn, Tags=ansible_dict_to_boto3_tag_list(change.set))


def deregister_instances(cloud_map: Any, service_id: str, timeout: int) -> None:
    """Take every instance out of a service; Cloud Map refuses to delete one that has any."""
    pages = cloud_map.get_paginator("list_instances").paginate(ServiceId=service_id)
    for instance in [item["Id"] for page in pages for item in page["Instances"]]:
        wait_for(
            cloud_map,
            cloud_map.deregister_instance(ServiceId=service_id, InstanceId=instance)["OperationId"],
            timeout,
        )


@call("delete the Cloud Map services of a namespace")
def delete_services(cloud_map: Any, namespace_id: str, timeout: int) -> None:
    """Delete every service of the namespace with the instances that tasks which are gone left in it."""
    pages = cloud_map.get_paginator("list_services").paginate(
        Filters=[{"Name": "NAMESPACE_ID", "Values": [namespace_id], "Condition": "EQ"}]
    )
    for service in [item for page in pages for item in page["Services"]]:
        owner = service.get("NamespaceId") or cloud_map.get_service(Id=service["Id"])["Service"]["NamespaceId"]
        if owner == namespace_id:
            deregister_instances(cloud_map, service["Id"], timeout)
            cloud_map.delete_service(Id=service["Id"])


@call("delete a Cloud Map namespace", missing=MISSING)
def delete_namespace(cloud_map: Any, namespace_id: str) -> str | None:
    """Start the deletion; returns the operation's id, or None when the namespace is gone."""
    return str(cloud_map.delete_namespace(Id=namespace_id)["OperationId"])


@call("read a Cloud Map operation")
def get_operation(cloud_map: Any, operation_id: str) -> dict[str, Any]:
    """The operation with its Status."""
    operation: dict[str, Any] = cloud_map.get_operation(OperationId=operation_id)["Operation"]
    return operation


def wait_for(cloud_map: Any, operation_id: str, timeout: int) -> None:
    """Return when the operation has succeeded; AnsibleAWSError with Cloud Map's reason otherwise."""

    def done() -> bool:
        operation = get_operation(cloud_map, operation_id)
        if operation["Status"] == "FAIL":
            reason = operation.get("ErrorMessage") or operation.get("ErrorCode") or "no reason given"
            raise AnsibleAWSError(message=f"Cloud Map operation {operation_id} failed: {reason}")
        return bool(operation["Status"] == "SUCCESS")

    if not wait_until(done, POLL_SECONDS, timeout, lambda: f"Cloud Map operation {operation_id} is going on"):
        raise AnsibleAWSError(message=f"Cloud Map operation {operation_id} did not end within {timeout} seconds")


def read_new(cloud_map: Any, name: str, timeout: int) -> dict[str, Any]:
    """The namespace that was made just now, once Cloud Map lists it."""
    found: dict[str, Any] = {}

    def listed() -> bool:
        found.update(service_discovery.read(cloud_map, name))
        return bool(found)

    if not wait_until(listed, POLL_SECONDS, timeout):
        raise AnsibleAWSError(message=f"Cloud Map does not list namespace {name}, which was made just now: run again")
    return found


def new_view(cloud_map: Any, params: dict[str, Any]) -> dict[str, Any]:
    """What check mode shows for a namespace that does not exist yet."""
    return {
        **service_discovery.placeholder(cloud_map),
        "name": params["name"],
        "description": params["description"] or "",
        "tags": {key: str(value) for key, value in (params["tags"] or {}).items()},
    }


def ensure_present(cloud_map: Any, params: dict[str, Any], check_mode: bool) -> Outcome:
    """Create the namespace when missing, else bring description and tags to what is declared."""
    name, description, timeout = params["name"], params["description"], params["wait_timeout"]
    before = service_discovery.read(cloud_map, name)
    if not before:
        after = new_view(cloud_map, params)
        if not check_mode:
            wait_for(cloud_map, create_namespace(cloud_map, name, description, after["tags"]), timeout)
            after = read_new(cloud_map, name, timeout)
        return Outcome(True, {}, after)
    new_description = description is not None and description != before["description"]
    tags_changed = tag_change(before["tags"], params["tags"], params["purge_tags"])
    after = before | {"tags": tags_changed.result} | ({"description": description} if new_description else {})
    if not check_mode:
        if new_description:
            wait_for(cloud_map, update_description(cloud_map, before["id"], description), timeout)
        if tags_changed:
            apply_tags(cloud_map, before["arn"], tags_changed)
    return Outcome(bool(new_description or tags_changed), before, after)


def ensure_absent(cloud_map: Any, params: dict[str, Any], check_mode: bool) -> Outcome:
    """Delete the namespace when it exists."""
    before = service_discovery.read(cloud_map, params["name"])
    if before and not check_mode:
        if params["purge_services"]:
            delete_services(cloud_map, before["id"], params["wait_timeout"])
        operation = delete_namespace(cloud_map, before["id"])
        if operation:
            wait_for(cloud_map, operation, params["wait_timeout"])
    return Outcome(bool(before), before, {})


def main() -> None:
    """Read the options, act, report."""
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            **STATE_OPTION,
            "description": {"type": "str"},
            "purge_services": {"type": "bool", "default": False},
            "wait_timeout": {"type": "int", "default": 300},
            **TAG_OPTIONS,
        },
        supports_check_mode=True,
    )
    manage(module, client(module, "servicediscovery"), "namespace", ensure_present, ensure_absent)


if __name__ == "__main__":
    main()
