# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""API calls that change an Application Load Balancer itself."""

from __future__ import annotations

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import TagChange, call
from ansible_collections.sm2a.airflow.plugins.module_utils.common.create_once import create_once
from ansible_collections.sm2a.airflow.plugins.module_utils.common.progress import say
from ansible_collections.sm2a.airflow.plugins.module_utils.elbv2.api import describe_load_balancer, write_tags

PROTECTION = "deletion_protection.enabled"
LOG_BUCKET = (
    "Elastic Load Balancing cannot write to the S3 bucket {bucket}. The bucket must be in the Region of the load "
    "balancer and encrypted with SSE-S3, and its policy must let the service "
    "logdelivery.elasticloadbalancing.amazonaws.com put objects under <prefix>/AWSLogs/<account>/"
)


@call("describe the attributes of the load balancer")
def describe_attributes(elbv2: Any, arn: str) -> dict[str, str]:
    attributes = elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    return {attribute["Key"]: attribute.get("Value", "") for attribute in attributes}


@call("create the load balancer")
def create_load_balancer(elbv2: Any, params: dict[str, Any], tags: dict[str, str]) -> str:
    """Create it without listeners; returns its ARN."""
    request = {"Name": params["name"], "Type": "application", "Scheme": params["scheme"]}
    request |= {"Subnets": params["subnet_ids"], "SecurityGroups": params["security_group_ids"]}
    if params["ip_address_type"]:
        request["IpAddressType"] = params["ip_address_type"]
    if tags:
        request["Tags"] = ansible_dict_to_boto3_tag_list(tags)
    made = create_once(
        elbv2,
        lambda: dict(elbv2.create_load_balancer(**request)["LoadBalancers"][0]),
        lambda: describe_load_balancer(elbv2, params["name"]),
        ("DuplicateLoadBalancerName",),
    )
    return str(made["LoadBalancerArn"])


@call("change the address type of the load balancer")
def set_ip_address_type(elbv2: Any, arn: str, ip_address_type: str) -> None:
    elbv2.set_ip_address_type(LoadBalancerArn=arn, IpAddressType=ip_address_type)


@call("change the subnets of the load balancer")
def set_subnets(elbv2: Any, arn: str, subnet_ids: list[str]) -> None:
    elbv2.set_subnets(LoadBalancerArn=arn, Subnets=subnet_ids)


@call("change the security groups of the load balancer")
def set_security_groups(elbv2: Any, arn: str, group_ids: list[str]) -> None:
    elbv2.set_security_groups(LoadBalancerArn=arn, SecurityGroups=group_ids)


@call("change the attributes of the load balancer")
def modify_attributes(elbv2: Any, arn: str, attributes: dict[str, str]) -> None:
    """Set attributes; AnsibleAWSError that says what a bucket for logs needs when ELB cannot write there."""
    pairs = [{"Key": key, "Value": value} for key, value in attributes.items()]
    try:
        elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=pairs)
    except elbv2.exceptions.InvalidConfigurationRequestException as error:
        buckets = sorted({value for key, value in attributes.items() if key.endswith("_logs.s3.bucket")})
        if not buckets:
            raise
        message = f"Failed to turn on the logs of the load balancer: {LOG_BUCKET.format(bucket=' or '.join(buckets))}"
        raise AnsibleAWSError(message=message, exception=error) from error


@call("delete the load balancer", missing=("LoadBalancerNotFound",))
def delete_load_balancer(elbv2: Any, arn: str) -> None:
    """Delete and wait, because the target group and certificate are in use until it is gone."""
    elbv2.delete_load_balancer(LoadBalancerArn=arn)
    say("the load balancer is being deleted")
    waiter = elbv2.get_waiter("load_balancers_deleted")
    waiter.wait(LoadBalancerArns=[arn], WaiterConfig={"Delay": 5, "MaxAttempts": 120})


def update(elbv2: Any, arn: str, before: dict[str, Any], after: dict[str, Any], change: TagChange) -> None:
    """Write what differs besides the listeners; ``before`` is {} for a load balancer just created."""
    if before and before["ip_address_type"] != after["ip_address_type"]:
        set_ip_address_type(elbv2, arn, after["ip_address_type"])
    if before and before["subnet_ids"] != after["subnet_ids"]:
        set_subnets(elbv2, arn, after["subnet_ids"])
    if before and before["security_group_ids"] != after["security_group_ids"]:
        set_security_groups(elbv2, arn, after["security_group_ids"])
    held = before.get("attributes", {})
    attributes = {key: value for key, value in after["attributes"].items() if held.get(key) != value}
    if attributes:
        modify_attributes(elbv2, arn, attributes)
    if before and change:
        write_tags(elbv2, arn, change)
