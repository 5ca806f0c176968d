# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Calls to IAM about roles, one function each. A policy document is a dictionary."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import TagChange, call
from ansible_collections.sm2a.airflow.plugins.module_utils.common.create_once import create_once, error_code

GONE = ("NoSuchEntity",)
EXISTS = ("EntityAlreadyExists",)


def document(statements: list[dict[str, Any]]) -> dict[str, Any]:
    """A policy document of these statements."""
    return {"Version": "2012-10-17", "Statement": statements}


@call("read an IAM role", missing=GONE, default={})
def describe_role(iam: Any, name: str) -> dict[str, Any]:
    """``arn``, ``path``, ``trust``, ``inline_policies`` {name: document}, ``attached_policies`` [arn],
    ``permissions_boundary``, ``description`` and ``tags``; {} when there is no such role."""
    role = iam.get_role(RoleName=name)["Role"]
    inline = [
        policy
        for page in iam.get_paginator("list_role_policies").paginate(RoleName=name)
        for policy in page["PolicyNames"]
    ]
    attached = [
        policy["PolicyArn"]
        for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=name)
        for policy in page["AttachedPolicies"]
    ]
    return _view(role) | {
        "inline_policies": {
            policy: iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"] for policy in inline
        },
        "attached_policies": sorted(attached),
    }


def _view(role: dict[str, Any]) -> dict[str, Any]:
    return {
        "arn": role["Arn"],
        "path": role["Path"],
        "trust": role["AssumeRolePolicyDocument"],
        "inline_policies": {},
        "attached_policies": [],
        "permissions_boundary": (role.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn", ""),
        "description": role.get("Description") or "",
        "tags": boto3_tag_list_to_ansible_dict(role.get("Tags") or []),
    }


@call("create an IAM role")
def create_role(iam: Any, name: str, trust: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Create a role and return it as describe_role does, once IAM answers for it."""
    create_once(
        iam,
        lambda: iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust), **members)["Role"],
        lambda: describe_role(iam, name) or None,
        EXISTS,
    )
    iam.get_waiter("role_exists").wait(RoleName=name)
    role: dict[str, Any] = describe_role(iam, name)
    return role


@call("set the trust policy of an IAM role")
def set_trust(iam: Any, name: str, trust: dict[str, Any]) -> None:
    """Replace the trust policy."""
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))


@call("set the description of an IAM role")
def set_description(iam: Any, name: str, description: str) -> None:
    """Replace the description."""
    iam.update_role(RoleName=name, Description=description)


@call("set the permissions boundary of an IAM role")
def set_boundary(iam: Any, name: str, arn: str) -> None:
    """Set the boundary; an empty ``arn`` removes it."""
    if arn:
        iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=arn)
    else:
        iam.delete_role_permissions_boundary(RoleName=name)


@call("write an inline policy of an IAM role")
def put_inline_policy(iam: Any, name: str, policy: str, content: dict[str, Any]) -> None:
    """Create or replace one inline policy."""
    iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(content))


@call("delete an inline policy of an IAM role", missing=GONE)
def remove_inline_policy(iam: Any, name: str, policy: str) -> None:
    """Delete one inline policy."""
    iam.delete_role_policy(RoleName=name, PolicyName=policy)


@call("attach a managed policy to an IAM role")
def attach_policy(iam: Any, name: str, arn: str) -> None:
    """Attach one managed policy."""
    iam.attach_role_policy(RoleName=name, PolicyArn=arn)


@call("detach a managed policy from an IAM role", missing=GONE)
def detach_policy(iam: Any, name: str, arn: str) -> None:
    """Detach one managed policy."""
    iam.detach_role_policy(RoleName=name, PolicyArn=arn)


@call("tag an IAM role")
def set_tags(iam: Any, name: str, change: TagChange) -> None:
    """Set and remove tags."""
    if change.remove:
        iam.untag_role(RoleName=name, TagKeys=change.remove)
    if change.set:
        iam.tag_role(RoleName=name, Tags=ansible_dict_to_boto3_tag_list(change.set))


@call("delete an IAM role", missing=GONE)
def _delete_role(iam: Any, name: str) -> None:
    iam.delete_role(RoleName=name)


def delete_role(iam: Any, name: str, current: dict[str, Any]) -> None:
    """Delete the role, first what hangs on it; ``current`` is what describe_role returned.

    AnsibleAWSError that names the instance profiles or policies which still hold the role.
    """
    for policy in current["inline_policies"]:
        remove_inline_policy(iam, name, policy)
    for arn in current["attached_policies"]:
        detach_policy(iam, name, arn)
    try:
        _delete_role(iam, name)
    except AnsibleAWSError as error:
        if error_code(error) != "DeleteConflict":
            raise
        message = f"The IAM role {name} cannot be deleted: {', '.join(holders(iam, name)) or 'it is still in use'}"
        raise AnsibleAWSError(message=message, exception=error.exception) from error


@call("read what holds an IAM role", missing=GONE, default=[])
def holders(iam: Any, name: str) -> list[str]:
    """What somebody else hung on the role, in words: instance profiles, and policies of just now."""
    pages = iam.get_paginator("list_instance_profiles_for_role").paginate(RoleName=name)
    profiles = [item["InstanceProfileName"] for page in pages for item in page["InstanceProfiles"]]
    role = describe_role(iam, name)
    return [
        *(f"it is in the instance profile {profile}" for profile in profiles),
        *(f"the policy {arn} is attached" for arn in role.get("attached_policies", [])),
        *(f"it has the inline policy {policy}" for policy in role.get("inline_policies", [])),
    ]


@call("list IAM roles")
def role_names(iam: Any, path: str, prefix: str) -> list[str]:
    """Names of the roles below ``path`` that start with ``prefix``."""
    pages = iam.get_paginator("list_roles").paginate(PathPrefix=path)
    return [role["RoleName"] for page in pages for role in page["Roles"] if role["RoleName"].startswith(prefix)]
