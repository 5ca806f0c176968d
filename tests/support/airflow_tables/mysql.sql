-- The tables of Airflow 3.3.2 that the autoscaler reads, with all their columns and indexes and without foreign keys,
-- as Airflow's own models make them.
CREATE TABLE dag (
    dag_id VARCHAR(250) COLLATE utf8mb3_bin NOT NULL,
    is_paused BOOL NOT NULL,
    is_stale BOOL NOT NULL,
    exceeds_max_non_backfill BOOL NOT NULL DEFAULT '0',
    last_parsed_time TIMESTAMP(6) NULL,
    last_parse_duration FLOAT,
    last_expired TIMESTAMP(6) NULL,
    fileloc VARCHAR(2000),
    relative_fileloc VARCHAR(2000),
    bundle_name VARCHAR(250) COLLATE utf8mb3_bin NOT NULL,
    bundle_version VARCHAR(200),
    owners VARCHAR(2000),
    dag_display_name VARCHAR(2000),
    description TEXT,
    timetable_type VARCHAR(255) NOT NULL,
    timetable_summary TEXT,
    timetable_description VARCHAR(1000),
    timetable_partitioned BOOL NOT NULL DEFAULT '0',
    timetable_periodic BOOL NOT NULL DEFAULT '0',
    partition_mapper_info JSON NOT NULL,
    asset_expression JSON,
    deadline JSON,
    max_active_tasks INTEGER NOT NULL,
    max_active_runs INTEGER,
    max_consecutive_failed_dag_runs INTEGER NOT NULL,
    has_task_concurrency_limits BOOL NOT NULL,
    has_import_errors BOOL DEFAULT '0',
    fail_fast BOOL NOT NULL DEFAULT '0',
    allowed_run_types JSON,
    next_dagrun TIMESTAMP(6) NULL,
    next_dagrun_data_interval_start TIMESTAMP(6) NULL,
    next_dagrun_data_interval_end TIMESTAMP(6) NULL,
    next_dagrun_partition_key VARCHAR(255),
    next_dagrun_partition_date TIMESTAMP(6) NULL,
    next_dagrun_create_after TIMESTAMP(6) NULL,
    CONSTRAINT dag_pkey PRIMARY KEY (dag_id)
);
CREATE INDEX idx_next_dagrun_create_after ON dag (next_dagrun_create_after);
CREATE TABLE dag_version (
    id CHAR(32) NOT NULL,
    version_number INTEGER NOT NULL,
    dag_id VARCHAR(250) COLLATE utf8mb3_bin NOT NULL,
    bundle_name VARCHAR(250) COLLATE utf8mb3_bin,
    bundle_version VARCHAR(250) COLLATE utf8mb3_bin,
    version_data JSON,
    created_at TIMESTAMP(6) NOT NULL,
    last_updated TIMESTAMP(6) NOT NULL,
    CONSTRAINT dag_version_pkey PRIMARY KEY (id),
    CONSTRAINT dag_id_v_name_v_number_unique_constraint UNIQUE (dag_id, version_number)
);
CREATE TABLE serialized_dag (
    id CHAR(32) NOT NULL,
    dag_id VARCHAR(250) NOT NULL,
    data JSON,
    data_compressed BLOB,
    created_at TIMESTAMP(6) NOT NULL,
    last_updated TIMESTAMP(6) NOT NULL,
    dag_hash VARCHAR(32) NOT NULL,
    dag_version_id CHAR(32) NOT NULL,
    CONSTRAINT serialized_dag_pkey PRIMARY KEY (id),
    CONSTRAINT serialized_dag_dag_version_id_uq UNIQUE (dag_version_id)
);
CREATE TABLE dag_run (
    id INTEGER NOT NULL AUTO_INCREMENT,
    dag_id VARCHAR(250) COLLATE utf8mb3_bin NOT NULL,
    queued_at TIMESTAMP(6) NULL,
    logical_date TIMESTAMP(6) NULL,
    start_date TIMESTAMP(6) NULL,
    end_date TIMESTAMP(6) NULL,
    state VARCHAR(50),
    run_id VARCHAR(250) COLLATE utf8mb3_bin NOT NULL,
    creating_job_id INTEGER,
    run_type VARCHAR(50) NOT NULL,
    triggered_by VARCHAR(50),
    triggering_user_name VARCHAR(512),
    conf JSON,
    data_interval_start TIMESTAMP(6) NULL,
    data_interval_end TIMESTAMP(6) NULL,
    run_after TIMESTAMP(6) NOT NULL,
    last_scheduling_decision TIMESTAMP(6) NULL,
    log_template_id INTEGER,
    created_at TIMESTAMP(6) NULL,
    updated_at TIMESTAMP(6) NULL,
    clear_number INTEGER NOT NULL DEFAULT '0',
    backfill_id INTEGER,
    bundle_version VARCHAR(250) COLLATE utf8mb3_bin,
    scheduled_by_job_id INTEGER,
    context_carrier JSON,
    span_status VARCHAR(250) NOT NULL DEFAULT 'not_started',
    created_dag_version_id CHAR(32),
    partition_key VARCHAR(250) COLLATE utf8mb3_bin,
    partition_date TIMESTAMP(6) NULL,
    CONSTRAINT dag_run_pkey PRIMARY KEY (id),
    CONSTRAINT dag_run_dag_id_run_id_key UNIQUE (dag_id, run_id),
    CONSTRAINT dag_run_dag_id_logical_date_key UNIQUE (dag_id, logical_date)
);
CREATE INDEX dag_id_state ON dag_run (dag_id, state);
CREATE INDEX idx_dag_run_created_dag_version_id ON dag_run (created_dag_version_id);
CREATE INDEX idx_dag_run_dag_id ON dag_run (dag_id);
CREATE INDEX idx_dag_run_queued_dags ON dag_run (state, dag_id);
CREATE INDEX idx_dag_run_run_after ON dag_run (run_after);
CREATE INDEX idx_dag_run_running_dags ON dag_run (state, dag_id);
CREATE TABLE task_instance (
    id CHAR(32) NOT NULL,
    task_id VARCHAR(250) COLLATE utf8mb3_bin NOT NULL,
    dag_id VARCHAR(250) COLLATE utf8mb3_bin NOT NULL,
    run_id VARCHAR(250) COLLATE utf8mb3_bin NOT NULL,
    map_index INTEGER NOT NULL DEFAULT '-1',
    start_date TIMESTAMP(6) NULL,
    end_date TIMESTAMP(6) NULL,
    duration FLOAT,
    state VARCHAR(20),
    try_number INTEGER NOT NULL,
    max_tries INTEGER NOT NULL DEFAULT '-1',
    hostname VARCHAR(1000),
    unixname VARCHAR(1000),
    pool VARCHAR(256) NOT NULL,
    pool_slots INTEGER NOT NULL,
    queue VARCHAR(256),
    priority_weight INTEGER,
    operator VARCHAR(1000),
    custom_operator_name VARCHAR(1000),
    queued_dttm TIMESTAMP(6) NULL,
    scheduled_dttm TIMESTAMP(6) NULL,
    queued_by_job_id INTEGER,
    last_heartbeat_at TIMESTAMP(6) NULL,
    pid INTEGER,
    executor VARCHAR(1000),
    executor_config BLOB,
    updated_at TIMESTAMP(6) NULL,
    rendered_map_index VARCHAR(250),
    context_carrier JSON,
    span_status VARCHAR(250) NOT NULL DEFAULT 'not_started',
    external_executor_id TEXT,
    trigger_id INTEGER,
    trigger_timeout TIMESTAMP(6) NULL,
    next_method VARCHAR(1000),
    next_kwargs JSON,
    task_display_name VARCHAR(2000),
    dag_version_id CHAR(32),
    retry_delay_override FLOAT,
    retry_reason VARCHAR(500),
    CONSTRAINT task_instance_pkey PRIMARY KEY (id),
    CONSTRAINT task_instance_composite_key UNIQUE (dag_id, task_id, run_id, map_index)
);
CREATE INDEX ti_dag_run ON task_instance (dag_id, run_id);
CREATE INDEX ti_dag_state ON task_instance (dag_id, state);
CREATE INDEX ti_dag_version_id ON task_instance (dag_version_id);
CREATE INDEX ti_heartbeat ON task_instance (last_heartbeat_at);
CREATE INDEX ti_pool ON task_instance (pool, state, priority_weight);
CREATE INDEX ti_state ON task_instance (state);
CREATE INDEX ti_state_lkp ON task_instance (dag_id, task_id, run_id, state);
CREATE INDEX ti_trigger_id ON task_instance (trigger_id);
CREATE TABLE job (
    id INTEGER NOT NULL AUTO_INCREMENT,
    dag_id VARCHAR(250),
    state VARCHAR(20),
    job_type VARCHAR(30),
    start_date TIMESTAMP(6) NULL,
    end_date TIMESTAMP(6) NULL,
    latest_heartbeat TIMESTAMP(6) NULL,
    executor_class VARCHAR(500),
    hostname VARCHAR(500),
    unixname VARCHAR(1000),
    CONSTRAINT job_pkey PRIMARY KEY (id)
);
CREATE INDEX idx_job_dag_id ON job (dag_id);
CREATE INDEX idx_job_state_heartbeat ON job (state, latest_heartbeat);
CREATE INDEX job_type_heart ON job (job_type, latest_heartbeat);
