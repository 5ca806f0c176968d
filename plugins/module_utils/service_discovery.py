# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""HTTP namespaces of AWS Cloud Map: how they are found and shown."""

from __future__ import annotations

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.tagging import boto3_tag_list_to_ansible_dict
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call
from ansible_collections.sm2a.airflow.plugins.module_utils.common.placeholders import placeholder_arn

PLACEHOLDER_ID = "ns-0000000000000000"


@call("list Cloud Map namespaces")
def find_namespace(cloud_map: Any, name: str) -> dict[str, Any] | None:
    """The HTTP namespace of that name, or None."""
    pages = cloud_map.get_paginator("list_namespaces").paginate(Filters=[{"Name": "TYPE", "Values": ["HTTP"]}])
    found = [item for page in pages for item in page["Namespaces"] if item["Name"] == name and item["Type"] == "HTTP"]
    return found[0] if found else None


@call("read the tags of a Cloud Map namespace")
def read_tags(cloud_map: Any, arn: str) -> dict[str, str]:
    """Tags of the namespace."""
    tags: dict[str, str] = boto3_tag_list_to_ansible_dict(cloud_map.list_tags_for_resource(ResourceARN=arn)["Tags"])
    return tags


def read(cloud_map: Any, name: str) -> dict[str, Any]:
    """The namespace with snake_case names; {} when there is none."""
    namespace = find_namespace(cloud_map, name)
    if not namespace:
        return {}
    return {
        "id": namespace["Id"],
        "arn": namespace["Arn"],
        "name": namespace["Name"],
        "description": namespace.get("Description") or "",
        "tags": read_tags(cloud_map, namespace["Arn"]),
    }


def placeholder(cloud_map: Any) -> dict[str, str]:
    """Id and ARN of the right shape for a namespace that does not exist yet."""
    return {"id": PLACEHOLDER_ID, "arn": placeholder_arn(cloud_map, f"namespace/{PLACEHOLDER_ID}")}
