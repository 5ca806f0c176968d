# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Numbers out of the ranges that AWS has, and settings of the database that RDS refuses."""

from __future__ import annotations

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws import database, ranges, windows
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws_values import problems
from ansible_collections.sm2a.airflow.tests.unit.plugins.plugin_utils.inputs.rules.rule_cases import (
    Cases,
    JointCases,
    RuleTests,
)

PEM = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU\nc3RvcnkK+/==\n-----END CERTIFICATE-----"
PORTS = ([1, 80, 65535], [0, -1, 65536])
EGRESS = ([[{"ports": [1, 65535]}]], [[{"ports": [0]}], [{"ports": [22, 70000]}]])
LOG_DAYS = ([1, 30, 365, 1096, 3653], [2, 31, 366, 4000, -1])
WEEK = ([7, 20, 30], [6, 31, 0, -7])
EXPIRY = ([1, 36500], [0, -1])
MINUTES = ([1, 5, 1440], [0, -5, 1441])
PERCENT = ([0, 5, 99.5, 100], [-1, 101])
AMOUNT = ([0, 1.5, 1000000], [-1])
COUNT = ([1, 5000], [5001])
MAXIMUM = ([[{"max": 5000}], [{}]], [[{"max": 5001}]])
FROM_ONE = ([1, 100000], [0, -1])
RATE = ([0, 10, 2000000000], [9, -1, 2000000001])
RANGE_CASES: Cases = {
    "load_balancer_https_port": ([1, 443, 65535], PORTS[1]),
    "load_balancer_http_port": PORTS,
    "load_balancer_target_port": PORTS,
    "network_api_server_port": PORTS,
    "network_worker_log_port": PORTS,
    "network_triggerer_log_port": PORTS,
    "network_database_port": PORTS,
    "local_aws_port": PORTS,
    "network_load_balancer_ports": ([[], [1, 65535]], [[0], [443, 65536]]),
    "network_task_egress": EGRESS,
    "network_load_balancer_egress": EGRESS,
    "database_port": ([1150, 5432, 65535], [1149, 65536]),
    "database_existing": (
        [{"port": 1}, {"port": 65535}, {}, {"ca_certificates": f"# Company\n{PEM}\n{PEM}\n"}, {"ca_certificates": ""}],
        [
            {"port": 0},
            {"port": 65536},
            {"ca_certificates": "/etc/company-ca.pem"},
            {"ca_certificates": PEM.replace("CERTIFICATE", "PRIVATE KEY")},
            {"ca_certificates": f"{PEM}\n{PEM.replace('CERTIFICATE', 'RSA PRIVATE KEY')}"},
            {"ca_certificates": PEM * 400},
        ],
    ),
    "cluster_log_retention_in_days": LOG_DAYS,
    "network_flow_logs_retention_in_days": LOG_DAYS,
    "database_log_retention_in_days": ([0, *LOG_DAYS[0]], LOG_DAYS[1]),
    "secrets_kms_key_pending_window_in_days": WEEK,
    "secrets_kms_key_rotation_period_in_days": ([90, 2560], [89, 2561]),
    "secrets_recovery_window_in_days": WEEK,
    "database_secrets_recovery_window_in_days": WEEK,
    "database_backup_retention_period": ([0, 35], [-1, 36]),
    "database_insights_retention_period": ([7, 31, 93, 713, 731], [1, 8, 94, 466, 744]),
    "storage_log_retention_in_days": EXPIRY,
    "storage_access_log_retention_in_days": EXPIRY,
    "storage_noncurrent_version_retention_in_days": EXPIRY,
    "load_balancer_certificate_renew_before_days": ([0, 364], [-1]),
    "load_balancer_idle_timeout_seconds": ([1, 4000], [0, 4001]),
    "load_balancer_health_check_interval_seconds": ([11, 300], [4, 301]),
    "load_balancer_health_check_timeout_seconds": ([2, 14], [1, 121]),
    "load_balancer_health_check_unhealthy_threshold": ([2, 10], [1, 11]),
    "load_balancer_deregistration_delay_seconds": ([0, 3600], [-1, 3601]),
    "load_balancer_stickiness_seconds": ([0, 1, 604800], [-1, 604801]),
    "load_balancer_oidc": (
        [{}, {"session_timeout_seconds": 604800}],
        [{"session_timeout_seconds": 0}, {"session_timeout_seconds": 604801}],
    ),
    "load_balancer_waf_rate_limit": RATE,
    "load_balancer_waf_login_rate_limit": RATE,
    "database_monitoring_interval": ([0, 1, 5, 10, 15, 30, 60], [2, 61, -1]),
    "database_allocated_storage": ([20, 90], [19, 65537]),
    "database_max_allocated_storage": ([22, 65536], [19, 65537]),
    "database_storage_throughput": ([], [499, 4001]),
    "database_iops": ([], [999, 256001]),
    "monitoring_autoscaler_silent_minutes": MINUTES,
    "monitoring_worker_group_held_minutes": MINUTES,
    "monitoring_worker_group_at_maximum_minutes": MINUTES,
    "monitoring_service_below_desired_minutes": MINUTES,
    "monitoring_server_error_percent": PERCENT,
    "monitoring_database_cpu_percent": PERCENT,
    "monitoring_service_memory_percent": PERCENT,
    "monitoring_queue_oldest_message_seconds": AMOUNT,
    "monitoring_server_error_minimum_requests": AMOUNT,
    "monitoring_heartbeat_seconds": AMOUNT,
    "monitoring_database_free_storage_gib": AMOUNT,
    "monitoring_database_connections": AMOUNT,
    "monitoring_database_freeable_memory_mib": AMOUNT,
    "airflow_health_check_start_period": ([120, 300], [119, 301, 0]),
    "airflow_api_server_count": COUNT,
    "airflow_scheduler_count": COUNT,
    "airflow_dag_processor_count": COUNT,
    "airflow_triggerer_count": COUNT,
    "airflow_worker_groups": MAXIMUM,
    "cluster_worker_groups": MAXIMUM,
    "autoscaler_worker_groups": MAXIMUM,
    "images_keep_count": FROM_ONE,
    "images_minimum_free_gib": AMOUNT,
    "local_aws_minimum_free_gib": AMOUNT,
    "autoscaler_tick_seconds": ([1, 30], [0, 301]),
    "autoscaler_hold_seconds": ([0, 20, 3600], [-1, 3601]),
    "airflow_session_minutes": FROM_ONE,
    "airflow_session_idle_minutes": FROM_ONE,
    "airflow_token_minutes": FROM_ONE,
    "airflow_dags_refresh_interval": FROM_ONE,
    "airflow_login_free_failures": ([0, 5], [-1]),
    "airflow_login_longest_delay_seconds": ([0, 900], [-1]),
    "airflow_metrics_dimension_limit": FROM_ONE,
    "airflow_migrate_timeout": FROM_ONE,
    "airflow_wait_timeout": FROM_ONE,
    "airflow_drain_timeout": ([0, 900], [-1]),
    "database_wait_timeout": FROM_ONE,
    "load_balancer_certificate_wait_timeout": ([0, 1, 1800], [-1]),
    "run_lock_timeout": FROM_ONE,
    "sm2a_lock_timeout": FROM_ONE,
    "sm2a_progress_interval": ([0, 1, 30], [-1]),
    "smoke_dag_timeout": FROM_ONE,
}
USERS = (["airflow", "Airflow_2", "air-flow", "a.b"], ["air flow", "a/b", "a:b"])
DATABASE_CASES: Cases = {
    "database_instance_class": (
        ["db.t4g.medium", "db.r7g.large", "db.r6id.24xlarge", "db.m5.large.tpc2.mem4x", "db.serverless.x"],
        ["t4g.medium", "db", "db.t4g", "db t4g"],
    ),
    "database_username": USERS,
    "database_result_name": USERS,
    "database_master_username": (["a", "sm2a_admin", "postgres", "A" * 16], ["1a", "a-b", "a" * 17]),
    "database_backup_window": (
        ["02:00-03:00", "23:45-00:15", "00:00-00:30"],
        ["02:00", "2:00-3:00", "24:00-01:00", "02:00-02:29", "02:00-02:00", "mon:02:00-mon:03:00"],
    ),
    "database_maintenance_window": (
        ["sun:03:30-sun:04:30", "sat:23:45-sun:00:15", "Mon:05:00-Mon:05:30"],
        ["sun:03:30", "03:30-04:30", "sunday:03:30-sunday:04:30", "sun:03:30-sun:03:59", "sun:03:30-sun:03:30"],
    ),
    "database_parameters": (
        [{}, {"max_connections": 400, "auto_explain.log_analyze": True, "shared_preload_libraries": "a,b"}],
        [{"a b": 1}, {"a": [1]}, {"a": None}, {1: 1}],
    ),
}
CASES = {**RANGE_CASES, **DATABASE_CASES}
GP3 = {"database_allocated_storage": 400, "database_max_allocated_storage": 1000}
IO1 = {**GP3, "database_storage_type": "io1"}
IO2 = {**GP3, "database_storage_type": "io2"}
ROLE = "arn:aws:iam::123456789012:role/monitoring"
TOGETHER: JointCases = [
    ({"database_allocated_storage": 100, "database_max_allocated_storage": 100}, "so 110 or more, not 100"),
    ({"database_allocated_storage": 200, "database_max_allocated_storage": 100}, "so 220 or more, not 100"),
    ({"database_allocated_storage": 95}, "so 105 or more, not 100"),
    ({"database_allocated_storage": 1000, "database_max_allocated_storage": 1100}, None),
    ({"database_allocated_storage": 100, "database_existing": {"address": "a", "port": 1}}, None),
    ({**IO1, "database_allocated_storage": 99, "database_iops": 3000}, "must have 100 GiB or more, not 99"),
    (IO1, "must be set for storage of type io1"),
    (IO2, "must be set for storage of type io2"),
    ({**IO1, "database_iops": 20000}, None),
    ({**IO1, "database_iops": 20001}, "so 200 to 20000, not 20001"),
    ({**IO2, "database_iops": 256000}, None),
    ({**GP3, "database_iops": 12000, "database_storage_throughput": 500}, None),
    ({**GP3, "database_iops": 11999}, "must be 12000 to 64000 for gp3, not 11999"),
    ({**GP3, "database_iops": 64001}, "must be 12000 to 64000 for gp3, not 64001"),
    ({**GP3, "database_iops": 64000}, None),
    ({"database_iops": 12000}, "must not be set for gp3 below 400 GiB"),
    ({"database_storage_throughput": 500}, "must only be set for gp3 from 400 GiB on"),
    ({**IO1, "database_iops": 3000, "database_storage_throughput": 500}, "must only be set for gp3"),
    ({"database_storage_type": "gp2", "database_iops": 1000}, "must not be set for storage of type gp2"),
    ({"database_monitoring_interval": 0, "database_monitoring_role_arn": ROLE}, "must not be 0 with a role for it"),
    ({"database_monitoring_interval": 60, "database_monitoring_role_arn": ROLE}, None),
    ({"database_monitoring_role_arn": ROLE}, None),
    (
        {"database_engine_version": "12.22"},
        "must be a version of PostgreSQL 13 to 18, which Airflow supports, not '12.22'",
    ),
    ({"database_engine_version": "latest"}, "must be a version of PostgreSQL"),
    ({"database_engine_version": "170"}, "must be a version of PostgreSQL"),
    ({"database_engine_version": "8.4", "database_engine": "postgres"}, "must be a version of PostgreSQL"),
    ({"database_engine_version": "5.7.44", "database_engine": "mysql"}, "must be a version of MySQL 8.0 or 8.4"),
    ({"database_engine_version": "8.0.40", "database_engine": "mysql"}, None),
    ({"database_engine_version": "13.23-rds.20260101"}, None),
    ({"database_engine_version": "18"}, None),
    ({"database_cloudwatch_logs_exports": ["error"]}, "must be of postgresql, upgrade, iam-db-auth-error for postgres"),
    ({"database_cloudwatch_logs_exports": ["error", "iam-db-auth-error"], "database_engine": "mysql"}, None),
    ({"database_cloudwatch_logs_exports": []}, None),
    ({"database_name": "air-flow"}, "must be letters, digits and underscores that begin with a letter"),
    ({"database_name": "air-flow", "database_existing": {"address": "a", "port": 1}}, None),
    ({"database_name": "a" * 63}, None),
    ({"database_name": "a" * 64}, "must have at most 63 characters with postgres"),
    ({"database_name": "a" * 64, "database_engine": "mysql"}, None),
    ({"database_master_username": "admin"}, "must not be 'admin', which postgres keeps for itself"),
    ({"database_master_username": "pg_admin"}, "must not be 'pg_admin'"),
    ({"database_master_username": "rdsadmin", "database_engine": "mysql"}, "must not be 'rdsadmin'"),
    ({"database_master_username": "admin", "database_engine": "mysql"}, None),
    ({"database_username": "pg_airflow"}, "must not be 'pg_airflow'"),
    ({"database_username": "pg_airflow", "database_engine": "mysql"}, None),
    (
        {"database_existing": {"ca_certificates": PEM}, "database_tls_verification": False},
        "nothing is verified with ca_certificates while verification is off",
    ),
    ({"database_existing": {"ca_certificates": PEM}, "database_tls_verification": True}, None),
    ({"database_existing": {"ca_certificates": PEM}}, None),
    ({"database_existing": {}, "database_tls_verification": False}, None),
    ({"database_backup_window": "04:00-05:00"}, "must not overlap"),
    ({"database_backup_window": "04:30-05:00"}, None),
    ({"database_backup_window": "03:00-03:30"}, None),
    (
        {"database_backup_window": "23:45-00:30", "database_maintenance_window": "mon:00:00-mon:00:30"},
        "must not overlap",
    ),
    (
        {"database_backup_window": "01:00-02:00", "database_maintenance_window": "sun:23:30-mon:01:30"},
        "must not overlap",
    ),
    ({"database_backup_window": "04:00-05:00", "database_backup_retention_period": 0}, None),
]


class TestRules(RuleTests):
    rules = (*ranges.RULES, *database.RULES, *windows.RULES)
    joint_rules = (*database.JOINT_RULES, *windows.JOINT_RULES)
    cases = CASES
    together = TOGETHER
    problems = staticmethod(problems)


def test_a_sentence_names_range_unit_and_value() -> None:
    assert problems({"load_balancer_idle_timeout_seconds": 5000}) == [
        "load_balancer_idle_timeout_seconds: must be 1 to 4000 seconds, not 5000"
    ]
    assert problems({"load_balancer_waf_rate_limit": 5}) == [
        "load_balancer_waf_rate_limit: must be 0 or 10 to 2000000000 requests, not 5"
    ]
