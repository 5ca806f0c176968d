# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""DB parameter groups and DB subnet groups of RDS: the API calls, one function each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import TagChange, call
from ansible_collections.sm2a.airflow.plugins.module_utils.common.create_once import create_once
from ansible_collections.sm2a.airflow.plugins.module_utils.common.role_propagation import once_known

PARAMETERS_GONE = ("DBParameterGroupNotFound", "DBParameterGroupNotFoundFault")
PARAMETERS_EXIST = ("DBParameterGroupAlreadyExists", "DBParameterGroupAlreadyExistsFault")
SUBNETS_GONE = ("DBSubnetGroupNotFoundFault", "DBSubnetGroupNotFound")
SUBNETS_EXIST = ("DBSubnetGroupAlreadyExists", "DBSubnetGroupAlreadyExistsFault")
# What RDS says until it can assume its own role, which it makes when an account first uses it.
# https://github.com/terraform-aws-modules/terraform-aws-rds/issues/364
SERVICE_ROLE_UNKNOWN = "Missing necessary credentials"
# ModifyDBParameterGroup and ResetDBParameterGroup take no more.
CHUNK = 20


@call("describe the DB parameter group", missing=PARAMETERS_GONE)
def describe_parameter_group(rds: Any, name: str) -> dict[str, Any] | None:
    """The group as the API describes it, without its parameters; None when there is none."""
    groups = rds.describe_db_parameter_groups(DBParameterGroupName=name)["DBParameterGroups"]
    return groups[0] if groups else None


@call("list the DB parameter groups")
def parameter_group_names(rds: Any, prefix: str) -> dict[str, str]:
    """ARNs by name of the groups whose name starts with ``prefix``."""
    pages = rds.get_paginator("describe_db_parameter_groups").paginate()
    groups = [group for page in pages for group in page["DBParameterGroups"]]
    return {
        group["DBParameterGroupName"]: group["DBParameterGroupArn"]
        for group in groups
        if group["DBParameterGroupName"].startswith(prefix)
    }


@call("create the DB parameter group")
def create_parameter_group(
    rds: Any, name: str, family: str, description: str, tags: Mapping[str, str]
) -> dict[str, Any]:
    """Create the group with the defaults of its family."""
    return create_once(
        rds,
        lambda: dict(
            rds.create_db_parameter_group(
                DBParameterGroupName=name,
                DBParameterGroupFamily=family,
                Description=description,
                Tags=ansible_dict_to_boto3_tag_list(dict(tags)),
            )["DBParameterGroup"]
        ),
        lambda: describe_parameter_group(rds, name),
        exists=PARAMETERS_EXIST,
    )


@call("read the DB parameters", missing=PARAMETERS_GONE, default=[])
def describe_parameters(rds: Any, name: str, **filters: str) -> list[dict[str, Any]]:
    """The parameters of the group; ``Source="user"`` for those that somebody set."""
    pages = rds.get_paginator("describe_db_parameters").paginate(DBParameterGroupName=name, **filters)
    return [parameter for page in pages for parameter in page["Parameters"]]


@call("set DB parameters")
def set_parameters(rds: Any, name: str, parameters: Sequence[Mapping[str, str]]) -> None:
    """Set parameters: ``[{ParameterName, ParameterValue, ApplyMethod}]``."""
    for chunk in chunks(parameters):
        rds.modify_db_parameter_group(DBParameterGroupName=name, Parameters=chunk)


@call("reset DB parameters")
def reset_parameters(rds: Any, name: str, parameters: Sequence[Mapping[str, str]]) -> None:
    """Give parameters their default again: ``[{ParameterName, ApplyMethod}]``."""
    for chunk in chunks(parameters):
        rds.reset_db_parameter_group(DBParameterGroupName=name, Parameters=chunk)


@call("delete the DB parameter group", missing=PARAMETERS_GONE)
def delete_parameter_group(rds: Any, name: str) -> None:
    """Delete the group; AWS refuses one that an instance uses."""
    rds.delete_db_parameter_group(DBParameterGroupName=name)


@call("describe the DB subnet group", missing=SUBNETS_GONE)
def describe_subnet_group(rds: Any, name: str) -> dict[str, Any] | None:
    """The group as the API describes it; None when there is none."""
    groups = rds.describe_db_subnet_groups(DBSubnetGroupName=name)["DBSubnetGroups"]
    return groups[0] if groups else None


@call("create the DB subnet group")
def create_subnet_group(
    rds: Any, name: str, description: str, subnet_ids: Sequence[str], tags: Mapping[str, str]
) -> dict[str, Any]:
    """Create the group; it is the first that RDS needs its service-linked role for."""
    members = {
        "DBSubnetGroupName": name,
        "DBSubnetGroupDescription": description,
        "SubnetIds": list(subnet_ids),
        "Tags": ansible_dict_to_boto3_tag_list(dict(tags)),
    }
    return once_known(
        lambda: create_once(
            rds,
            lambda: dict(rds.create_db_subnet_group(**members)["DBSubnetGroup"]),
            lambda: describe_subnet_group(rds, name),
            exists=SUBNETS_EXIST,
        ),
        SERVICE_ROLE_UNKNOWN,
    )


@call("change the DB subnet group")
def modify_subnet_group(rds: Any, name: str, description: str, subnet_ids: Sequence[str]) -> None:
    """Replace description and subnets."""
    rds.modify_db_subnet_group(DBSubnetGroupName=name, DBSubnetGroupDescription=description, SubnetIds=list(subnet_ids))


@call("delete the DB subnet group", missing=SUBNETS_GONE)
def delete_subnet_group(rds: Any, name: str) -> None:
    """Delete the group; AWS refuses one that an instance uses."""
    rds.delete_db_subnet_group(DBSubnetGroupName=name)


@call("read the tags of an RDS resource", missing=(*PARAMETERS_GONE, *SUBNETS_GONE), default={})
def read_tags(rds: Any, arn: str) -> dict[str, str]:
    """Tags as a dict."""
    tags: dict[str, str] = boto3_tag_list_to_ansible_dict(rds.list_tags_for_resource(ResourceName=arn)["TagList"])
    return tags


@call("tag an RDS resource")
def set_tags(rds: Any, arn: str, change: TagChange) -> None:
    """Set and remove tags."""
    if change.set:
        rds.add_tags_to_resource(ResourceName=arn, Tags=ansible_dict_to_boto3_tag_list(change.set))
    if change.remove:
        rds.remove_tags_from_resource(ResourceName=arn, TagKeys=change.remove)


def chunks(parameters: Sequence[Mapping[str, str]]) -> Iterator[list[Mapping[str, str]]]:
    """The parameters in lists that one call takes."""
    for start in range(0, len(parameters), CHUNK):
        yield list(parameters[start : start + CHUNK])
