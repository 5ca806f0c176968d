#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
module: environment_preflight_info
short_description: Say what would stop the deployment of an environment
version_added: 0.1.0
description:
  - Reads the account, the Region and this machine, and says in plain sentences everything at which
    C(playbooks/site.yml) would stop. It changes nothing.
  - Of a quota counts what is used now and what the environment still has to make. What it has made already, which its
    name or the tag C(sm2a:environment) tells, is not asked for again.
  - What cannot be read is a warning that names the missing right. C(docs/preflight.md) has every check.
  - What is not given is not looked at. The filter P(sm2a.airflow.preflight_demand#filter) makes these options from an
    inventory.
author:
  - SM2A contributors (@sm2a)
options:
  name:
    description: Name of the environment.
    type: str
    required: true
  ignore:
    description: Names of checks whose problems are warnings.
    type: list
    elements: str
    default: []
  fargate:
    description: vCPU of Fargate tasks, by capacity provider.
    type: list
    elements: dict
    default: []
    suboptions:
      capacity_provider:
        description: The capacity provider.
        type: str
        choices: [FARGATE, FARGATE_SPOT]
        required: true
      at_start:
        description: What the deployment needs; more than the quota is a problem.
        type: float
        required: true
      at_most:
        description: What the environment can come to need; more than the quota is a warning.
        type: float
        required: true
  network:
    description: The VPC and what is made in it.
    type: dict
    suboptions:
      vpc_id:
        description: A VPC of somebody else's, in which the environment will be. Without it, it gets one of its own.
        type: str
      private_subnet_ids:
        description: Private subnets of O(network.vpc_id).
        type: list
        elements: str
        default: []
      availability_zones:
        description: Zones of the subnets. Empty stands for those in use, or the first ones of the Region.
        type: list
        elements: str
        default: []
      availability_zone_count:
        description: In how many zones there are subnets.
        type: int
        default: 2
      nat_gateways:
        description: How many NAT gateways there are, each with an Elastic IP address.
        type: int
        default: 0
      interface_endpoints:
        description: Services that have an interface endpoint, such as V(ecr.api).
        type: list
        elements: str
        default: []
      gateway_endpoints:
        description: How many gateway endpoints there are.
        type: int
        default: 0
      security_groups:
        description: How many security groups there are.
        type: int
        default: 0
      security_group_rules:
        description: The most rules that one of them has in one direction.
        type: int
        default: 0
  load_balancer:
    description: The Application Load Balancer.
    type: dict
    suboptions:
      name:
        description: Name of the load balancer.
        type: str
        required: true
      target_group:
        description: Name of its target group.
        type: str
        required: true
      certificate:
        description: Name tag of the certificate, where one is made.
        type: str
  domain:
    description: The domain, where Route 53 has its zone.
    type: dict
    suboptions:
      name:
        description: The domain name.
        type: str
        required: true
      hosted_zone_id:
        description: ID of the hosted zone.
        type: str
      hosted_zone_name:
        description: Name of the hosted zone.
        type: str
      dns_role_arn:
        description: Role that is assumed for Route 53, where another account has the zone.
        type: str
      dns_role_external_id:
        description: External ID that the trust policy of O(domain.dns_role_arn) asks for.
        type: str
      validated:
        description: Whether ACM validates a certificate through this zone.
        type: bool
        default: false
      load_balancer:
        description: Name of the load balancer to which the domain leads.
        type: str
        required: true
  database:
    description: The RDS DB instance.
    type: dict
    suboptions:
      identifier:
        description: Identifier of the DB instance.
        type: str
        required: true
      subnet_group:
        description: Name of its subnet group.
        type: str
        required: true
      parameter_group:
        description: Name of its parameter group.
        type: str
        required: true
      engine:
        description: The engine.
        type: str
        required: true
      engine_version:
        description: Its version, with or without the minor one.
        type: str
        required: true
      instance_class:
        description: The instance class.
        type: str
        required: true
      storage_type:
        description: The storage type.
        type: str
        required: true
      allocated_storage:
        description: Initial storage in GiB.
        type: int
        required: true
      max_allocated_storage:
        description: Storage in GiB up to which it may grow.
        type: int
      multi_az:
        description: Whether there is a standby.
        type: bool
        default: false
      insights:
        description: Whether Database Insights is on.
        type: bool
        default: false
      enhanced_monitoring:
        description: Whether Enhanced Monitoring is on.
        type: bool
        default: false
      iam_authentication:
        description: Whether IAM database authentication is on.
        type: bool
        default: false
  cluster:
    description: The ECS cluster.
    type: dict
    suboptions:
      name:
        description: Name of the cluster.
        type: str
        required: true
      services:
        description: Names of its services.
        type: list
        elements: str
        default: []
  roles:
    description: Names of the IAM roles.
    type: list
    elements: str
    default: []
  buckets:
    description: Names of the S3 buckets, without C(-<account id>) at their end.
    type: list
    elements: str
    default: []
  secrets:
    description: Names of the secrets.
    type: list
    elements: str
    default: []
  kms_key:
    description: Alias of the KMS key, where one is made.
    type: str
  container_engine:
    description: The engine that builds images on this machine, where images are built.
    type: str
    choices: [auto, docker, podman]
  repository:
    description: An ECR repository that holds images of an earlier run, if there was one.
    type: str
  images:
    description:
      - Images that are given, instead of being built.
      - On Fargate a task whose image lacks its architecture ends with C(exec format error) or
        C(CannotPullContainerError), after everything else was changed. Only images in Amazon ECR can be looked at.
    type: list
    elements: dict
    default: []
    suboptions:
      option:
        description: What names the image, for messages.
        type: str
        required: true
      image:
        description: The image with its digest, C(repository@sha256:...).
        type: str
        required: true
      architectures:
        description: >-
          The architecture, V(X86_64) or V(ARM64), of everything that runs the image, by what it is called in messages.
        type: dict
        required: true
  certificate_authorities:
    description: What the images trust where the certificate of the database is verified.
    type: dict
    suboptions:
      bundle:
        description: File of certificates in PEM.
        type: path
        required: true
      certain:
        description: V(false) makes it a warning, as for images that somebody else built.
        type: bool
        default: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - sm2a.airflow.attributes.info
"""

EXAMPLES = r"""
- name: Look at the account before a deployment
  sm2a.airflow.environment_preflight_info:
    name: staging
    fargate:
      - {capacity_provider: FARGATE, at_start: 4.5, at_most: 14}
    buckets: [staging-logs]
  register: preflight

- name: Stop before anything is made
  ansible.builtin.assert:
    that: preflight.problems | length == 0
    fail_msg: "{{ preflight.problems | map(attribute='message') | join(' ') }}"
"""

RETURN = r"""
problems:
  description: What would stop the deployment.
  returned: always
  type: list
  elements: dict
  contains: &finding
    check:
      description: Name of the check.
      type: str
      sample: elastic_ips
    message:
      description: What is wrong, and what to do about it.
      type: str
notices:
  description: Warnings; what may turn out well, what O(ignore) names, and what could not be read.
  returned: always
  type: list
  elements: dict
  contains: *finding
checks:
  description: How each check ended, V(passed), V(problem), V(warning), V(ignored) or V(not checked), by its name.
  returned: always
  type: dict
  sample: {vpcs: passed, elastic_ips: problem}
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call, client, exit_with
from ansible_collections.sm2a.airflow.plugins.module_utils.common.partitions import DOMAINS
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.environment import check
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.gathering import Context
from ansible_collections.sm2a.airflow.plugins.module_utils.route53 import ZONE_OPTIONS, route53_client

# A service that is not in the Region has no address; nobody waits for it.
CONNECTION_ATTEMPTS = 2


@call("ask AWS who runs this")
def caller(sts: Any) -> tuple[str, str]:
    """Account and partition."""
    identity = sts.get_caller_identity()
    return str(identity["Account"]), str(identity["Arn"].split(":")[1])


def look(module: AnsibleAWSModule) -> dict[str, Any]:
    """The result of all checks."""
    account_id, partition = caller(client(module, "sts"))
    # Clients are made in one thread, which boto3 asks for, and used in several.
    clients = {
        "acm": client(module, "acm", CONNECTION_ATTEMPTS),
        "ec2": client(module, "ec2", CONNECTION_ATTEMPTS),
        "ecr": client(module, "ecr", CONNECTION_ATTEMPTS),
        "ecs": client(module, "ecs", CONNECTION_ATTEMPTS),
        "elbv2": client(module, "elbv2", CONNECTION_ATTEMPTS),
        "iam": client(module, "iam", CONNECTION_ATTEMPTS),
        "kms": client(module, "kms", CONNECTION_ATTEMPTS),
        "rds": client(module, "rds", CONNECTION_ATTEMPTS),
        "s3": client(module, "s3", CONNECTION_ATTEMPTS),
        "secretsmanager": client(module, "secretsmanager", CONNECTION_ATTEMPTS),
    }
    context = Context(
        module.params,
        clients,
        account_id,
        clients["ec2"].meta.region_name,
        partition,
        lambda: route53_client(module, module.params["domain"]),
        amazon=clients["ec2"].meta.endpoint_url.endswith(tuple(f".{domain}" for domain in DOMAINS.values())),
    )
    return check(context, lambda region: client(module, "service-quotas", CONNECTION_ATTEMPTS, region=region))


def group(**options: dict[str, Any]) -> dict[str, Any]:
    """An option of suboptions."""
    return {"type": "dict", "options": options}


def argument_spec() -> dict[str, Any]:
    """The options as AnsibleModule wants them."""
    text, name = {"type": "str"}, {"type": "str", "required": True}
    names = {"type": "list", "elements": "str", "default": []}
    count, off = {"type": "int", "default": 0}, {"type": "bool", "default": False}
    number = {"type": "float", "required": True}
    return {
        "name": name,
        "ignore": names,
        "fargate": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "capacity_provider": {"type": "str", "choices": ["FARGATE", "FARGATE_SPOT"], "required": True},
                "at_start": number,
                "at_most": number,
            },
        },
        "network": group(
            vpc_id=text,
            private_subnet_ids=names,
            availability_zones=names,
            availability_zone_count={"type": "int", "default": 2},
            nat_gateways=count,
            interface_endpoints=names,
            gateway_endpoints=count,
            security_groups=count,
            security_group_rules=count,
        ),
        "load_balancer": group(name=name, target_group=name, certificate=text),
        "domain": group(name=name, **ZONE_OPTIONS, validated=off, load_balancer=name),
        "database": group(
            identifier=name,
            subnet_group=name,
            parameter_group=name,
            engine=name,
            engine_version=name,
            instance_class=name,
            storage_type=name,
            allocated_storage={"type": "int", "required": True},
            max_allocated_storage={"type": "int"},
            multi_az=off,
            insights=off,
            enhanced_monitoring=off,
            iam_authentication=off,
        ),
        "cluster": group(name=name, services=names),
        "roles": names,
        "buckets": names,
        "secrets": {**names, "no_log": False},
        "kms_key": {**text, "no_log": False},
        "container_engine": {"type": "str", "choices": ["auto", "docker", "podman"]},
        "repository": text,
        "images": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {"option": name, "image": name, "architectures": {"type": "dict", "required": True}},
        },
        "certificate_authorities": group(
            bundle={"type": "path", "required": True}, certain={"type": "bool", "default": True}
        ),
    }


def main() -> None:
    """Say what would stop the deployment."""
    module = AnsibleAWSModule(argument_spec=argument_spec(), supports_check_mode=True)
    exit_with(module, lambda: look(module))


if __name__ == "__main__":
    main()
