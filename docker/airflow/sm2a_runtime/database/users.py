# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Who may do what in the databases, beside Airflow's own user, who owns both."""

from sm2a_runtime.database.setup import Relations, Rights

READ = frozenset({"SELECT"})
ADD = READ | {"INSERT"}
# No deletes, and no statement that creates or changes a table: objects that a worker creates could run as their reader.
WRITE_RESULTS = READ | {"INSERT", "UPDATE"}
CHANGE = READ | {"INSERT", "UPDATE", "DELETE"}
COUNT_ROWS = frozenset({"USAGE"})

RESULT_TABLES = ("celery_taskmeta", "celery_tasksetmeta")
# PostgreSQL takes the numbers of rows from them.
RESULT_SEQUENCES = ("task_id_sequence", "taskset_id_sequence")
WORKERS: Rights = dict.fromkeys(RESULT_TABLES, WRITE_RESULTS) | dict.fromkeys(RESULT_SEQUENCES, COUNT_ROWS)
SCHEDULER: Rights = dict.fromkeys(RESULT_TABLES, READ)

# What the autoscaler's queries name.
AUTOSCALER: Rights = dict.fromkeys(("dag", "dag_run", "dag_version", "job", "serialized_dag", "task_instance"), READ)

# Names of Airflow's tables -> rights, for who runs code of DAG authors. What it may write must not be code for others,
# as `log_template` is for the web servers. A table that is not named, as one of a later version, can be read.
NOTHING = frozenset[str]()
SIGN_IN = (
    *("ab_group", "ab_group_role", "ab_register_user", "ab_user", "ab_user_group", "ab_user_role"),
    *("session", "sm2a_failed_login", "revoked_token", "connection_test_request"),
)
SIGN_IN_RIGHTS = ("ab_permission", "ab_permission_view", "ab_permission_view_role", "ab_role", "ab_view_menu")
# Who did what: added to only.
AUDIT_LOG = ("log",)
RUNS = (
    *("asset", "asset_active", "asset_alias", "asset_alias_asset", "asset_alias_asset_event", "asset_dag_run_queue"),
    *("asset_event", "asset_partition_dag_run", "asset_state_store", "dagrun_asset_event", "partitioned_asset_key_log"),
    *("callback", "dag_run", "deadline", "hitl_detail", "hitl_detail_history", "job", "trigger"),
    *("rendered_task_instance_fields", "task_instance", "task_instance_history", "task_map", "task_reschedule"),
    *("task_state_store", "variable", "xcom"),
)
# What the files say; a task reaches the triggerer, but not these.
DAGS = (
    *("dag", "dag_bundle", "dag_bundle_team", "dag_code", "dag_owner_attributes", "dag_priority_parsing_request"),
    *("dag_tag", "dag_version", "dag_warning", "import_error", "serialized_dag", "deadline_alert", "asset_watcher"),
    *("dag_schedule_asset_alias_reference", "dag_schedule_asset_name_reference", "dag_schedule_asset_reference"),
    *("dag_schedule_asset_uri_reference", "task_inlet_asset_reference", "task_outlet_asset_reference"),
)
LOOKED_UP = (
    *("alembic_version", "alembic_version_fab", "backfill", "backfill_dag_run", "connection", "dag_favorite"),
    *("dag_run_note", "log_template", "slot_pool", "task_instance_note", "team"),
)
TRIGGERER: Rights = {
    **dict.fromkeys(SIGN_IN + SIGN_IN_RIGHTS, NOTHING),
    **dict.fromkeys(AUDIT_LOG, ADD),
    **dict.fromkeys(RUNS, CHANGE),
    **dict.fromkeys(DAGS + LOOKED_UP, READ),
}
# It also writes what roles may do with a DAG (`access_control`): there rows about DAGs only (Engine.ensure_dag_access).
DAG_PROCESSOR: Rights = {
    **TRIGGERER,
    **dict.fromkeys(DAGS, CHANGE),
    **dict.fromkeys(SIGN_IN_RIGHTS, ADD),
    "ab_permission_view_role": ADD | {"DELETE"},
    "ab_role": READ,
}


def rights_of(known: Rights, relations: Relations) -> Rights:
    """What there is of the tables and sequences, with these rights."""
    rights = {table: known.get(table, READ) for table in relations.tables}
    return {name: some for name, some in rights.items() if some} | dict.fromkeys(relations.sequences, COUNT_ROWS)
