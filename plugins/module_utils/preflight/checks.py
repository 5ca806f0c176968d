# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Every check by its name: what it looks at, whether it stops the run, and what to do about it. Pure.

The module makes them, preflight_ignore takes their names, and docs/preflight.md is written from this.
"""

from __future__ import annotations

from dataclasses import dataclass

STOPS, STOPS_OR_WARNS = "stops", "stops or warns"


@dataclass(frozen=True)
class Check:
    """``looks_at`` and ``lift`` are for people."""

    name: str
    looks_at: str
    lift: str
    weight: str = STOPS


def _quota(name: str, quota: str, weight: str = STOPS) -> Check:
    return Check(
        name, f"The quota {quota}", "Request an increase under Service Quotas, or delete what is unused", weight
    )


QUOTAS = (
    _quota("fargate_on_demand_vcpu", "for vCPU of Fargate On-Demand tasks", STOPS_OR_WARNS),
    _quota("fargate_spot_vcpu", "for vCPU of Fargate Spot tasks", STOPS_OR_WARNS),
    _quota("vpcs", "for VPCs of the Region"),
    _quota("internet_gateways", "for internet gateways of the Region"),
    _quota("elastic_ips", "for Elastic IP addresses of the Region"),
    _quota("nat_gateways", "for NAT gateways of each zone"),
    _quota("interface_endpoints", "for interface endpoints of the VPC"),
    _quota("gateway_endpoints", "for gateway endpoints of the Region"),
    _quota("security_groups", "for security groups of the Region"),
    _quota("security_group_rules", "for rules of a security group, in each direction"),
    _quota("load_balancers", "for Application Load Balancers of the Region"),
    _quota("target_groups", "for target groups of the Region"),
    _quota("db_instances", "for DB instances of the Region"),
    _quota("db_storage", "for the storage of all DB instances of the Region"),
    _quota("db_subnet_groups", "for DB subnet groups of the Region"),
    _quota("db_parameter_groups", "for DB parameter groups of the Region"),
    _quota("secrets", "for secrets of the Region"),
    _quota("ecs_clusters", "for ECS clusters of the Region"),
    _quota("ecs_services", "for services of an ECS cluster"),
    _quota("iam_roles", "for IAM roles of the account"),
    _quota("s3_buckets", "for S3 buckets of the account"),
    _quota("kms_keys", "for KMS keys of the Region"),
    _quota("acm_certificates", "for ACM certificates of the Region"),
)
ENVIRONMENT = (
    Check(
        "credentials_lifetime",
        "Whether credentials that cannot be renewed last for a first deployment, an hour",
        "Renew the credentials",
        STOPS_OR_WARNS,
    ),
    Check(
        "container_engine",
        "Whether Docker or Podman answers where images are to be built",
        "Start one, give images_airflow_image and images_autoscaler_image, or run build_images.yml where there is one",
        STOPS_OR_WARNS,
    ),
    Check(
        "image_platforms",
        "Whether given images in Amazon ECR were built for the architecture of the tasks that run them",
        "Build the image for that one (images_platforms, docker buildx build --platform), or choose what it has",
    ),
    Check(
        "fargate_zones",
        "Whether Fargate runs in the zones of the private subnets",
        "Name other zones in network_availability_zones, or other subnets",
    ),
    Check(
        "endpoint_zones",
        "Whether the services of the interface endpoints are in the zones of the private subnets",
        "Name other zones in network_availability_zones, or leave the service out",
    ),
    Check(
        "database_zones",
        "Whether the class of the database is offered in zones of the private subnets: two for a standby",
        "Choose another database_instance_class or other zones",
    ),
    Check(
        "database_class",
        "Whether RDS offers the class for the engine and its version in the Region",
        "Choose another database_instance_class or database_engine_version",
    ),
    Check(
        "database_features",
        "Whether class and engine have what is switched on: a standby, Database Insights, Enhanced Monitoring",
        "Switch off what the message names, or choose a larger database_instance_class",
    ),
    Check(
        "database_storage",
        "Whether class and engine have the storage type, and in this size",
        "Choose another database_storage_type, database_allocated_storage or database_max_allocated_storage",
    ),
    Check(
        "database_certificate_authorities",
        "Whether the images know the certificate authorities of RDS in the Region",
        "Give images_database_ca_bundle, or set database_tls_verification to false",
        STOPS_OR_WARNS,
    ),
    Check(
        "hosted_zone",
        "Whether the hosted zone is there, has the domain in it, and is a public one where ACM validates through it",
        "Correct load_balancer_hosted_zone_name or load_balancer_hosted_zone_id, or create the zone",
    ),
    Check(
        "zone_delegation",
        "Whether the world's DNS leads to the name servers of the hosted zone",
        "Put the name servers of the zone into the parent zone, or at the registrar",
        STOPS_OR_WARNS,
    ),
    Check(
        "domain_record",
        "Whether the domain has a record already that leads elsewhere",
        "Choose another load_balancer_domain_name, or remove the record",
    ),
    Check(
        "role_names",
        "Whether IAM roles of these names belong to somebody else, or to an environment of another Region",
        "Choose another sm2a_name: IAM roles are shared by all Regions",
    ),
    Check(
        "bucket_names",
        "Whether S3 buckets of these names belong to somebody else, or are in another Region",
        "Choose another sm2a_name, or remove the bucket",
    ),
    Check(
        "resource_names",
        "Whether a load balancer, a database or a cluster of this name belongs to somebody else",
        "Choose another sm2a_name, or remove or tag the resource",
    ),
)
CHECKS = QUOTAS + ENVIRONMENT
NAMES = tuple(check.name for check in CHECKS)
