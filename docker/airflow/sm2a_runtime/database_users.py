# Copyright: SM2A contributors
# Apache License 2.0
"""Who may do what in the databases, beside Airflow's own user, who owns both."""

from sm2a_runtime.database_setup import Rights

READ = frozenset({"SELECT"})
# No deleting, and nothing that makes or changes a table: what a worker makes could run as whoever reads it.
WRITE_RESULTS = READ | {"INSERT", "UPDATE"}

RESULT_TABLES = ("celery_taskmeta", "celery_tasksetmeta")
# PostgreSQL takes the numbers of rows from them.
RESULT_SEQUENCES = ("task_id_sequence", "taskset_id_sequence")
WORKERS: Rights = dict.fromkeys(RESULT_TABLES, WRITE_RESULTS) | dict.fromkeys(RESULT_SEQUENCES, frozenset({"USAGE"}))
SCHEDULER: Rights = dict.fromkeys(RESULT_TABLES, READ)

# What the autoscaler's queries name.
AUTOSCALER: Rights = dict.fromkeys(("dag", "dag_run", "dag_version", "job", "serialized_dag", "task_instance"), READ)
