# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Where things are: buckets and folders in S3, e-mail addresses, subscribers and other URLs. Pure."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.arns import ACCOUNT, PARTITION
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.names import REGION
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.shapes import (
    each,
    entries,
    matching,
    of_text,
    shown,
)
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.table import Rule, same

BUCKET_NAMES = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"
SUBSCRIBE = "https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html"
ADDRESSES = "https://airflow.apache.org/docs/apache-airflow-providers-fab/stable/auth-manager/index.html"
ENDPOINTS = "https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html"
INDEX = "https://docs.astral.sh/uv/concepts/indexes/"
MIRROR = "https://manpages.debian.org/trixie/debootstrap/debootstrap.8.en.html"
REGISTRY = "https://distribution.github.io/distribution/spec/api/"
STORED = "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html"

EMAIL = r"[^@\s,;<>]+@[^@\s,;<>.]+(\.[^@\s,;<>.]+)*"
DIGITS = r"\+?[1-9][0-9 ()-]{3,24}"
TARGETS = {
    "email": (EMAIL, "an e-mail address"),
    "email-json": (EMAIL, "an e-mail address"),
    "http": (r"http://[^\s/]+(/\S*)?", "a URL that begins with http://"),
    "https": (r"https://[^\s/]+(/\S*)?", "a URL that begins with https://"),
    "sms": (DIGITS, "a telephone number with its country, as +493012345678"),
    "sqs": (rf"arn:{PARTITION}:sqs:{REGION}:{ACCOUNT}:\S+", "the ARN of an SQS queue"),
    "lambda": (rf"arn:{PARTITION}:lambda:{REGION}:{ACCOUNT}:function:\S+", "the ARN of a Lambda function"),
    "firehose": (rf"arn:{PARTITION}:firehose:{REGION}:{ACCOUNT}:deliverystream/\S+", "the ARN of a delivery stream"),
}


def bucket_problem(name: str) -> str | None:
    """Why S3 has no bucket of this name."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name):
        form = "3 to 63 lower-case letters, digits, dots and hyphens, with a letter or digit at both ends"
        return f"must be a bucket's name of {form}, not {shown(name)}"
    if ".." in name:
        return f"must be a bucket's name without two dots together, not {shown(name)}"
    if re.fullmatch(r"\d+(\.\d+){3}", name):
        return f"must be a bucket's name, not an address as {shown(name)}"
    return None


def uri_problem(value: str) -> str | None:
    """Why this is no folder in S3."""
    found = re.fullmatch(r"s3://([^/]*)(/.*)?", value)
    return bucket_problem(found.group(1)) if found else f"must be s3://bucket or s3://bucket/folder, not {shown(value)}"


def _subscriptions(value: Any) -> str | None:
    found = []
    for entry in entries(value):
        protocol, endpoint = entry.get("protocol"), entry.get("endpoint")
        if not isinstance(protocol, str) or protocol not in TARGETS or not isinstance(endpoint, str):
            continue
        form, described = TARGETS[protocol]
        if not re.fullmatch(form, endpoint):
            # A URL may hold a password, and is not repeated.
            found.append(f"the endpoint of protocol {protocol} must be {described}")
    return "; ".join(dict.fromkeys(found)) or None


E_MAIL = matching(EMAIL, "an e-mail address such as team@example.com")
# Not repeated: a URL may hold a password.
URL = of_text(
    lambda value: None if re.fullmatch(r"https?://[^\s/]+(/\S*)?", value) else "must be a URL with http(s)://"
)
MIRROR_URL = of_text(
    lambda value: None if re.fullmatch(r"[a-z]+:/\S+", value) else "must be a URL such as http://deb.debian.org/debian"
)
PREFIX = matching(r"[A-Za-z0-9/_+=.@-]{1,400}", "the beginning of names of secrets, of letters, digits and /_+=.@-")

RULES: list[Rule] = [
    *same(BUCKET_NAMES, of_text(bucket_problem), "storage_access_logs_bucket", "load_balancer_access_logs_bucket"),
    *same(BUCKET_NAMES, of_text(uri_problem), "airflow_dags_s3_uri", "airflow_logs_uri"),
    Rule("cluster_dags_uris", BUCKET_NAMES, each(of_text(uri_problem))),
    Rule("monitoring_notification_emails", SUBSCRIBE, each(E_MAIL)),
    Rule("monitoring_notification_subscriptions", SUBSCRIBE, _subscriptions),
    Rule("secrets_admin_email", ADDRESSES, E_MAIL),
    Rule("sm2a_endpoint_url", ENDPOINTS, URL),
    Rule("images_index_url", INDEX, URL),
    *same(MIRROR, MIRROR_URL, "images_debian_mirror", "local_aws_debian_mirror"),
    Rule(
        "images_registry_endpoint",
        REGISTRY,
        matching(r"[A-Za-z0-9._-]+(:\d{1,5})?", "a host and a port, without scheme"),
    ),
    *same(
        STORED,
        PREFIX,
        "airflow_config_prefix",
        "airflow_connections_prefix",
        "airflow_variables_prefix",
        "airflow_groups_prefix",
        "airflow_admin_secret_name",
        "cluster_secrets_prefix",
        "database_config_prefix",
        "autoscaler_database_secret_name",
    ),
    Rule("cluster_config_secret_names", STORED, each(PREFIX)),
]
