# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Policies of VPC endpoints, which let through what stays within trusted accounts."""

from __future__ import annotations

DOCUMENTATION = r"""
name: vpc_endpoint_policies
version_added: 0.1.0
short_description: Policies of VPC endpoints that let through what stays within trusted accounts
description:
  - Gives each endpoint a policy. It lets principals of trusted accounts use resources of trusted accounts, and given
    resources of others; the endpoint of S3 lets everybody read the layers of images, too.
  - The endpoints C(ecs-agent) and C(ecs-telemetry) get V({}). Fargate itself uses them, and AWS does not say as whom.
author:
  - SM2A contributors (@sm2a)
options:
  _input:
    description: Endpoints as M(sm2a.airflow.ec2_vpc_endpoints) takes them, of which C(service) counts.
    type: list
    elements: dict
    required: true
  partition:
    description: Partition of the ARNs, such as V(aws).
    type: str
    required: true
  region:
    description: Region of the endpoints.
    type: str
    required: true
  account_ids:
    description: The trusted accounts. The first one is the account of the endpoints.
    type: list
    elements: str
    required: true
  organization_id:
    description: An organization whose accounts are trusted, too.
    type: str
    default: ''
  resources:
    description: ARNs of resources of other accounts, or C(s3://) URIs of their buckets.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Show the policy of the endpoint of SQS
  ansible.builtin.debug:
    msg: >-
      {{ [{'service': 'sqs'}]
         | sm2a.airflow.vpc_endpoint_policies(partition='aws', region='eu-west-1', account_ids=['123456789012']) }}
"""

RETURN = r"""
_value:
  description: The endpoints, each with its C(policy).
  type: list
  elements: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.network import problems

Statement = dict[str, Any]
USED_BY_FARGATE_ITSELF = ("ecs-agent", "ecs-telemetry")
# The service in ARNs, where it is not the first word of the endpoint's name.
SERVICES_IN_ARNS = {
    "kinesis-streams": "kinesis",
    "kinesis-firehose": "firehose",
    "monitoring": "cloudwatch",
    "sts": "iam",
}


def vpc_endpoint_policies(
    endpoints: Sequence[Mapping[str, Any]],
    *,
    partition: str,
    region: str,
    account_ids: Sequence[str],
    organization_id: str = "",
    resources: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """The endpoints, each with its policy."""
    if wrong := problems({"network_endpoint_resources": resources}):
        raise AnsibleFilterError("; ".join(wrong))
    accounts = [str(account) for account in account_ids]
    # A call that names no resource is about the caller's own account for these keys.
    trusted = [_within("Accounts", "aws:PrincipalAccount", "aws:ResourceAccount", accounts)]
    if organization_id:
        trusted.append(_within("Organization", "aws:PrincipalOrgID", "aws:ResourceOrgID", organization_id))
    arns = dict.fromkeys(_arn(resource, partition) for resource in resources)
    others = [arn for arn in arns if arn.split(":")[4] != accounts[0]]

    def policy(service: str) -> dict[str, Any]:
        if service in USED_BY_FARGATE_ITSELF:
            return {}
        layers = [_layers(partition, region)] if service == "s3" else []
        arn_service = SERVICES_IN_ARNS.get(service, service.partition(".")[0])
        named = [arn for arn in others if arn.split(":")[2] == arn_service]
        statements = [*trusted, *layers, *([_named(named, accounts)] if named else [])]
        return {"Version": "2012-10-17", "Statement": statements}

    return [{**endpoint, "policy": policy(endpoint["service"])} for endpoint in endpoints]


def _within(what: str, principal_key: str, resource_key: str, value: Any) -> Statement:
    test = {principal_key: value, resource_key: value}
    return _allow(f"WithinTrusted{what}", "*", "*", {"StringEquals": test})


def _layers(partition: str, region: str) -> Statement:
    """ECR keeps the layers of images in a bucket of AWS; who pulls gets URLs that are signed by an account of AWS."""
    return _allow("LayersOfImages", "s3:GetObject", f"arn:{partition}:s3:::prod-{region}-starport-layer-bucket/*")


def _named(arns: list[str], accounts: list[str]) -> Statement:
    """A request without a signature has no account: public buckets are read so."""
    everything = [each for arn in arns for each in ([arn, f"{arn}/*"] if _is_bucket(arn) else [arn])]
    ours = {"StringEqualsIfExists": {"aws:PrincipalAccount": accounts}}
    return _allow("NamedResourcesOfOthers", "*", everything, ours)


def _allow(sid: str, action: str, resource: str | list[str], condition: dict[str, Any] | None = None) -> Statement:
    # A gateway endpoint takes no other principal.
    statement = {"Sid": sid, "Effect": "Allow", "Principal": "*", "Action": action, "Resource": resource}
    return {**statement, "Condition": condition} if condition else statement


def _arn(resource: str, partition: str) -> str:
    """The ARN of a bucket for its ``s3://`` URI, any other ARN as it is."""
    if resource.startswith("s3://"):
        return f"arn:{partition}:s3:::{resource.removeprefix('s3://').partition('/')[0]}"
    return resource


def _is_bucket(arn: str) -> bool:
    return arn.split(":")[2] == "s3" and "/" not in arn


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"vpc_endpoint_policies": vpc_endpoint_policies}
