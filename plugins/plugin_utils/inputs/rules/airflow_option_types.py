# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Types of options of Airflow and of the providers in the image, written by ``python -m tools.airflow_options``."""

from __future__ import annotations

# Type to section to the names of its options, with spaces between them. "switch" is text whose default is true or
# false; what is not here is text. https://airflow.apache.org/docs/apache-airflow/stable/configurations-ref.html
TYPES: dict[str, dict[str, str]] = {
    "boolean": {
        "api": (
            "client_use_public_certs default_wrap enable_swagger_ui hide_paused_dags_by_default "
            "require_confirmation_dag_change"
        ),
        "aws_auth_manager": ("allow_idp_initiated_login"),
        "aws_batch_executor": ("check_health_on_startup"),
        "aws_ecs_executor": ("assign_public_ip check_health_on_startup"),
        "aws_eks_executor": ("check_health_on_startup"),
        "aws_lambda_executor": ("check_health_on_startup"),
        "celery": (
            "json_logs ssl_mutual_tls task_acks_late task_logs_to_stdout task_track_started "
            "worker_enable_remote_control"
        ),
        "core": (
            "allow_double_dot_in_ids compress_serialized_dags dagbag_import_error_tracebacks "
            "execute_tasks_new_python_interpreter hide_sensitive_var_conn_fields lazy_discover_providers "
            "lazy_load_plugins multi_team rerun_with_latest_version"
        ),
        "dag_processor": ("disable_bundle_versioning parsing_pre_import_modules"),
        "database": ("sql_alchemy_pool_pre_ping"),
        "email": ("default_email_on_failure default_email_on_retry"),
        "fab": ("auth_rate_limited cookie_secure enable_proxy_fix"),
        "kerberos": ("forwardable include_ip"),
        "logging": ("celery_stdout_stderr_separation json_logs"),
        "metrics": (
            "otel_debugging_on otel_on otel_ssl_active statsd_datadog_enabled statsd_datadog_metrics_tags "
            "statsd_influxdb_enabled statsd_ipv6 statsd_on"
        ),
        "operators": ("default_deferrable"),
        "profiling": ("memray_detailed_tracing"),
        "scheduler": (
            "catchup_by_default create_cron_data_intervals create_delta_data_intervals enable_health_check "
            "enable_tracemalloc ignore_first_depends_on_past_by_default only_idle use_job_schedule "
            "use_row_level_locking"
        ),
        "secrets": ("use_cache"),
        "sentry": ("sentry_on"),
        "smtp": ("smtp_ssl smtp_starttls"),
        "state_store": ("clear_on_success"),
        "traces": ("otel_debugging_on otel_on otel_ssl_active"),
        "triggerer": ("queues_enabled"),
    },
    "integer": {
        "api": (
            "auto_refresh_interval dag_cache_size dag_cache_ttl fallback_page_limit log_stream_buffer_size "
            "maximum_page_limit worker_refresh_batch_size worker_refresh_interval worker_timeout workers"
        ),
        "api_auth": ("jwt_cli_expiration_time jwt_expiration_time jwt_leeway"),
        "aws_batch_executor": ("max_submit_job_attempts"),
        "aws_ecs_executor": ("max_run_task_attempts"),
        "aws_lambda_executor": ("end_wait_timeout max_invoke_attempts"),
        "callbacks": ("callback_execution_timeout"),
        "celery": ("task_publish_max_retries worker_prefetch_multiplier"),
        "common.io": ("state_store_objectstorage_threshold xcom_objectstorage_threshold"),
        "connection_test": ("max_concurrency timeout"),
        "core": (
            "dagbag_import_error_traceback_depth default_pool_task_slot_count default_task_execution_timeout "
            "default_task_retries default_task_retry_delay killed_task_cleanup_time max_active_runs_per_dag "
            "max_active_tasks_per_dag max_consecutive_failed_dag_runs_per_dag max_map_length max_task_retry_delay "
            "max_templated_field_length min_serialized_dag_update_interval num_dag_runs_to_retain_rendered_fields "
            "parallelism task_success_overtime team_name_cache_ttl"
        ),
        "dag_processor": (
            "bundle_refresh_check_interval dag_file_processor_timeout health_check_threshold "
            "max_callbacks_per_loop min_file_process_interval parsing_processes print_stats_interval "
            "refresh_interval stale_bundle_cleanup_age_threshold stale_bundle_cleanup_interval "
            "stale_bundle_cleanup_min_versions stale_dag_threshold"
        ),
        "database": (
            "max_db_retries migration_batch_size sql_alchemy_max_overflow sql_alchemy_pool_recycle "
            "sql_alchemy_pool_size"
        ),
        "execution_api": ("jwt_expiration_time"),
        "fab": (
            "cache_ttl proxy_fix_x_for proxy_fix_x_host proxy_fix_x_port proxy_fix_x_prefix proxy_fix_x_proto "
            "session_lifetime_minutes session_max_lifetime_minutes"
        ),
        "lineage": ("max_assets_per_collector max_extras_per_collector"),
        "logging": ("min_length_masked_secret"),
        "metrics": ("otel_interval_milliseconds otel_port statsd_port"),
        "scheduler": (
            "max_dagruns_per_loop_to_schedule max_dagruns_to_create_per_loop max_tis_per_query num_runs "
            "parsing_cleanup_interval partition_mapper_max_downstream_keys scheduler_health_check_server_port "
            "scheduler_health_check_threshold scheduler_heartbeat_sec task_instance_heartbeat_sec "
            "task_instance_heartbeat_timeout"
        ),
        "secrets": ("cache_ttl_seconds"),
        "smtp": ("smtp_port smtp_retry_limit smtp_timeout"),
        "state_store": ("default_retention_days max_value_storage_bytes state_cleanup_batch_size"),
        "traces": ("otel_port task_runner_flush_timeout_milliseconds"),
        "triggerer": ("capacity max_trigger_to_select_per_loop on_kill_timeout shared_stream_subscriber_queue_size"),
        "workers": (
            "execution_api_retries max_failed_heartbeats min_heartbeat_interval missing_dag_retries "
            "missing_dag_retry_delay"
        ),
    },
    "float": {
        "celery": ("operation_timeout"),
        "connection_test": ("reaper_interval"),
        "core": ("dagbag_import_timeout"),
        "scheduler": (
            "dagrun_metrics_interval job_heartbeat_sec orphaned_tasks_check_interval pool_metrics_interval "
            "scheduler_idle_sleep_time task_instance_heartbeat_timeout_detection_interval task_queued_timeout "
            "task_queued_timeout_check_interval ti_metrics_interval trigger_timeout_check_interval"
        ),
        "sensors": ("default_timeout"),
        "triggerer": (
            "blocked_main_thread_warning_threshold job_heartbeat_sec runner_health_check_threshold "
            "shared_stream_ack_timeout shared_stream_cohort_grace_period triggerer_health_check_threshold"
        ),
        "workers": (
            "execution_api_retry_wait_max execution_api_retry_wait_min execution_api_timeout socket_cleanup_timeout"
        ),
    },
    "switch": {
        "api": ("expose_config expose_stacktrace"),
        "atlas": ("sasl_enabled"),
        "celery": ("ssl_active worker_precheck"),
        "core": (
            "dag_discovery_safe_mode dag_run_conf_overrides_params dags_are_paused_at_creation load_examples "
            "simple_auth_manager_all_admins unit_test_mode"
        ),
        "database": ("check_migrations sql_alchemy_pool_enabled"),
        "elasticsearch": ("json_format write_stdout write_to_es"),
        "elasticsearch_configs": ("use_ssl verify_certs"),
        "fab": ("expose_hostname update_fab_perms"),
        "kubernetes_executor": (
            "delete_worker_pods delete_worker_pods_on_failure enable_tcp_keepalive in_cluster logs_task_metadata "
            "multi_namespace_mode verify_ssl"
        ),
        "logging": ("colored_console_log delete_local_logs encrypt_s3_logs remote_logging"),
        "metrics": ("legacy_names_on"),
        "opensearch": ("json_format write_stdout"),
        "opensearch_configs": ("http_compress ssl_assert_hostname ssl_show_warn use_ssl verify_certs"),
        "traces": ("otel_debug_traces_on"),
    },
}
