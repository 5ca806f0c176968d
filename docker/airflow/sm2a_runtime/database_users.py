# Copyright: SM2A contributors
# Apache License 2.0
"""Who may do what in the databases, beside Airflow's own user, who owns both."""

import re
from collections.abc import Mapping

from sm2a_runtime.database_setup import Relations, Rights

READ = frozenset({"SELECT"})
ADD = READ | {"INSERT"}
# No deleting, and nothing that makes or changes a table: what a worker makes could run as whoever reads it.
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

# Tables of who may sign in and what users may do there, of sessions, and of connections that somebody tests.
SIGN_IN = re.compile(r"ab_\w+|session|sm2a_failed_login|revoked_token|connection_test_request")
# Pattern of names of tables -> rights, for who runs the code of DAG authors. The first that fits counts; in all other
# tables of Airflow, and of a later version, rows may be changed: it is those users' work.
TRIGGERER: Mapping[re.Pattern[str], frozenset[str]] = {
    SIGN_IN: frozenset(),
    re.compile(r"connection|alembic_version\w*"): READ,
    # Who did what.
    re.compile(r"log"): ADD,
}
# It also writes what roles may do with a DAG (`access_control`): there rows about DAGs only (Engine.ensure_dag_access).
DAG_PROCESSOR: Mapping[re.Pattern[str], frozenset[str]] = {
    re.compile(r"ab_role"): READ,
    re.compile(r"ab_permission|ab_view_menu|ab_permission_view"): ADD,
    re.compile(r"ab_permission_view_role"): ADD | {"DELETE"},
    **TRIGGERER,
}


def rights_of(patterns: Mapping[re.Pattern[str], frozenset[str]], relations: Relations) -> Rights:
    """What the patterns say of the tables that there are."""
    rights = dict.fromkeys(relations.sequences, COUNT_ROWS)
    for table in relations.tables:
        rights[table] = next((some for name, some in patterns.items() if name.fullmatch(table)), CHANGE)
    return {name: some for name, some in rights.items() if some}
