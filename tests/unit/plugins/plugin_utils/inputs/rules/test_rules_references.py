# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ARNs, buckets, addresses, policies and values of Airflow that are refused before anything is changed."""

from __future__ import annotations

import json
from typing import Any

import botocore.session
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws import (
    airflow_values,
    arns,
    places,
    policies,
)
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws_values import problems
from ansible_collections.sm2a.airflow.tests.support.role_files import defaults
from ansible_collections.sm2a.airflow.tests.unit.plugins.plugin_utils.inputs.rules.rule_cases import (
    Cases,
    JointCases,
    RuleTests,
)

HERE = "eu-west-1:123456789012"
KEY = f"arn:aws:kms:{HERE}:key/11111111-2222-3333-4444-555555555555"
KEYS = (
    [
        "",
        KEY,
        f"arn:aws:kms:{HERE}:key/mrk-1234abcd12ab34cd56ef1234567890ab",
        "arn:aws-cn:kms:cn-north-1:123456789012:key/1-2",
        "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/1-2",
        "arn:aws-eusc:kms:eusc-de-east-1:123456789012:key/1-2",
    ],
    [
        "1-2",
        "alias/team",
        f"arn:aws:s3:{HERE}:key/1-2",
        "arn:aws:kms:eu-west-1:1234:key/1",
        KEY.replace("key/", "keys/"),
    ],
)
ALIAS = f"arn:aws:kms:{HERE}:alias/team"
KEYS_OR_ALIASES = ([*KEYS[0], ALIAS], KEYS[1])
POLICIES = (
    [
        "arn:aws:iam::123456789012:policy/boundary",
        "arn:aws:iam::aws:policy/service-role/AWSLambdaRole",
        "arn:aws-cn:iam::aws:policy/ReadOnlyAccess",
    ],
    ["ReadOnlyAccess", "arn:aws:iam::123456789012:role/a", "arn:aws:iam:eu-west-1:123456789012:policy/a"],
)
ROLES = (
    ["arn:aws:iam::123456789012:role/a", "arn:aws-us-gov:iam::123456789012:role/path/a"],
    ["a", "arn:aws:iam::123456789012:user/a", "arn:aws:iam::aws:role/a"],
)
SECRETS = (
    ["team/certificate", f"arn:aws:secretsmanager:{HERE}:secret:team/certificate-AbCdEf", "rds!db-1"],
    ["canary certificate", f"arn:aws:ssm:{HERE}:parameter/certificate", "a" * 513],
)
SECRET_ARN = f"arn:aws:secretsmanager:{HERE}:secret:rds!db-1-AbCdEf"
TARGET_GROUP = (
    [f"arn:aws:elasticloadbalancing:{HERE}:targetgroup/a-api-server/0123456789abcdef"],
    ["a-api-server", f"arn:aws:elasticloadbalancing:{HERE}:loadbalancer/app/a/1"],
)
STATEMENT = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:List*"], "Resource": "arn:aws:s3:::a/*"}
DENY = {
    "Sid": "NoKeys",
    "Effect": "Deny",
    "NotAction": "kms:*",
    "NotResource": ["arn:aws:kms:*:*:key/1"],
    "Condition": {},
}
WRONG_STATEMENTS = [
    {},
    {**STATEMENT, "Effect": "allow"},
    {**STATEMENT, "Action": "GetObject"},
    {**STATEMENT, "NotAction": "s3:*"},
    {"Effect": "Allow", "Action": "s3:*"},
    {**STATEMENT, "Resource": "my-bucket"},
    {**STATEMENT, "Sid": "not allowed"},
    {**STATEMENT, "Principal": "*"},
    {**STATEMENT, "Condition": "x"},
    {**STATEMENT, "action": "s3:*"},
]
GROUPS = (
    [[], [{"policy_arns": POLICIES[0], "policy_statements": [STATEMENT, DENY]}], [{"policy_statements": None}]],
    [[{"policy_arns": ["a"]}], *([{"policy_statements": [wrong]}] for wrong in WRONG_STATEMENTS)],
)
ARN_CASES: Cases = {
    **dict.fromkeys(
        [
            "secrets_kms_key_arn",
            "cluster_kms_key_arn",
            "cluster_dags_kms_key_arn",
            "database_kms_key_arn",
            "monitoring_kms_key_arn",
            "network_kms_key_arn",
            "storage_kms_key_arn",
        ],
        (KEYS[0], [*KEYS[1], ALIAS]),
    ),
    **dict.fromkeys(["images_kms_key_arn", "broker_kms_key_arn"], KEYS_OR_ALIASES),
    "load_balancer_certificate_arn": (
        [f"arn:aws:acm:{HERE}:certificate/1-2", "arn:aws-cn:iam::123456789012:server-certificate/path/a"],
        ["1-2", f"arn:aws:acm-pca:{HERE}:certificate/1-2", KEY],
    ),
    "load_balancer_web_acl_arn": (
        [f"arn:aws:wafv2:{HERE}:regional/webacl/team-acl_1/1-2"],
        ["team", "arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/1", f"arn:aws:waf-regional:{HERE}:webacl/1"],
    ),
    "monitoring_topic_arn": (
        [f"arn:aws:sns:{HERE}:alarms_1", f"arn:aws:sns:{HERE}:a.fifo"],
        ["alarms", f"arn:aws:sqs:{HERE}:a"],
    ),
    **dict.fromkeys(
        ["cluster_permissions_boundary", "database_permissions_boundary", "network_permissions_boundary"], POLICIES
    ),
    "airflow_worker_groups": ([group for group in GROUPS[0] if group], GROUPS[1]),
    "cluster_worker_groups": GROUPS,
    **dict.fromkeys(
        [
            "database_monitoring_role_arn",
            "airflow_execution_role_arn",
            "autoscaler_execution_role_arn",
            "autoscaler_task_role_arn",
            "load_balancer_dns_role_arn",
        ],
        ROLES,
    ),
    "secrets_reader_arns": (
        [
            [],
            ["arn:aws:iam::123456789012:role/aws-reserved/*/AWSReservedSSO_Operator_*"],
            ["arn:*:iam::123456789012:user/*", "arn:aws:sts::123456789012:assumed-role/a/b", "*"],
        ],
        [["operator"], ["123456789012"], ["arn:aws:s3:::a"], [""]],
    ),
    "database_existing": ([{"master_secret_arn": SECRET_ARN}], [{"master_secret_arn": "canary"}]),
    "cluster_master_secret_arn": ([SECRET_ARN], ["rds!db-1"]),
    "load_balancer_certificate_secret": SECRETS,
    "load_balancer_oidc": (
        [{"client_secret_name": one} for one in SECRETS[0]],
        [{"client_secret_name": one} for one in SECRETS[1]],
    ),
    "cluster_queue_arns": ([[], [f"arn:aws:sqs:{HERE}:a-default"]], [["a-default"], [""]]),
    "cluster_logs_bucket_arn": (["arn:aws-cn:s3:::a-logs-1"], ["a-logs-1", "s3://a-logs-1"]),
    "cluster_repository_arns": ([[], [f"arn:aws:ecr:{HERE}:repository/a/*"]], [["a/airflow"]]),
    "airflow_target_group_arn": TARGET_GROUP,
    "monitoring_target_group_arn": TARGET_GROUP,
    "monitoring_load_balancer_arn": (TARGET_GROUP[1][1:], TARGET_GROUP[0]),
    "airflow_namespace_arn": ([f"arn:aws:servicediscovery:{HERE}:namespace/ns-1"], ["ns-1"]),
}
BUCKETS = (
    ["logs", "a.b-c", "a1b", "x" * 63, "1-2"],
    ["ab", "Logs", "a_b", "-ab", "ab-", "a..b", "10.0.0.7", "x" * 64, "s3://a"],
)
URIS = (
    ["s3://logs", "s3://logs/", "s3://logs/a b/ü", "s3://alias-1234-s3alias/dags"],
    ["logs", "s3:/logs", "https://logs.s3.amazonaws.com", "s3://Logs/a", "s3:///a", "s3://a_b"],
)
PREFIXES = (["a", "team/config", "a.b@c=d+e_f-g"], ["a b", "a:b", "a\\b", "x" * 401])
MIRRORS = (
    ["http://deb.debian.org/debian", "file:///srv/debian"],
    ["deb.debian.org", "deb http://deb.debian.org/debian"],
)
EMAILS = ["team@example.com", "a.b+c@x.example", "root@localhost", "o'neil@example.com"]
NO_EMAILS = ["team", "team@", "@example.com", "a b@example.com", "a@b@c", "Team <team@example.com>", "a@b..c"]
SUBSCRIBERS = {
    "email": "team@example.com",
    "email-json": "team@example.com",
    "http": "http://example.com/alarms",
    "https": "https://user:password@example.com/alarms",
    "sms": "+493012345678",
    "sqs": f"arn:aws:sqs:{HERE}:alarms",
    "lambda": f"arn:aws:lambda:{HERE}:function:alarms:live",
    "firehose": f"arn:aws:firehose:{HERE}:deliverystream/alarms",
}
PLACE_CASES: Cases = {
    "storage_access_logs_bucket": BUCKETS,
    "load_balancer_access_logs_bucket": BUCKETS,
    "airflow_dags_s3_uri": URIS,
    "airflow_logs_uri": URIS,
    "cluster_dags_uris": ([[], URIS[0]], [[one] for one in URIS[1]]),
    "monitoring_notification_emails": ([[], EMAILS], [["team@example.com", one] for one in NO_EMAILS]),
    "secrets_admin_email": (EMAILS, NO_EMAILS),
    "monitoring_notification_subscriptions": (
        [[], [{"protocol": protocol, "endpoint": endpoint} for protocol, endpoint in SUBSCRIBERS.items()]],
        [[{"protocol": protocol, "endpoint": "canary"}] for protocol in SUBSCRIBERS],
    ),
    "sm2a_endpoint_url": (
        ["http://10.91.0.1:4566", "https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/"],
        ["10.91.0.1:4566"],
    ),
    "images_index_url": (["https://pypi.example.com/simple/", "http://10.0.0.7:3141/root/pypi"], ["pypi.example.com"]),
    "images_debian_mirror": MIRRORS,
    "local_aws_debian_mirror": MIRRORS,
    "images_registry_endpoint": (["127.0.0.1:4566", "registry"], ["http://127.0.0.1:4566", "a/b"]),
    **dict.fromkeys(
        [
            "airflow_config_prefix",
            "airflow_connections_prefix",
            "airflow_variables_prefix",
            "airflow_groups_prefix",
            "airflow_admin_secret_name",
            "cluster_secrets_prefix",
            "database_config_prefix",
            "autoscaler_database_secret_name",
        ],
        PREFIXES,
    ),
    "cluster_config_secret_names": ([[], ["sentry_dsn"]], [["a b"], [""]]),
    "secrets_kms_policy_statements": (
        [[], [{**STATEMENT, "Action": "kms:*", "Resource": "*", "Principal": {"AWS": "*"}, "Sid": "Any text here"}]],
        [[STATEMENT], [{"Principal": "*"}], [{**STATEMENT, "Principal": "*", "Actions": "kms:*"}]],
    ),
}
METRICS = defaults("airflow")
AIRFLOW_CASES: Cases = {
    "sm2a_aws_environment": (
        [{}, {"AWS_PROFILE": "a", "https_proxy": "http://proxy:3128", "AWS_MAX_ATTEMPTS": 5}],
        [{"A=B": "canary"}, {"": "canary"}, {"A B": "canary"}, {1: "canary"}, {"A": None}, {"A": ["canary"]}],
    ),
    "airflow_metrics_allow_list": ([[], METRICS["airflow_metrics_allow_list"]], [["^a,b"], ["^(a"], ["*"], [""]]),
    "airflow_metrics_dimensions": (
        [[], METRICS["airflow_metrics_dimensions"], ["a"] * 29],
        [[f"a{number}" for number in range(30)], ["dag id"], ["1a"], [""]],
    ),
    "airflow_dags_git_subdirectory": (["", "dags", "team/dags/", "a..b"], ["/dags", "../dags", "a/../b"]),
    "airflow_dags_git_branch": (
        ["main", "feature/a-1", "v1.2.3", "0123abc", "größe", "a@b"],
        ["a b", "a..b", "a~1", "-a", "a.lock", "a/", "a^", "@", "@{1}", "a//b"],
    ),
    "airflow_dags_git_connection_id": (["git_default", "team-a.git"], ["canary a", "a/b", "x" * 251]),
    "images_packages": (
        [[], ["git", "libpq-dev", "g++", "libstdc++6", "openjdk-21-jre-headless=21.0.9+10-1", "curl:arm64"]],
        [["git curl"], ["Git"], [""], ["git; rm"], ["-y"]],
    ),
}
CASES = {**ARN_CASES, **PLACE_CASES, **AIRFLOW_CASES}
CERTIFICATE = f"arn:aws:acm:{HERE}:certificate/1-2"
IN_OTHER_REGION: JointCases = [
    ({one: KEY, "sm2a_region": "eu-central-1"}, "not in eu-west-1") for one in arns.REGIONAL if "kms" in one
]
ELSEWHERE = "us-gov-west-1"
# Of options whose right cases are no ARNs of this partition, or are more than ARNs.
FURTHER: dict[str, Any] = {
    "airflow_worker_groups": [{"policy_statements": [STATEMENT]}],
    "cluster_logs_bucket_arn": "arn:aws:s3:::staging-logs",
    "database_snapshot_identifier": f"arn:aws:rds:{HERE}:snapshot:a",
    "network_endpoint_resources": ["arn:aws:s3:::packages/*"],
}
ZONE = {"load_balancer_certificate_hosted_zone_id": "Z1"}


def of_another_partition(option: str) -> dict[str, Any]:
    """A right value in a region of another partition than its ARN names."""
    values = [FURTHER[option]] if option in FURTHER else CASES[option][0]
    value = next(value for value in values if "arn:aws:" in json.dumps(value))
    return {option: json.loads(json.dumps(value).replace("eu-west-1", ELSEWHERE)), "sm2a_region": ELSEWHERE, **ZONE}


IN_OTHER_PARTITION: JointCases = [
    (of_another_partition(option), f"must be ARNs that begin with arn:aws-us-gov: in {ELSEWHERE}")
    for option in arns.WITH_ARNS
]
TOGETHER: JointCases = [
    *IN_OTHER_REGION,
    *IN_OTHER_PARTITION,
    ({"monitoring_topic_arn": f"arn:aws:sns:{HERE}:a", "sm2a_region": "us-east-1"}, "us-east-1, not in eu-west-1"),
    ({"load_balancer_certificate_secret": SECRETS[0][1], "sm2a_region": "us-east-1"}, "us-east-1, not in eu-west-1"),
    ({"load_balancer_oidc": {"client_secret_name": SECRETS[0][1]}, "sm2a_region": "us-east-1"}, "not in eu-west-1"),
    ({"database_existing": {"master_secret_arn": SECRET_ARN}, "sm2a_region": "us-east-1"}, "not in eu-west-1"),
    (
        {"database_snapshot_identifier": f"arn:aws:rds:{HERE}:snapshot:a", "sm2a_region": "us-east-1"},
        "not in eu-west-1",
    ),
    ({"secrets_reader_arns": ["*", "arn:aws*:iam::123456789012:role/a"], "sm2a_region": "cn-north-1"}, None),
    ({"cluster_permissions_boundary": POLICIES[0][2], "sm2a_region": "cn-north-1"}, None),
    ({"airflow_worker_groups": [{"policy_statements": [STATEMENT, DENY]}], "sm2a_region": "eu-west-1"}, None),
    ({"airflow_worker_groups": [{"environment": {"ROLE": ROLES[0][0]}}], "sm2a_region": "cn-north-1"}, None),
    (
        {"load_balancer_certificate_arn": CERTIFICATE, "sm2a_region": "us-east-1"},
        "must be in the region of the environment",
    ),
    (
        {
            "load_balancer_web_acl_arn": f"arn:aws:wafv2:{HERE}:regional/webacl/a/1",
            "load_balancer_waf": "existing",
            "sm2a_region": "us-east-1",
        },
        "must be in the region of the environment, us-east-1, not in eu-west-1",
    ),
    ({"load_balancer_certificate_arn": CERTIFICATE, "sm2a_region": "eu-west-1"}, None),
    ({"load_balancer_certificate_arn": CERTIFICATE}, None),
    (
        {
            "load_balancer_certificate_arn": "arn:aws:iam::123456789012:server-certificate/a",
            "sm2a_region": "us-east-1",
        },
        None,
    ),
    ({"cluster_dags_kms_key_arn": KEY, "sm2a_region": "us-east-1"}, None),
    ({"autoscaler_tick_seconds": 40}, "the hold must be 0 or at least two ticks, so 80 seconds or more, not 60"),
    ({"autoscaler_tick_seconds": 40, "autoscaler_hold_seconds": 0}, None),
    (
        {"airflow_worker_groups": [{"name": "a", "hold_seconds": 15}]},
        "hold_seconds of group a must be 0 or at least two",
    ),
    ({"airflow_worker_groups": [{"name": "a", "hold_seconds": 0}, {"name": "b", "hold_seconds": 20}]}, None),
]


def test_a_wrong_member_is_named_with_its_group() -> None:
    group = {"name": "gpu", "policy_arns": ["ReadOnlyAccess"], "max": 5001}
    found = problems({"airflow_worker_groups": [{"name": "other"}, group]})
    assert [problem.split(" must ")[0] for problem in found] == [
        "airflow_worker_groups: max of gpu",
        "airflow_worker_groups: policy_arns of gpu",
    ]


class TestRules(RuleTests):
    rules = (*arns.RULES, *places.RULES, *policies.RULES, *airflow_values.RULES)
    joint_rules = (*arns.JOINT_RULES, *airflow_values.JOINT_RULES)
    cases = CASES
    together = TOGETHER
    problems = staticmethod(problems)


def test_partitions_are_those_of_aws() -> None:
    session = botocore.session.get_session()
    regions = {
        region: partition
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("ec2", partition)
    }
    assert len(set(regions.values())) > len(arns.PARTITIONS) - 1
    assert {region: arns.partition_of(region) for region in regions} == regions
