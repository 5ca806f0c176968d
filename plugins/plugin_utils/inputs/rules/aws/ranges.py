# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Numbers that AWS takes only in a range: ports, days, seconds and counts. Pure."""

from __future__ import annotations

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.shapes import (
    at_least,
    at_most,
    between,
    each,
    member,
    one_of,
)
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.table import Rule, same

ELB = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference"
LISTENER = f"{ELB}/API_CreateListener.html"
TARGET_GROUP = f"{ELB}/API_CreateTargetGroup.html"
TARGET_GROUP_ATTRIBUTE = f"{ELB}/API_TargetGroupAttribute.html"
LOAD_BALANCER_ATTRIBUTE = f"{ELB}/API_LoadBalancerAttribute.html"
SESSION = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html"
GROUP_RULE = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html"
DB_INSTANCE = "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html"
LOG_RETENTION = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"
KEY_DELETION = "https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html"
KEY_ROTATION = "https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html"
RECOVERY = "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html"
LIFECYCLE = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleExpiration.html"
REPOSITORY = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html"
RATE = "https://docs.aws.amazon.com/waf/latest/APIReference/API_RateBasedStatement.html"
ALARM = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"
METRICS = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html"
HEALTH_CHECK = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html"
ECS_QUOTAS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html"
FAB = "https://airflow.apache.org/docs/apache-airflow-providers-fab/stable/configurations-ref.html"
AIRFLOW = "https://airflow.apache.org/docs/apache-airflow/stable/configurations-ref.html"
# Limits of this collection's own.
DOCS = "docs/roles/{}.md"
RUNS = "docs/runs.md"

LOG_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
INSIGHTS_DAYS = (7, *(31 * months for months in range(1, 24)), 731)
WEEK, DAY_MINUTES = 604800, 1440
PORT = between(1, 65535)
SECONDS = at_least(1, "second")

PORTS: list[Rule] = [
    *same(LISTENER, PORT, "load_balancer_https_port", "load_balancer_http_port"),
    Rule("load_balancer_target_port", TARGET_GROUP, PORT),
    *same(
        GROUP_RULE,
        PORT,
        "network_api_server_port",
        "network_worker_log_port",
        "network_triggerer_log_port",
        "network_database_port",
        "local_aws_port",
    ),
    Rule("network_load_balancer_ports", GROUP_RULE, each(PORT)),
    *same(GROUP_RULE, member("ports", each(PORT)), "network_task_egress", "network_load_balancer_egress"),
    Rule("database_port", DB_INSTANCE, between(1150, 65535)),
    Rule("database_existing", GROUP_RULE, member("port", PORT)),
]
DAYS: list[Rule] = [
    *same(
        LOG_RETENTION,
        one_of(LOG_DAYS, f"a number of days that CloudWatch has ({', '.join(map(str, LOG_DAYS))})"),
        "cluster_log_retention_in_days",
        "network_flow_logs_retention_in_days",
    ),
    # The module takes the retention away for 0.
    Rule(
        "database_log_retention_in_days",
        LOG_RETENTION,
        one_of(
            (0, *LOG_DAYS), f"0 (for ever) or a number of days that CloudWatch has ({', '.join(map(str, LOG_DAYS))})"
        ),
    ),
    Rule("secrets_kms_key_pending_window_in_days", KEY_DELETION, between(7, 30, "days")),
    Rule("secrets_kms_key_rotation_period_in_days", KEY_ROTATION, between(90, 2560, "days")),
    *same(
        RECOVERY,
        between(7, 30, "days"),
        "secrets_recovery_window_in_days",
        "database_secrets_recovery_window_in_days",
    ),
    Rule("database_backup_retention_period", DB_INSTANCE, between(0, 35, "days")),
    Rule(
        "database_insights_retention_period",
        DB_INSTANCE,
        one_of(INSIGHTS_DAYS, "7 days, 731 days or a multiple of 31 up to 713"),
    ),
    *same(
        LIFECYCLE,
        between(1, 2147483647, "days"),
        "storage_log_retention_in_days",
        "storage_access_log_retention_in_days",
        "storage_noncurrent_version_retention_in_days",
    ),
    Rule("load_balancer_certificate_renew_before_days", DOCS.format("load_balancer"), at_least(0, "days")),
]
LOAD_BALANCER: list[Rule] = [
    Rule("load_balancer_idle_timeout_seconds", LOAD_BALANCER_ATTRIBUTE, between(1, 4000, "seconds")),
    Rule("load_balancer_health_check_interval_seconds", TARGET_GROUP, between(5, 300, "seconds")),
    Rule("load_balancer_health_check_timeout_seconds", TARGET_GROUP, between(2, 120, "seconds")),
    Rule("load_balancer_health_check_unhealthy_threshold", TARGET_GROUP, between(2, 10, "failed probes")),
    Rule("load_balancer_deregistration_delay_seconds", TARGET_GROUP_ATTRIBUTE, between(0, 3600, "seconds")),
    # 0 turns it off.
    Rule("load_balancer_stickiness_seconds", TARGET_GROUP_ATTRIBUTE, between(0, WEEK, "seconds")),
    Rule("load_balancer_oidc", SESSION, member("session_timeout_seconds", between(1, WEEK, "seconds"))),
    *same(
        RATE,
        between(10, 2000000000, "requests", besides=(0,)),
        "load_balancer_waf_rate_limit",
        "load_balancer_waf_login_rate_limit",
    ),
]
DATABASE: list[Rule] = [
    Rule("database_monitoring_interval", DB_INSTANCE, one_of((0, 1, 5, 10, 15, 30, 60), "0, 1, 5, 10, 15, 30 or 60")),
    *same(DB_INSTANCE, between(20, 65536, "GiB"), "database_allocated_storage", "database_max_allocated_storage"),
    Rule("database_iops", DB_INSTANCE, between(1000, 256000)),
    Rule("database_storage_throughput", DB_INSTANCE, between(500, 4000, "MiB per second")),
]
MONITORING: list[Rule] = [
    *same(
        ALARM,
        between(1, DAY_MINUTES, "minutes"),
        "monitoring_autoscaler_silent_minutes",
        "monitoring_worker_group_held_minutes",
        "monitoring_worker_group_at_maximum_minutes",
        "monitoring_service_below_desired_minutes",
    ),
    *same(
        METRICS,
        between(0, 100, "percent"),
        "monitoring_server_error_percent",
        "monitoring_database_cpu_percent",
        "monitoring_service_memory_percent",
    ),
    *same(
        METRICS,
        at_least(0),
        "monitoring_queue_oldest_message_seconds",
        "monitoring_server_error_minimum_requests",
        "monitoring_heartbeat_seconds",
        "monitoring_database_free_storage_gib",
        "monitoring_database_connections",
        "monitoring_database_freeable_memory_mib",
    ),
]
TASKS: list[Rule] = [
    # ECS has 0 to 300; Airflow takes up to two minutes to start.
    Rule("airflow_health_check_start_period", HEALTH_CHECK, between(120, 300, "seconds")),
    *same(
        ECS_QUOTAS,
        at_most(5000, "tasks"),
        "airflow_api_server_count",
        "airflow_scheduler_count",
        "airflow_dag_processor_count",
        "airflow_triggerer_count",
    ),
    *same(
        ECS_QUOTAS,
        member("max", at_most(5000, "tasks")),
        "airflow_worker_groups",
        "cluster_worker_groups",
        "autoscaler_worker_groups",
    ),
    Rule("images_keep_count", REPOSITORY, at_least(1, "image")),
    *same(DOCS.format("images"), at_least(0), "images_minimum_free_gib", "local_aws_minimum_free_gib"),
    Rule("autoscaler_tick_seconds", DOCS.format("autoscaler"), between(1, 300, "seconds")),
    Rule("autoscaler_hold_seconds", DOCS.format("autoscaler"), between(0, 3600, "seconds")),
    *same(FAB, at_least(1, "minute"), "airflow_session_minutes", "airflow_session_idle_minutes"),
    Rule("airflow_token_minutes", AIRFLOW, at_least(1, "minute")),
    Rule("airflow_dags_refresh_interval", AIRFLOW, at_least(1, "second")),
    *same(DOCS.format("airflow"), at_least(0), "airflow_login_free_failures", "airflow_login_longest_delay_seconds"),
    Rule("airflow_metrics_dimension_limit", DOCS.format("airflow"), at_least(1)),
    *same(DOCS.format("airflow"), SECONDS, "airflow_migrate_timeout", "airflow_wait_timeout"),
    Rule("airflow_drain_timeout", DOCS.format("airflow"), at_least(0, "seconds")),
    Rule("database_wait_timeout", DOCS.format("database"), SECONDS),
    Rule("load_balancer_certificate_wait_timeout", DOCS.format("load_balancer"), at_least(0, "seconds")),
    *same(DOCS.format("run_lock"), SECONDS, "run_lock_timeout", "sm2a_lock_timeout"),
    Rule("sm2a_progress_interval", RUNS, at_least(0, "seconds")),
    Rule("smoke_dag_timeout", DOCS.format("smoke_dag"), SECONDS),
]
RULES: list[Rule] = [*PORTS, *DAYS, *LOAD_BALANCER, *DATABASE, *MONITORING, *TASKS]
